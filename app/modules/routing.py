"""Doors over HTTP: modules register page functions and actions; the framework resolves who and where, opens the
unit of work, checks module, permission and form token, and mounts everything that definitions declare."""

import inspect
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Annotated, Any
from uuid import UUID

from fastapi import FastAPI, Form, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session

from app.core import security
from app.core.config import get_settings
from app.core.database import IdentityScope, Scope, unit_of_work
from app.core.errors import ConfigurationError, ForbiddenError, NotFoundError, UnauthenticatedError
from app.core.ids import from_public
from app.core.keys import get_keys
from app.core.logging import bind
from app.modules import entitlements, gates
from app.modules.base import Area, ModuleDefinition, PageDef
from app.modules.menu import AREA_ROOTS, is_hidden, pages
from app.modules.pages import AREA_COOKIES, CSRF_COOKIE, IDENTITY, PageContext, language_of, theme_of
from app.modules.principal import Principal
from app.modules.registry import modules
from app.modules.state import is_enabled, is_enabled_anywhere, look_up, one_view
from app.modules.webhook_doors import WebhookRouter

PageFunction = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class Door:
    """One registered function: a page by its id, or an action with path and permission of its own."""

    area: Area
    function: PageFunction
    method: str
    page_id: str | None
    path: str | None
    permission: str | None
    max_body_bytes: int | None
    in_read_only: bool = False


class AreaRouter:
    """Collects doors of a module; stands as ``router`` in ``routes/<area>.py``, or in a file named after its subject
    when it serves several areas: then ``{area}`` in ids of pages and permissions stands for each of them."""

    def __init__(self, *areas: Area) -> None:
        self.areas = areas
        self.doors: list[Door] = []

    def within(self, area: Area) -> "AreaRouter":
        """A router for one of the areas; its doors are this one's."""
        one = AreaRouter(area)
        one.doors = self.doors
        return one

    def declared(self, page_id: str) -> PageDef:
        """The page of this id, as its module declares it. Raises ConfigurationError when none does."""
        module = modules().get(page_id.partition(".")[0])
        found = next((page for page in module.pages if page.id == page_id), None) if module else None
        if found is None:
            raise ConfigurationError(f"{page_id!r} is no page that its module declares.")
        return found

    def page(self, page_id: str) -> Callable[[PageFunction], PageFunction]:
        """Register the function that shows a page declared in the definition (GET)."""

        def register(function: PageFunction) -> PageFunction:
            self.doors += [
                Door(area, function, "GET", page_id.format(area=area), None, None, None)
                for area in self.areas
            ]
            return function

        return register

    def action(
        self,
        path: str,
        *,
        permission: str | None,
        method: str = "POST",
        max_body_bytes: int | None = None,
        in_read_only: bool = False,
    ) -> Callable[[PageFunction], PageFunction]:
        """Register what a form or download does. POST needs the form token; ``permission`` None is for the public
        area only. ``max_body_bytes`` raises the usual limit of the request body. ``in_read_only``: a vendor may do it
        also when its subscription has ended, for what takes data away or ends something."""

        def register(function: PageFunction) -> PageFunction:
            for area in self.areas:
                asked = permission and permission.format(area=area)
                self.doors.append(
                    Door(area, function, method, None, path, asked, max_body_bytes, in_read_only)
                )
            return function

        return register


def mount_modules(app: FastAPI) -> None:
    """Mount every installed module's doors. What is off for a request's platforms answers 404."""
    found = list(doors())
    without = sorted(pages().keys() - {door.page_id for _, door in found})
    if without:
        raise ConfigurationError(
            f"These pages are declared but no function shows them: {', '.join(without)}."
        )
    # The first fitting address answers, so words go before placeholders: /products/export before /products/{id}.
    for module, door in sorted(found, key=lambda pair: _wildness(pair[1])):
        _mount(app, module, door)


def doors() -> Iterator[tuple[ModuleDefinition, Door]]:
    """What the installed modules registered: pages and actions."""
    for module in modules().values():
        for name in module.routes:
            if name.partition("_")[0] == "api":
                continue  # operations, see api/serving.py
            router = import_module(f"{module.package}.routes.{name}").router
            if isinstance(router, WebhookRouter):
                continue  # messages of other systems, see webhook_doors.py
            for door in router.doors:
                yield module, door


def _wildness(door: Door) -> list[bool]:
    page = pages().get(door.page_id or "")
    path = AREA_ROOTS[door.area] + ((page.path if page else door.path) or "")
    return [part.startswith("{") for part in path.split("/")]


