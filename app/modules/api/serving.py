"""Mounting the API's operations: admission by key, parameters, one transaction, idempotency, headers."""

import inspect
from collections.abc import Callable, Coroutine, Iterator
from importlib import import_module
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy.orm.exc import StaleDataError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from app.core.config import get_settings
from app.core.database import unit_of_work
from app.core.errors import ConfigurationError, FieldError, TooLargeError
from app.core.logging import bind
from app.modules import idempotency
from app.modules.api import ROOT, ApiContext, ApiRouter, Fields, Operation, Page
from app.modules.api.answers import answer_to_read, chosen_fields
from app.modules.api.callers import Caller, admit
from app.modules.api.limits import limit_headers
from app.modules.api.pages import link_header
from app.modules.api.problems import (
    BadParameterError,
    KeyMissingError,
    StaleError,
    VersionMissingError,
    language_of_content,
)
from app.modules.api.reads import answer_quickly
from app.modules.base import ModuleDefinition
from app.modules.gates import require_open
from app.modules.idempotency import MAX_KEY_CHARACTERS, Act, Answer
from app.modules.registry import modules
from app.modules.state import look_up, one_view

_STORED_HEADERS = frozenset({"content-type", "location", "etag", "vary"})


def operations() -> dict[str, tuple[ModuleDefinition, Operation]]:
    """The operations of all installed modules by id, hot ones first. ConfigurationError for an id used twice."""
    found: dict[str, tuple[ModuleDefinition, Operation]] = {}
    for module, operation in _declared():
        name = f"{module.code.replace('-', '_')}_{operation.name}"
        if name in found:
            raise ConfigurationError(f"Two operations of the API are called {name}.")
        found[name] = (module, operation)
    return dict(sorted(found.items(), key=lambda entry: not entry[1][1].is_quick))


def _declared() -> Iterator[tuple[ModuleDefinition, Operation]]:
    for module in modules().values():
        for name in module.routes:
            if name.partition("_")[0] == "api":
                router: ApiRouter = import_module(f"{module.package}.routes.{name}").router
                for operation in router.operations:
                    yield module, operation


def api_router() -> APIRouter:
    """A router with every operation, for requests and for the description."""
    router = APIRouter()
    for name, (module, operation) in operations().items():
        declared = {permission.code for permission in module.permissions}
        if operation.permission not in declared:
            raise ConfigurationError(
                f"Operation {name} asks for {operation.permission!r}, which {module.code} does not declare."
            )
        doc = inspect.getdoc(operation.function) or ""
        summary, _, description = doc.partition("\n")
        router.add_api_route(
            operation.address,
            _endpoint(operation),
            methods=[operation.method],
            operation_id=name,
            summary=summary.rstrip("."),
            description=description.strip() or None,
            tags=[module.code],
            status_code=operation.status,
            response_model=operation.gives,
            route_class_override=_route_class(module.code, operation),
        )
    for address in {operation.address for _, operation in operations().values()}:
        methods = {one.method for _, one in operations().values() if one.address == address}
        router.routes.append(
            Route(address, _WrongMethod(", ".join(sorted(methods))), include_in_schema=False)
        )
    return router


class _WrongMethod:
    """Answers what no operation of an address takes, naming all methods it has."""

    def __init__(self, allowed: str) -> None:
        self.allowed = allowed

    async def __call__(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        raise HTTPException(405, headers={"Allow": self.allowed})


def mount_api(app: FastAPI) -> None:
    """Mount the API before everything else: a request for it passes no page's address."""
    app.router.routes.insert(0, Mount(ROOT, app=api_router()))


def _route_class(module_code: str, operation: Operation) -> type[APIRoute]:
    """A route that lets nobody in without a key, before it reads the body or looks at parameters."""
    names = operation.query_names

    def enter(request: Request) -> Response | None:
        with one_view():
            caller = admit(request, operation.area, module_code, operation.permission)
            unknown = request.query_params.keys() - names
            if unknown:
                raise _unknown(sorted(unknown))
            request.state.fields = chosen_fields(request, operation)
            request.state.caller = caller
            return answer_quickly(operation, request, caller) if operation.is_quick else None

    class AdmittedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def checked(request: Request) -> Response:
                answer = await run_in_threadpool(enter, request)
                if answer is None:
                    await _read_body(request)
                    return await handle(request)
                return answer

            return checked

    return AdmittedRoute


async def _read_body(request: Request) -> None:
    """Read the body with the limit of its size; FastAPI and the key of the act find it where Starlette keeps it."""
    limit, body = get_settings().max_body_bytes, bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLargeError
    request._body = bytes(body)


def _unknown(names: list[str]) -> BadParameterError:
    key = "errors.framework.unknown_parameter"
    return BadParameterError(errors=[FieldError(f"?{name}", "unknown", key, {}) for name in names])


def _endpoint(operation: Operation) -> Callable[..., Response]:
    """The function FastAPI calls, in a thread: open the unit of work, do it once, commit."""
    signature = inspect.signature(operation.function, eval_str=True)

    def endpoint(request: Request, **values: Any) -> Response:
        caller: Caller = request.state.caller
        values.pop("idempotency_key", None)
        values.pop("if_match", None)
        values.pop("if_none_match", None)
        values.pop("fields", None)
        _bind(caller)
        if operation.needs_version and "if-match" not in request.headers:
            raise VersionMissingError
        try:
            with one_view():
                look_up(caller.vendor_id)
                language = language_of_content(request, caller.principal)
                with unit_of_work(caller.principal.scope) as session:
                    ctx = ApiContext(request, session, caller.principal, caller.key_id, language)
                    return _once(operation, ctx, caller, values)
        except StaleDataError:
            raise StaleError from None

    skipped = ("ctx", "language") if operation.is_quick else ("ctx",)
    kept = [parameter for name, parameter in signature.parameters.items() if name.lstrip("_") not in skipped]
    kept += [inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)]
    kept += _documented(operation)
    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in kept]
    endpoint.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]
    return endpoint


