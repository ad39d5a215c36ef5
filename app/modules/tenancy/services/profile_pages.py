"""What somebody's own pages show and do, the same for admins and vendors' users: profile, sign-in, second step."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import segno
from fastapi import Response
from sqlalchemy.orm import Session

from app.core.database import IdentityScope, acting_in
from app.core.errors import ConflictError, ValidationFailedError
from app.core.ids import to_public
from app.modules.pagekit.form_page import field_texts
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pages import AREA_COOKIES, LANGUAGE_COOKIE, THEME_COOKIE, THEMES, PageContext
from app.modules.routing import public_id
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

_REGIONS = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


def profile_form(page_id: str) -> FormSpec:
    """Name, language, look, time zone and shortcuts of the reader."""
    return FormSpec(
        page_id,
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


def show_security(
    ctx: PageContext, *, status: int = 200, errors: Mapping[str, str] | None = None
) -> Response:
    """Password, second step and sessions of the reader."""
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


def change_password(ctx: PageContext, current: str, new: str) -> Response:
    """Set another password; all other sessions end."""

    def change(session: Session, user_id: UUID) -> None:
        password_service.change_password(session, user_id, current, new, token=_token(ctx))

    try:
        _as_user(ctx, change)
    except ValidationFailedError as error:
        texts = field_texts(ctx, error)
        errors = {"new_password" if name == "password" else name: text for name, text in texts.items()}
        return show_security(ctx, status=422, errors=errors)
    return _back(ctx, "tenancy.security.password_changed")


def show_two_step(
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


def confirm_two_step(ctx: PageContext, code: str) -> Response:
    """Switch the second step on and show the recovery codes, this once."""
    try:
        with acting_in(ctx.session, IdentityScope()):
            codes = two_step_service.confirm(ctx.session, ctx.who.user_id, code)
    except ValidationFailedError as error:
        return show_two_step(ctx, status=422, errors=field_texts(ctx, error))
    return _show_codes(ctx, codes)


def disable_two_step(ctx: PageContext, password: str) -> Response:
    """Switch the second step off, for the password."""
    return _with_password(
        ctx, "off_password", lambda session, key: two_step_service.disable(session, key, password)
    ) or _back(ctx, "tenancy.security.two_step_off")


def renew_codes(ctx: PageContext, password: str) -> Response:
    """New recovery codes, for the password."""
    codes: list[str] = []

    def renew(session: Session, user_id: UUID) -> None:
        codes.extend(two_step_service.renew_recovery_codes(session, user_id, password))

    return _with_password(ctx, "codes_password", renew) or _show_codes(ctx, codes)


def end_session(ctx: PageContext, session_id: str) -> Response:
    """End one of the reader's sessions."""
    key = public_id("ses", session_id)
    _as_user(ctx, lambda session, user_id: session_service.end_session(session, user_id, key))
    return _back(ctx, "tenancy.security.session_ended")


def end_other_sessions(ctx: PageContext) -> Response:
    """End all sessions of the reader but this one."""
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
        return show_security(ctx, status=422, errors=errors)
    return None


def _as_user(ctx: PageContext, act: Callable[[Session, UUID], object]) -> None:
    with acting_in(ctx.session, IdentityScope()):
        act(ctx.session, ctx.who.user_id)


def _back(ctx: PageContext, done_key: str) -> Response:
    ctx.flash("success", done_key)
    return ctx.redirect(f"tenancy.{ctx.area}.security")


def _token(ctx: PageContext) -> str:
    return ctx.request.cookies.get(AREA_COOKIES[ctx.area], "")