def _mount(app: FastAPI, module: ModuleDefinition, door: Door) -> None:
    page, area = None, door.area
    if door.page_id:
        page = pages().get(door.page_id)
        if page is None or page.module_code != module.code or page.area != area:
            raise ConfigurationError(
                f"{door.function.__qualname__} shows page {door.page_id!r}, which {module.code} does not declare "
                f"in the area {area}."
            )
        door = replace(door, path=page.path, permission=page.permission)
    if door.permission is None and area != "public":
        raise ConfigurationError(
            f"{module.package}: {door.function.__qualname__} needs a permission; only public doors go without."
        )
    app.router.add_api_route(
        (AREA_ROOTS[area] + (door.path or "")) or "/",
        _endpoint(module, door, page),
        methods=["GET", "HEAD"] if door.method == "GET" else [door.method],
        name=door.page_id or f"{module.code}.{door.function.__name__}",
        include_in_schema=False,
        response_model=None,
        route_class_override=_for_signed_in(area) if area in AREA_COOKIES else None,
        max_body_size=door.max_body_bytes or get_settings().max_body_bytes,
    )


def _for_signed_in(area: Area) -> type[APIRoute]:
    """A route that does not read the body of somebody without a session cookie."""
    cookie = AREA_COOKIES[area]

    class SignedInRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def checked(request: Request) -> Response:
                if cookie not in request.cookies:
                    raise UnauthenticatedError
                return await handle(request)

            return checked

    return SignedInRoute


def _endpoint(module: ModuleDefinition, door: Door, page: PageDef | None) -> Callable[..., Response]:
    """The function FastAPI calls, in one thread hop: resolve, open the unit of work, run, render, commit."""
    area = door.area
    signature = inspect.signature(door.function, eval_str=True)
    takes_form = door.method == "POST"

    @one_view()
    def endpoint(request: Request, csrf_token: str = "", **values: Any) -> Response:
        nonce = request.cookies.get(CSRF_COOKIE) or security.new_token(16)
        token = csrf_token or request.headers.get("x-csrf-token", "")
        if takes_form and not security.check_csrf(token, nonce, get_keys(get_settings())):
            raise ForbiddenError(
                "The form is too old. Open the page again.", message_key="errors.core.form_expired"
            )
        principal = None if area == "public" else _resolve(area, request)
        if principal:
            _check(principal, module, door, page)
        elif not is_enabled_anywhere(module.code):
            raise NotFoundError
        scope: Scope = principal.scope if principal else IdentityScope()
        look_up(principal.vendor.id if principal and principal.vendor else None)
        with unit_of_work(scope) as session:
            if principal and principal.vendor:
                _check_plan(session, principal.vendor.id, door, page)
            context = PageContext(
                request=request,
                session=session,
                area=area,
                principal=principal,
                page=page,
                language=language_of(request, principal.language if principal else None),
                theme=theme_of(request, principal.theme if principal else None),
                csrf_nonce=nonce,
            )
            return door.function(context, **values)

    parameters = [parameter for name, parameter in signature.parameters.items() if name != "ctx"]
    extra = [inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)]
    if takes_form:
        extra.append(
            inspect.Parameter(
                "csrf_token", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[str, Form()], default=""
            )
        )
    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    endpoint.__signature__ = inspect.Signature([*extra, *keyword_only])  # type: ignore[attr-defined]
    return endpoint


def _resolve(area: Area, request: Request) -> Principal:
    token = request.cookies.get(AREA_COOKIES[area])
    if not token:
        raise UnauthenticatedError
    principal = IDENTITY.one()(area, token, request.path_params.get("vendor_code"))
    bind(
        user_id=str(principal.user_id),
        **({"vendor_id": str(principal.vendor.id)} if principal.vendor else {}),
    )
    return principal


def _check(principal: Principal, module: ModuleDefinition, door: Door, page: PageDef | None) -> None:
    if not is_enabled(module.code, principal.platform_ids):
        raise NotFoundError
    if page and is_hidden(page, principal.platform_ids):
        raise NotFoundError
    if door.permission not in principal.permissions:
        raise ForbiddenError


def _check_plan(session: Session, vendor_id: UUID, door: Door, page: PageDef | None) -> None:
    """Raise PlanError for what the vendor's subscription or plan does not allow."""
    if door.method != "GET" and not door.in_read_only:
        gates.require_open(session, vendor_id)
    if page and page.feature:
        entitlements.require(session, vendor_id, page.feature)


def public_id(prefix: str, text: str) -> UUID:
    """The key behind a public id in an address; NotFoundError when it is none."""
    key = from_public(prefix, text)
    if key is None:
        raise NotFoundError
    return key
