"""The own pages of a vendor's user: profile, password, second step, sessions."""

from typing import Annotated

from fastapi import Form, Response

from app.modules.pagekit.form_page import mount_form
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter
from app.modules.tenancy.services import profile_pages

router = AreaRouter("vendor")

mount_form(router, profile_pages.profile_form("tenancy.vendor.profile"))


@router.page("tenancy.vendor.security")
def security(ctx: PageContext) -> Response:
    """Password, second step and sessions."""
    return profile_pages.show_security(ctx)


@router.action("/profile/password", permission="tenancy.profile.view")
def change_password(
    ctx: PageContext,
    current_password: Annotated[str, Form()] = "",
    new_password: Annotated[str, Form()] = "",
) -> Response:
    """Set another password."""
    return profile_pages.change_password(ctx, current_password, new_password)


@router.page("tenancy.vendor.two_step")
def two_step(ctx: PageContext) -> Response:
    """How to switch the second step on."""
    return profile_pages.show_two_step(ctx)


@router.action("/profile/two-step", permission="tenancy.profile.view")
def confirm_two_step(ctx: PageContext, code: Annotated[str, Form()] = "") -> Response:
    """Switch it on with a first code."""
    return profile_pages.confirm_two_step(ctx, code)


@router.action("/profile/two-step/off", permission="tenancy.profile.view")
def disable_two_step(ctx: PageContext, off_password: Annotated[str, Form()] = "") -> Response:
    """Switch it off."""
    return profile_pages.disable_two_step(ctx, off_password)


@router.action("/profile/two-step/codes", permission="tenancy.profile.view")
def renew_codes(ctx: PageContext, codes_password: Annotated[str, Form()] = "") -> Response:
    """Make new recovery codes."""
    return profile_pages.renew_codes(ctx, codes_password)


@router.action("/profile/sessions/end", permission="tenancy.profile.view")
def end_session(ctx: PageContext, session_id: Annotated[str, Form()] = "") -> Response:
    """End one session."""
    return profile_pages.end_session(ctx, session_id)


@router.action("/profile/sessions/end-others", permission="tenancy.profile.view")
def end_other_sessions(ctx: PageContext) -> Response:
    """End all sessions but this one."""
    return profile_pages.end_other_sessions(ctx)
