"""What mailed links lead to: a new password, an invitation; and the link by which an admin acts as a vendor's user."""

from typing import Annotated

from fastapi import Form, Response

from app.core.errors import RateLimitedError, ValidationFailedError
from app.core.rate_limit import hit
from app.modules.pagekit.form_page import field_texts
from app.modules.pages import AREA_COOKIES, PageContext
from app.modules.routing import AreaRouter
from app.modules.tenancy.exceptions import LinkExpiredError
from app.modules.tenancy.services import impersonation_service, invitation_service, password_service
from app.modules.tenancy.services.user_service import require_email

router = AreaRouter("public")
_MAILS_PER_MINUTE = 10


def _expired(ctx: PageContext) -> Response:
    ctx.flash("warning", "tenancy.links.expired")
    return ctx.redirect("tenancy.public.vendor_sign_in")


@router.page("tenancy.public.forgotten")
def forgotten(ctx: PageContext) -> Response:
    """Asks for the address of an account."""
    return ctx.render("tenancy/public/forgotten.html", errors={}, email="", is_sent=False)


@router.action("/forgotten-password", permission=None)
def request_reset(ctx: PageContext, email: Annotated[str, Form()] = "") -> Response:
    """Mail a link, and say the same whether or not somebody has the address."""
    ip = ctx.request.client.host if ctx.request.client else None
    rate = hit(f"forgotten:{ip}", limit=_MAILS_PER_MINUTE, window_seconds=60)
    if not rate.allowed:
        raise RateLimitedError(retry_after=rate.retry_after)
    try:
        require_email("email", email)
    except ValidationFailedError as error:
        errors = field_texts(ctx, error)
        return ctx.render(
            "tenancy/public/forgotten.html", status=422, errors=errors, email=email, is_sent=False
        )
    password_service.request_reset(ctx.session, email, ctx.language)
    return ctx.render("tenancy/public/forgotten.html", errors={}, email=email, is_sent=True)


@router.page("tenancy.public.reset")
def show_reset(ctx: PageContext, token: str = "") -> Response:
    """Asks for a new password."""
    try:
        user = password_service.find_user_of_reset(ctx.session, token)
    except LinkExpiredError:
        return _expired(ctx)
    return ctx.render("tenancy/public/reset.html", token=token, email=user.email, errors={})


@router.action("/reset-password", permission=None)
def reset_password(
    ctx: PageContext, token: Annotated[str, Form()] = "", password: Annotated[str, Form()] = ""
) -> Response:
    """Set it, once."""
    try:
        user = password_service.find_user_of_reset(ctx.session, token)
        password_service.reset_password(ctx.session, token, password)
    except LinkExpiredError:
        return _expired(ctx)
    except ValidationFailedError as error:
        errors = field_texts(ctx, error)
        return ctx.render(
            "tenancy/public/reset.html", status=422, token=token, email=user.email, errors=errors
        )
    ctx.flash("success", "tenancy.reset.done")
    return ctx.redirect("tenancy.public.vendor_sign_in")


@router.page("tenancy.public.invitation")
def show_invitation(ctx: PageContext, token: str = "") -> Response:
    """Who is invited where."""
    try:
        offer = invitation_service.find_offer(ctx.session, token)
    except LinkExpiredError:
        return _expired(ctx)
    return ctx.render("tenancy/public/invitation.html", token=token, offer=offer, name="", errors={})


@router.action("/invitation", permission=None)
def accept_invitation(
    ctx: PageContext,
    token: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """Join, with a new account or the one that the address has."""
    try:
        offer = invitation_service.find_offer(ctx.session, token)
        with ctx.session.begin_nested():
            invitation_service.accept(ctx.session, token, name=name, password=password)
    except LinkExpiredError:
        return _expired(ctx)
    except ValidationFailedError as error:
        return ctx.render(
            "tenancy/public/invitation.html",
            status=422,
            token=token,
            offer=offer,
            name=name,
            errors=field_texts(ctx, error),
        )
    ctx.flash("success", "tenancy.invitation.accepted", place=offer.place)
    return ctx.redirect(f"tenancy.public.{offer.area}_sign_in")


@router.page("tenancy.public.act_as")
def act_as(ctx: PageContext, token: str = "") -> Response:
    """Open a vendor's area as one of its users, by an admin's link that works once."""
    try:
        code, opened = impersonation_service.open_link(ctx.session, token)
    except LinkExpiredError:
        return _expired(ctx)
    seconds = int(impersonation_service.ACTING_FOR.total_seconds())
    ctx.set_cookie(AREA_COOKIES["vendor"], opened, path="/vendor", max_age=seconds)
    return ctx.redirect_to(f"/vendor/{code}")
