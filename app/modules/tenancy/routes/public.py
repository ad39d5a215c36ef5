"""Sign-in and sign-out of admins and vendors."""

from typing import Annotated

from fastapi import Form, Response

from app.core import rate_limit
from app.core.errors import RateLimitedError
from app.core.ids import to_public
from app.modules.base import Area
from app.modules.pages import AREA_COOKIES, PageContext, local_path
from app.modules.routing import AreaRouter
from app.modules.tenancy.exceptions import (
    LinkExpiredError,
    NoAccessError,
    SignInLockedError,
    WrongCodeError,
    WrongCredentialsError,
)
from app.modules.tenancy.services import impersonation_service, session_service
from app.modules.tenancy.services.session_service import Browser

router = AreaRouter("public")
_TRIES_PER_MINUTE = 30
_MONTH_SECONDS = 30 * 24 * 3600
_STEP_COOKIE = "wm_step"


def _browser(ctx: PageContext) -> Browser:
    ip = ctx.request.client.host if ctx.request.client else None
    rate = rate_limit.hit(f"sign-in:{ip}", limit=_TRIES_PER_MINUTE, window_seconds=60)
    if not rate.allowed:
        raise RateLimitedError(retry_after=rate.retry_after)
    return Browser(ip, ctx.request.headers.get("user-agent"))


def _form(ctx: PageContext, area: Area, next_url: str, email: str = "", error: str | None = None) -> Response:
    return ctx.render(
        "tenancy/public/sign_in.html",
        status=422 if error else 200,
        title=ctx.t(f"tenancy.pages.{area}_sign_in"),
        sign_in_area=area,
        next_url=next_url,
        email=email,
        error=error,
    )


def _step_form(ctx: PageContext, area: Area, next_url: str, error: str | None = None) -> Response:
    if _STEP_COOKIE not in ctx.request.cookies:
        return ctx.redirect(f"tenancy.public.{area}_sign_in", next=next_url)
    return ctx.render(
        "tenancy/public/second_step.html",
        status=422 if error else 200,
        title=ctx.t(f"tenancy.pages.{area}_second_step"),
        sign_in_area=area,
        next_url=next_url,
        error=error,
    )


def _sign_in(ctx: PageContext, area: Area, email: str, password: str, next_url: str) -> Response:
    browser = _browser(ctx)
    try:
        signed = session_service.sign_in(ctx.session, area, email, password, browser)
    except (WrongCredentialsError, SignInLockedError, NoAccessError) as error:
        return _form(ctx, area, next_url, email, ctx.t(error.message_key, **error.params))
    if signed.challenge is not None:
        seconds = session_service.CHALLENGE_SECONDS
        ctx.set_cookie(_STEP_COOKIE, signed.challenge, path=f"/{area}", max_age=seconds)
        return ctx.redirect(f"tenancy.public.{area}_second_step", next=next_url)
    return _enter(ctx, area, signed.token or "", next_url)


def _enter(ctx: PageContext, area: Area, token: str, next_url: str) -> Response:
    ctx.set_cookie(AREA_COOKIES[area], token, path=f"/{area}", max_age=_MONTH_SECONDS)
    return ctx.redirect_to(local_path(next_url, f"/{area}"))


def _second_step(ctx: PageContext, area: Area, code: str, next_url: str) -> Response:
    challenge = ctx.request.cookies.get(_STEP_COOKIE, "")
    browser = _browser(ctx)
    try:
        token = session_service.second_step(ctx.session, area, challenge, code, browser)
    except (WrongCodeError, SignInLockedError) as error:
        return _step_form(ctx, area, next_url, ctx.t(error.message_key, **error.params))
    except LinkExpiredError:
        ctx.flash("warning", "tenancy.second_step.too_late")
        return ctx.redirect(f"tenancy.public.{area}_sign_in", next=next_url)
    ctx.set_cookie(_STEP_COOKIE, "", path=f"/{area}", max_age=0)
    return _enter(ctx, area, token, next_url)


@router.page("tenancy.public.admin_sign_in")
def admin_sign_in(ctx: PageContext, next: str = "") -> Response:  # noqa: A002 - the name in the address
    """The form for admins."""
    return _form(ctx, "admin", next)


@router.page("tenancy.public.vendor_sign_in")
def vendor_sign_in(ctx: PageContext, next: str = "") -> Response:  # noqa: A002
    """The form for vendors."""
    return _form(ctx, "vendor", next)


@router.page("tenancy.public.admin_second_step")
def admin_second_step(ctx: PageContext, next: str = "") -> Response:  # noqa: A002
    """Asks admins for a code."""
    return _step_form(ctx, "admin", next)


@router.page("tenancy.public.vendor_second_step")
def vendor_second_step(ctx: PageContext, next: str = "") -> Response:  # noqa: A002
    """Asks vendors' users for a code."""
    return _step_form(ctx, "vendor", next)


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


@router.action("/admin/sign-in/code", permission=None)
def check_admin_code(
    ctx: PageContext, code: Annotated[str, Form()] = "", next_url: Annotated[str, Form()] = ""
) -> Response:
    """Take an admin's code."""
    return _second_step(ctx, "admin", code, next_url)


@router.action("/vendor/sign-in/code", permission=None)
def check_vendor_code(
    ctx: PageContext, code: Annotated[str, Form()] = "", next_url: Annotated[str, Form()] = ""
) -> Response:
    """Take the code of a vendor's user."""
    return _second_step(ctx, "vendor", code, next_url)


def _sign_out(ctx: PageContext, area: Area) -> Response:
    token = ctx.request.cookies.get(AREA_COOKIES[area], "")
    ctx.set_cookie(AREA_COOKIES[area], "", path=f"/{area}", max_age=0)
    acted_in = impersonation_service.end(ctx.session, token)
    if acted_in is not None:
        return ctx.redirect("tenancy.admin.vendor", vendor_id=to_public("vnd", acted_in))
    session_service.sign_out(ctx.session, token)
    return ctx.redirect(f"tenancy.public.{area}_sign_in")


@router.action("/admin/sign-out", permission=None)
def sign_out_admin(ctx: PageContext) -> Response:
    """End the admin's session."""
    return _sign_out(ctx, "admin")


@router.action("/vendor/sign-out", permission=None)
def sign_out_vendor(ctx: PageContext) -> Response:
    """End the vendor user's session; an admin who acted as them is back at the vendor's page."""
    return _sign_out(ctx, "vendor")


@router.page("tenancy.public.places")
def places(ctx: PageContext) -> Response:
    """Where a vendor's user lands: in their only vendor, or at the choice between several."""
    token = ctx.request.cookies.get(AREA_COOKIES["vendor"])
    found = session_service.find_session(ctx.session, "vendor", token) if token else None
    if found is None:
        return ctx.redirect("tenancy.public.vendor_sign_in")
    held, user = found
    offered = session_service.list_places(ctx.session, user.id, held.acting_vendor_id)
    if len(offered) == 1:
        return ctx.redirect_to(f"/vendor/{offered[0].code}")
    return ctx.render("tenancy/public/places.html", places=offered)
