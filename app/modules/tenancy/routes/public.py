"""Sign-in and sign-out of admins and vendors."""

from typing import Annotated

from fastapi import Form, Response

from app.core import rate_limit
from app.core.errors import RateLimitedError
from app.modules.base import Area
from app.modules.pages import AREA_COOKIES, PageContext, local_path
from app.modules.routing import AreaRouter
from app.modules.tenancy.exceptions import NoAccessError, SignInLockedError, WrongCredentialsError
from app.modules.tenancy.services import session_service

router = AreaRouter("public")
_TRIES_PER_MINUTE = 30


def _form(ctx: PageContext, area: Area, next_url: str, email: str = "", error: str | None = None) -> Response:
    return ctx.render(
        "tenancy/public/sign_in.html",
        status=422 if error else 200,
        title=ctx.t(f"tenancy.sign_in.title_{area}"),
        sign_in_area=area,
        next_url=next_url,
        email=email,
        error=error,
    )


def _sign_in(ctx: PageContext, area: Area, email: str, password: str, next_url: str) -> Response:
    ip = ctx.request.client.host if ctx.request.client else None
    rate = rate_limit.hit(f"sign-in:{ip}", limit=_TRIES_PER_MINUTE, window_seconds=60)
    if not rate.allowed:
        raise RateLimitedError(retry_after=rate.retry_after)
    try:
        token = session_service.sign_in(
            ctx.session, area, email, password, ip=ip, user_agent=ctx.request.headers.get("user-agent")
        )
    except (WrongCredentialsError, SignInLockedError, NoAccessError) as error:
        return _form(ctx, area, next_url, email, ctx.t(error.message_key, **error.params))
    ctx.set_cookie(AREA_COOKIES[area], token, path=f"/{area}", max_age=30 * 24 * 3600)
    return ctx.redirect_to(local_path(next_url, f"/{area}"))


@router.page("tenancy.public.admin_sign_in")
def admin_sign_in(ctx: PageContext, next: str = "") -> Response:  # noqa: A002 - the name in the address
    """The form for admins."""
    return _form(ctx, "admin", next)


@router.page("tenancy.public.vendor_sign_in")
def vendor_sign_in(ctx: PageContext, next: str = "") -> Response:  # noqa: A002
    """The form for vendors."""
    return _form(ctx, "vendor", next)


@router.action("/admin/sign-in", permission=None)
def sign_in_admin(
    ctx: PageContext,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next_url: Annotated[str, Form()] = "",
) -> Response:
    """Sign an admin in."""
    return _sign_in(ctx, "admin", email, password, next_url)


@router.action("/vendor/sign-in", permission=None)
def sign_in_vendor(
    ctx: PageContext,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next_url: Annotated[str, Form()] = "",
) -> Response:
    """Sign a vendor's user in."""
    return _sign_in(ctx, "vendor", email, password, next_url)


def _sign_out(ctx: PageContext, area: Area) -> Response:
    token = ctx.request.cookies.get(AREA_COOKIES[area])
    if token:
        session_service.sign_out(ctx.session, token)
    ctx.set_cookie(AREA_COOKIES[area], "", path=f"/{area}", max_age=0)
    return ctx.redirect(f"tenancy.public.{area}_sign_in")


@router.action("/admin/sign-out", permission=None)
def sign_out_admin(ctx: PageContext) -> Response:
    """End the admin's session."""
    return _sign_out(ctx, "admin")


@router.action("/vendor/sign-out", permission=None)
def sign_out_vendor(ctx: PageContext) -> Response:
    """End the vendor user's session."""
    return _sign_out(ctx, "vendor")


@router.page("tenancy.public.places")
def places(ctx: PageContext) -> Response:
    """Where a vendor's user lands: in their only vendor, or at the choice between several."""
    token = ctx.request.cookies.get(AREA_COOKIES["vendor"])
    user = session_service.find_user_of(ctx.session, "vendor", token) if token else None
    if user is None:
        return ctx.redirect("tenancy.public.vendor_sign_in")
    found = session_service.list_places(ctx.session, user.id)
    if len(found) == 1:
        return ctx.redirect_to(f"/vendor/{found[0].code}")
    return ctx.render("tenancy/public/places.html", places=found)
