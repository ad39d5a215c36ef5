"""The web application: middleware, errors as pages or problem+json, static files, health and metrics."""

import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.telemetry import TelemetryConfig
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import logging
from app.core.config import get_settings
from app.core.database import engine
from app.core.errors import AppError, UnauthenticatedError, UnavailableError, ValidationFailedError
from app.core.i18n import has_message, translate
from app.core.ids import new_id
from app.core.keys import get_keys
from app.core.observability import count_request
from app.core.roles import refuse_powerful_role
from app.core.templating import render
from app.core.tracing import begin_trace, report_error, start_tracing, tracer_provider
from app.modules.api.docs import mount_api_docs
from app.modules.api.problems import from_validation, problem
from app.modules.api.serving import mount_api
from app.modules.gates import PlanError
from app.modules.menu import page_url
from app.modules.observability import mount_health
from app.modules.pages import base_context, environment, language_of, static_roots, theme_of
from app.modules.routing import mount_modules
from app.modules.webhook_doors import mount_webhook_doors

log = structlog.get_logger(__name__)

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_READING = ("GET", "HEAD")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def create_app() -> FastAPI:
    """The application with every installed module mounted.

    Refuses to start without keys, and under a database role that could get round row-level security.
    """
    settings = get_settings()
    logging.configure_logging(settings, "web")
    start_tracing(settings, "web")
    get_keys(settings)
    with engine().connect() as connection:
        refuse_powerful_role(connection)
    app = FastAPI(
        title="Wizamart",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry=_telemetry(),
        lifespan=_limit_threads,
    )
    environment()
    for name, folder in static_roots().items():
        app.mount(f"/static/{name}", StaticFiles(directory=folder))
    mount_health(app)
    mount_webhook_doors(app)  # first: routes are tried in turn, and of messages there are many
    mount_modules(app)
    mount_api(app)
    mount_api_docs(app)
    app.add_middleware(_Serving)
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(OperationalError, _on_database_error)
    app.add_exception_handler(PoolTimeoutError, _on_database_error)
    app.add_exception_handler(RequestValidationError, _on_request_error)
    return app


@asynccontextmanager
async def _limit_threads(_app: FastAPI) -> AsyncIterator[None]:
    """Work at as many requests at once as there are connections for them: the others wait for their turn before they
    hold anything, in the order in which they came."""
    to_thread.current_default_thread_limiter().total_tokens = get_settings().database_pool_size
    yield


def _telemetry() -> TelemetryConfig:
    """Spans of requests where traces are sent, and nothing else of what the web framework could tell."""
    provider = tracer_provider()
    if provider is None:
        return {"tracing": False, "metrics": False, "logs": False}
    return {"tracer_provider": provider, "metrics": False, "logs": False, "operation_spans": False}


def area_of(path: str) -> str:
    """The front end a path belongs to, for metrics and error pages."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return first if first in ("admin", "vendor", "api", "static", "health", "metrics") else "public"


class _Serving:
    """Ids, time, headers; and the last net under unexpected errors. Plain ASGI: it costs a request next to nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        given = request.headers.get("x-request-id", "")
        request.state.request_id = given if _REQUEST_ID.fullmatch(given) else str(new_id())
        logging.clear()
        trace_id = begin_trace(request.headers.get("traceparent"))
        logging.bind(request_id=request.state.request_id, trace_id=trace_id)
        started = time.perf_counter()
        area = area_of(scope["path"])
        status = 0

        async def send_dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _dress(MutableHeaders(scope=message), request, area)
            await send(message)

        try:
            await self.app(scope, receive, send_dressed)
        except Exception as error:
            log.exception("request_failed", path=request.url.path)
            report_error(error, area=area, request_id=request.state.request_id)
            if status:
                raise
            await _error_response(request, 500, "core.error", None)(scope, receive, send_dressed)
        finally:
            count_request(area, request.method, status or 500, time.perf_counter() - started)


def _dress(headers: MutableHeaders, request: Request, area: str) -> None:
    headers["X-Request-ID"] = request.state.request_id
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if area == "static":
        headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if "v" in request.query_params else "no-cache"
        )
    else:
        headers.setdefault("Cache-Control", "no-store")


async def _on_app_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    if (
        isinstance(error, UnauthenticatedError)
        and area_of(request.url.path) in ("admin", "vendor")
        and request.method in _READING
    ):
        came_for = quote(str(request.url.replace(scheme="", netloc="")), safe="/")
        return RedirectResponse(f"/{area_of(request.url.path)}/sign-in?next={came_for}", status_code=303)
    if error.status >= 500:
        log.error("request_error", code=error.code, detail=error.detail)
    return _error_response(request, error.status, error.code, error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "core.not_found", 405: "core.method_not_allowed", 413: "core.too_large"}.get(
        error.status_code, "core.error"
    )
    return _error_response(request, error.status_code, code, None, error.headers)


async def _on_database_error(request: Request, error: Exception) -> Response:
    log.error("database_error", error=str(error))
    return _error_response(request, 503, UnavailableError.code, UnavailableError())


async def _on_request_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if area_of(request.url.path) != "api":
        return _error_response(request, 422, ValidationFailedError.code, None)
    found = from_validation(error.errors())
    return _error_response(request, found.status, found.code, found)


def _error_response(
    request: Request,
    status: int,
    code: str,
    error: AppError | None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    if error and "retry_after" in error.params:
        headers = {**(headers or {}), "Retry-After": str(error.params["retry_after"])}
    area = area_of(request.url.path)
    if area == "api":
        return problem(request, status, code, error, headers)
    language = language_of(request)
    params = error.params if error else {}
    title = _text(language, f"errors.{code}.title", HTTPStatus(status).phrase, params)
    key = error.message_key if error else f"errors.{code}"
    detail = _text(language, key, error.detail if error else "", params)
    context = {
        **base_context(request, language, theme_of(request)),
        "page": {"id": "error", "title": title},
        "shell": None,
        "csrf_token": "",
        "error": {
            "title": title,
            "text": detail,
            "data_note": translate(language, "ui.error.nothing_saved")
            if request.method not in _READING
            else None,
            **_way_on(request, language, error),
        },
    }
    return HTMLResponse(render(environment(), "error.html", context), status, headers)


def _way_on(request: Request, language: str, error: AppError | None) -> dict[str, str]:
    """The button of an error page: to the plan where that is what stands in the way, else to the start page."""
    if isinstance(error, PlanError) and error.page_id and "vendor_code" in request.path_params:
        url = page_url(error.page_id, vendor_code=request.path_params["vendor_code"])
        return {"action_url": url, "action_label": translate(language, "ui.error.plan")}
    area = area_of(request.url.path)
    url = f"/{area}" if area in ("admin", "vendor") else "/"
    return {"action_url": url, "action_label": translate(language, "ui.error.home")}


def _text(language: str, key: str, fallback: str, params: dict[str, Any]) -> str:
    return (
        translate(language, key, **params)
        if has_message(language, key) or has_message("en", key)
        else fallback
    )
