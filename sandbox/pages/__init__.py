"""The hosted pages: checkout, the bank's question, the billing portal, invoices."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.pages import checkout, invoice, portal
from sandbox.pages.shown import Page, Redirect, moment, money, title_of, words
from sandbox.stripe.account import Account
from sandbox.stripe.errors import StripeError

_FOLDER = Path(__file__).parent
_FOLDERS = (_FOLDER, _FOLDER.parent / "letzshop" / "pages")
_templates = Environment(
    loader=FileSystemLoader(_FOLDERS), autoescape=select_autoescape(["html"]), undefined=StrictUndefined
)
_templates.filters.update(money=money, moment=moment, title_of=title_of, words=words)

Work = Callable[[Account, str, dict[str, str]], Page | Redirect | bytes]


def routes(account: Account) -> list[Route]:
    """The pages, mounted under ``/stripe/pages``."""
    work: list[tuple[str, str, Work]] = [
        ("GET", "/checkout/{id}", checkout.show),
        ("POST", "/checkout/{id}", checkout.send),
        ("GET", "/authenticate/{id}", checkout.ask_bank),
        ("POST", "/authenticate/{id}", checkout.answer_bank),
        ("GET", "/portal/{id}", portal.show),
        ("POST", "/portal/{id}/card", portal.change_card),
        ("POST", "/portal/{id}/cancel", portal.cancel),
        ("POST", "/portal/{id}/keep", portal.keep),
        ("GET", "/invoice/{id}.pdf", invoice.pdf),
        ("GET", "/invoice/{id}", invoice.show),
        ("POST", "/invoice/{id}", invoice.pay),
    ]
    return [
        Route("/style.css", _style),
        *(Route(path, _endpoint(account, one), methods=[method]) for method, path, one in work),
    ]


def start_page(url: str) -> Callable[[Request], Awaitable[Response]]:
    """What a person sees at the root."""

    async def start(_request: Request) -> Response:
        return render(Page("start.html", {"url": url}))

    return start


async def _style(_request: Request) -> Response:
    return FileResponse(_FOLDER / "style.css", media_type="text/css")


def _endpoint(account: Account, work: Work) -> Callable[[Request], Awaitable[Response]]:
    def run(object_id: str, form: dict[str, str]) -> Page | Redirect | bytes:
        with account.store.lock:
            account.run_due(account.store.now())
            account.begin()
            try:
                with account.store.transaction():
                    return work(account, object_id, form)
            except StripeError as error:
                return Page("message.html", {"message": str(error)}, error.status)

    async def answer(request: Request) -> Response:
        form: dict[str, str] = {}
        if request.method == "POST":
            async with request.form(max_fields=20, max_part_size=10_000) as sent:
                form = {name: str(value).strip() for name, value in sent.items()}
        found = await run_in_threadpool(run, request.path_params["id"], form)
        if isinstance(found, Redirect):
            return RedirectResponse(found.url, 303)
        if isinstance(found, bytes):
            return Response(found, media_type="application/pdf")
        return render(found)

    return answer


def render(page: Page) -> Response:
    """As it goes to a browser."""
    text = _templates.get_template(page.template).render(page.values)
    return HTMLResponse(text, page.status, headers=_headers(page.values))


def _headers(values: dict[str, Any]) -> dict[str, str]:
    """Nothing but our own style sheet; a form may lead on to where the caller wants the customer back."""
    parts = urlsplit(values.get("leads_to") or "")
    onward = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self'{onward}"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
