"""The web application of the stand-ins: the API of Stripe, its hosted pages, the control door."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from sandbox import control, pages
from sandbox.connections import Protocol
from sandbox.faults import BEFORE, Fault, strike_request
from sandbox.letzshop import control as letzshop_control
from sandbox.letzshop import pages as letzshop_pages
from sandbox.letzshop import seed as letzshop_seed
from sandbox.letzshop.state import Letzshop
from sandbox.letzshop.worker import Worker
from sandbox.serving import MAX_BODY_BYTES, Answer, give
from sandbox.store import Store
from sandbox.stripe import OPERATION_MODULES, operations
from sandbox.stripe.account import Account
from sandbox.stripe.errors import StripeError
from sandbox.webhooks import Sender, enqueue

_RETRY_AFTER_SECONDS = 1


class Api:
    """Every path under ``/stripe/v1``: one request, one transaction; then the fault, if one strikes."""

    def __init__(self, account: Account) -> None:
        self.account = account

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            await JSONResponse(StripeError(413, "Request too large.").body, 413)(scope, receive, send)
            return
        text = body.decode() if request.method == "POST" else request.url.query
        path = request.url.path.removeprefix(scope.get("root_path", "").removesuffix("/v1"))
        asked = operations.Request(request.method, path, text, request.headers)
        answer, fault = await run_in_threadpool(self._answer, asked)
        await give(request, send, answer, fault)

    def _answer(self, asked: operations.Request) -> tuple[Answer, Fault | None]:
        store = self.account.store
        with store.lock:
            self.account.run_due(store.now())
            with store.transaction():
                fault = strike_request(store, asked.method, asked.path)
                if fault and fault["name"] in BEFORE:
                    return _faulty(fault), fault
                return operations.answer(self.account, asked), fault


def _faulty(fault: Fault) -> Answer:
    """The answers of an API that did nothing."""
    headers = {"Content-Type": "application/json", "Request-Id": f"req_fault{fault['id']}x{fault['drawn']}"}
    if fault["name"] == "rate_limit":
        after = str(int(fault["seconds"] or _RETRY_AFTER_SECONDS))
        error = StripeError(429, "Too many requests. Slow down.", code="rate_limit")
        headers |= {"Retry-After": after, "Stripe-Rate-Limited-Reason": "global-rate"}
    elif fault["name"] == "unavailable":
        error = StripeError(503, "Sorry, something is unavailable.", kind="api_error")
    else:
        error = StripeError(500, "An unknown error occurred.", kind="api_error")
    return Answer(error.status, json.dumps(error.body), headers)


def create_app(account: Account, letzshop: Letzshop, url: str) -> Starlette:
    """The application at this address (``http://127.0.0.1:8400``)."""
    assert OPERATION_MODULES
    threads = (Sender(account), Worker(letzshop))

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            await run_in_threadpool(thread.stop)

    return Starlette(
        routes=[
            Mount("/_control/letzshop", routes=letzshop_control.routes(letzshop)),
            Mount("/_control", routes=control.routes(account)),
            Mount("/stripe/pages", routes=pages.routes(account)),
            Mount("/stripe/v1", app=Api(account)),
            Mount("/letzshop", routes=letzshop_pages.routes(letzshop)),
            Route("/", pages.start_page(url)),
        ],
        lifespan=lifespan,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_hosts(url), www_redirect=False)],
    )


def _hosts(url: str) -> list[str]:
    """The names under which it answers; a page of another site that points its own name here gets nothing."""
    return sorted({"127.0.0.1", "localhost", urlsplit(url).hostname or "localhost"})


def server(
    *, host: str, port: int, data_dir: Path | None, seed: str, url: str | None = None
) -> tuple[uvicorn.Server, Account]:
    """A server that is not running yet, and its account; the state is in the folder, or in memory only."""
    store = Store(data_dir / "sandbox.sqlite" if data_dir else None, seed)
    url = (url or f"http://{host}:{port}").rstrip("/")
    account = Account(store, f"{url}/stripe")
    account.on_event = enqueue
    letzshop = Letzshop(store, f"{url}/letzshop", letzshop_seed.plant)
    app = create_app(account, letzshop, url)
    running = uvicorn.Server(
        uvicorn.Config(app, host=host, port=port, http=Protocol, log_level="critical", access_log=False)
    )
    return running, account