def _documented(operation: Operation) -> list[inspect.Parameter]:
    """What is looked at outside of the operation's function."""
    found: dict[str, Any] = {}
    if operation.takes_key:
        text = "A name of the caller's for this act: sent again, it is answered as before."
        found["idempotency_key"] = Annotated[str | None, Header(description=text)]
    if operation.needs_version:
        text = 'The ETag of the version to change, or "*".'
        found["if_match"] = Annotated[str | None, Header(description=text)]
    if operation.is_read:
        text = "ETags of answers that the caller has: 304 if one holds."
        found["if_none_match"] = Annotated[str | None, Header(description=text)]
        if operation.query_model is None:
            found["fields"] = Annotated[Fields, Query()]
    kind = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, kind, annotation=one, default=None) for name, one in found.items()]


def _bind(caller: Caller) -> None:
    vendor_id = caller.vendor_id
    bind(
        user_id=str(caller.principal.user_id),
        api_key_id=str(caller.key_id),
        **({"vendor_id": str(vendor_id)} if vendor_id else {}),
    )


def _once(operation: Operation, ctx: ApiContext, caller: Caller, values: dict[str, Any]) -> Response:
    act = _act(operation, ctx, caller)
    if act is None:
        return _do(operation, ctx, values)
    stored = idempotency.begin(ctx.session, act)
    if stored is not None:
        headers = {**stored.headers, **limit_headers(ctx.request), "Idempotency-Replayed": "true"}
        return Response(stored.body, stored.status, headers)
    response = _do(operation, ctx, values)
    kept = {name: value for name, value in response.headers.items() if name in _STORED_HEADERS}
    idempotency.finish(ctx.session, act, Answer(response.status_code, kept, bytes(response.body)))
    return response


def _do(operation: Operation, ctx: ApiContext, values: dict[str, Any]) -> Response:
    """Raises ReadOnlyError for a write of a vendor whose subscription has ended."""
    if operation.method != "GET" and ctx.principal.vendor and not operation.in_read_only:
        require_open(ctx.session, ctx.principal.vendor.id)
    return _answer(operation, ctx, operation.function(ctx, **values))


def _act(operation: Operation, ctx: ApiContext, caller: Caller) -> Act | None:
    """What is to be done once; None where the caller gave it no name. Raises KeyMissingError, BadParameterError."""
    sent = ctx.request.headers.get("idempotency-key") if operation.takes_key else None
    if sent is None:
        if operation.needs_key:
            raise KeyMissingError
        return None
    key = sent.strip()
    key = key[1:-1] if len(key) > 1 and key.startswith('"') and key.endswith('"') else key
    if not 0 < len(key) <= MAX_KEY_CHARACTERS:
        raise BadParameterError(
            errors=[FieldError("?Idempotency-Key", "length", "errors.framework.key_length", {})]
        )
    route = f"{operation.method} {ctx.request.url.path}"
    body: bytes = ctx.request._body
    content = body + ctx.request.headers.get("if-match", "").encode()
    return Act(caller.vendor_id, caller.key_id, route, key, content)


def _answer(operation: Operation, ctx: ApiContext, given: Any) -> Response:
    headers = {**ctx.headers, **limit_headers(ctx.request), "Vary": "Accept-Language"}
    if given is None:
        return Response(None, operation.status, headers)
    assert isinstance(given, BaseModel)
    if isinstance(given, Page):
        headers |= link_header(ctx.request, given.next_cursor, given.prev_cursor)
    version = getattr(given, "version", None)
    if operation.is_read:
        return answer_to_read(ctx.request, given.model_dump_json().encode(), version, headers)
    if version is not None:
        headers["ETag"] = f'"{version}"'
    return Response(given.model_dump_json(), operation.status, headers, "application/json")
