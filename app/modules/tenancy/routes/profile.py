"""Somebody's own pages, the same for admins and vendors' users: profile, password, second step, sessions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import available_timezones

import segno
from fastapi import Form, Response
from sqlalchemy.orm import Session

from app.core.database import IdentityScope, acting_in
from app.core.errors import ConflictError, ValidationFailedError
from app.core.ids import to_public
from app.modules.base import Area
from app.modules.pagekit.form_page import field_texts, mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pages import AREA_COOKIES, LANGUAGE_COOKIE, THEME_COOKIE, THEMES, PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.exceptions import WrongCredentialsError
from app.modules.tenancy.services import (
    page_parts,
    password_service,
    profile_service,
    session_service,
    two_step_service,
    user_service,
)
from app.modules.tenancy.services.profile_service import Profile

router = AreaRouter("admin", "vendor")

_USE = "tenancy.{area}_profile.view"
_REGIONS = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


def _profile_form(area: Area) -> FormSpec:
    """Name, language, look, time zone and shortcuts of the reader."""
    return FormSpec(
        f"tenancy.{area}.profile",
        "tenancy.profile",
        (
            Field("name", "tenancy.fields.own_name", autocomplete="name"),
            Field(
                "language",
                "tenancy.fields.own_language",
                "select",
                is_required=False,
                hint_key="tenancy.profile.language_hint",
                options=page_parts.language_choices,
            ),
            Field(
                "theme",
                "tenancy.fields.theme",
                "select",
                is_required=False,
                options=[(name, f"ui.theme.{name}") for name in THEMES],
            ),
            Field("time_zone", "tenancy.fields.time_zone", "select", is_required=False, options=_time_zones),
            Field(
                "has_shortcuts",
                "tenancy.fields.has_shortcuts",
                "checkbox",
                hint_key="tenancy.profile.shortcuts",
            ),
        ),
        save=_save_profile,
        load=_load_profile,
        template="tenancy/profile/profile.html",
        in_read_only=True,
    )


def _time_zones(_ctx: PageContext) -> Sequence[tuple[str, ...]]:
    zones = sorted(name for name in available_timezones() if name.startswith(_REGIONS))
    return [(name, name.replace("_", " ")) for name in zones]


def _load_profile(ctx: PageContext) -> Mapping[str, Any]:
    with acting_in(ctx.session, IdentityScope()):
        user = user_service.get_user(ctx.session, ctx.who.user_id)
    return {
        "name": user.name,
        "language": user.language or "",
        "theme": user.theme or "",
        "time_zone": user.time_zone or "",
        "has_shortcuts": user.has_shortcuts,
        "version": user.version,
    }


def _save_profile(ctx: PageContext, values: Mapping[str, Any]) -> str:
    chosen = Profile(
        values["name"],
        values["language"] or None,
        values["theme"] or None,
        values["time_zone"] or None,
        values["has_shortcuts"],
    )
    with acting_in(ctx.session, IdentityScope()):
        profile_service.update_profile(ctx.session, ctx.who.user_id, chosen, version=values["version"])
    # What this browser remembers would win over the profile.
    for name, value in ((LANGUAGE_COOKIE, chosen.language), (THEME_COOKIE, chosen.theme)):
        if value is not None:
            ctx.set_cookie(name, value)
        elif name in ctx.request.cookies:
            ctx.set_cookie(name, "", max_age=0)
    return ctx.url(f"tenancy.{ctx.area}.profile")


mount_form(router, _profile_form)


@router.page("tenancy.{area}.security")
def security(ctx: PageContext) -> Response:
    """Password, second step and sessions."""
    return _show_security(ctx)


def _show_security(
    ctx: PageContext, *, status: int = 200, errors: Mapping[str, str] | None = None
) -> Response:
    key = ctx.who.user_id
    with acting_in(ctx.session, IdentityScope()):
        user = user_service.get_user(ctx.session, key)
        codes = two_step_service.count_recovery_codes(ctx.session, key)
        sessions = session_service.list_sessions(ctx.session, key)
    return ctx.render(
        "tenancy/profile/security.html",
        status=status,
        errors=errors or {},
        is_two_step_on=user.totp_confirmed_at is not None,
        codes_left=codes,
        sessions=[
            (
                to_public("ses", one.id),
                one,
                session_service.browser_name(one.user_agent),
                session_service.is_of_token(one, _token(ctx)),
            )
            for one in sessions
        ],
    )


@router.action("/profile/password", permission=_USE, in_read_only=True)
def change_password(
    ctx: PageContext,
    current_password: Annotated[str, Form()] = "",
    new_password: Annotated[str, Form()] = "",
) -> Response:
    """Set another password; all other sessions end."""

    def change(session: Session, user_id: UUID) -> None:
        password_service.change_password(session, user_id, current_password, new_password, token=_token(ctx))

    try:
        _as_user(ctx, change)
    except ValidationFailedError as error:
        texts = field_texts(ctx, error)
        errors = {"new_password" if name == "password" else name: text for name, text in texts.items()}
        return _show_security(ctx, status=422, errors=errors)
    return _back(ctx, "tenancy.security.password_changed")


@router.page("tenancy.{area}.two_step")
def two_step(ctx: PageContext) -> Response:
    """How to switch the second step on."""
    return _show_two_step(ctx)


def _show_two_step(
    ctx: PageContext, *, status: int = 200, errors: Mapping[str, str] | None = None
) -> Response:
    """The secret for the authenticator app, as a picture and as text, and the form for its first code."""
    try:
        with acting_in(ctx.session, IdentityScope()):
            enrolment = two_step_service.begin(ctx.session, ctx.who.user_id)
    except ConflictError:
        return ctx.redirect(f"tenancy.{ctx.area}.security")
    return ctx.render(
        "tenancy/profile/two_step.html",
        status=status,
        errors=errors or {},
        secret=" ".join(enrolment.secret[start : start + 4] for start in range(0, len(enrolment.secret), 4)),
        qr=segno.make(enrolment.uri).svg_data_uri(scale=5, border=2, light="#fff"),
    )


@router.action("/profile/two-step", permission=_USE, in_read_only=True)
def confirm_two_step(ctx: PageContext, code: Annotated[str, Form()] = "") -> Response:
    """Switch it on with a first code, and show the recovery codes, this once."""
    try:
        with acting_in(ctx.session, IdentityScope()):
            codes = two_step_service.confirm(ctx.session, ctx.who.user_id, code)
    except ValidationFailedError as error:
        return _show_two_step(ctx, status=422, errors=field_texts(ctx, error))
    return _show_codes(ctx, codes)


@router.action("/profile/two-step/off", permission=_USE, in_read_only=True)
def disable_two_step(ctx: PageContext, off_password: Annotated[str, Form()] = "") -> Response:
    """Switch it off."""
    return _with_password(
        ctx, "off_password", lambda session, key: two_step_service.disable(session, key, off_password)
    ) or _back(ctx, "tenancy.security.two_step_off")


@router.action("/profile/two-step/codes", permission=_USE, in_read_only=True)
def renew_codes(ctx: PageContext, codes_password: Annotated[str, Form()] = "") -> Response:
    """Make new recovery codes."""
    codes: list[str] = []

    def renew(session: Session, user_id: UUID) -> None:
        codes.extend(two_step_service.renew_recovery_codes(session, user_id, codes_password))

    return _with_password(ctx, "codes_password", renew) or _show_codes(ctx, codes)


@router.action("/profile/sessions/end", permission=_USE, in_read_only=True)
def end_session(ctx: PageContext, session_id: Annotated[str, Form()] = "") -> Response:
    """End one session."""
    key = public_id("ses", session_id)
    _as_user(ctx, lambda session, user_id: session_service.end_session(session, user_id, key))
    return _back(ctx, "tenancy.security.session_ended")


@router.action("/profile/sessions/end-others", permission=_USE, in_read_only=True)
def end_other_sessions(ctx: PageContext) -> Response:
    """End all sessions but this one."""
    token = _token(ctx)
    _as_user(ctx, lambda session, key: session_service.end_sessions(session, key, but_token=token))
    return _back(ctx, "tenancy.security.sessions_ended")


def _show_codes(ctx: PageContext, codes: Sequence[str]) -> Response:
    title = ctx.t("tenancy.two_step.codes_title")
    return ctx.render("tenancy/profile/recovery_codes.html", title=title, codes=codes)


def _with_password(ctx: PageContext, field: str, act: Callable[[Session, UUID], object]) -> Response | None:
    try:
        _as_user(ctx, act)
    except WrongCredentialsError:
        errors = {field: ctx.t("tenancy.errors.current_password")}
        return _show_security(ctx, status=422, errors=errors)
    return None


def _as_user(ctx: PageContext, act: Callable[[Session, UUID], object]) -> None:
    with acting_in(ctx.session, IdentityScope()):
        act(ctx.session, ctx.who.user_id)


def _back(ctx: PageContext, done_key: str) -> Response:
    ctx.flash("success", done_key)
    return ctx.redirect(f"tenancy.{ctx.area}.security")


def _token(ctx: PageContext) -> str:
    return ctx.request.cookies.get(AREA_COOKIES[ctx.area], "")
