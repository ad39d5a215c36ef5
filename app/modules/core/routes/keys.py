"""API keys, a vendor's or an admin's own: the list, the form of a new key, and a key, which is shown once."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import structlog
from fastapi import Response
from sqlalchemy import ColumnElement, Select, case, false, func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import IdentityScope
from app.core.errors import ValidationFailedError
from app.core.ids import new_id, to_public
from app.modules import idempotency, menu
from app.modules.base import Area
from app.modules.core.models.api_key import ApiKey
from app.modules.core.services import api_key_service
from app.modules.core.services.api_key_service import PREFIX, KeyInput
from app.modules.core.services.reach_service import vendor_of
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import FormValues, field_texts, show_form
from app.modules.pagekit.forms import Field, FormSpec, read_form
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.registry import modules
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import user_names

router = AreaRouter("admin", "vendor")

_MANAGE = "core.{area}_api_keys.manage"
_TONES = {"active": "success", "expired": "warning", "revoked": "neutral"}
_STATES = tuple((name, f"core.api_keys.state.{name}") for name in _TONES)


def _state() -> ColumnElement[str]:
    return case(
        (ApiKey.revoked_at.is_not(None), "revoked"),
        (ApiKey.expires_at <= func.now(), "expired"),
        else_="active",
    )


def _key_list(area: Area) -> ListSpec:
    """The keys of the vendor, or the admin's own."""
    return ListSpec(
        f"core.{area}.api_keys",
        "core.api_keys",
        _select_keys,
        ApiKey.id,
        columns=(
            Column("name", "core.api_keys.name", sort=ApiKey.name, is_wide=True),
            Column("start", "core.api_keys.start", "code"),
            Column("state", "core.api_keys.state", "badge", text_prefix="core.api_keys.state", tones=_TONES),
            Column("last_used_at", "core.api_keys.last_used_at", "datetime", sort=ApiKey.last_used_at),
            Column("expires_at", "core.api_keys.expires_at", "date", sort=ApiKey.expires_at),
            Column("created_at", "core.api_keys.created_at", "date", sort=ApiKey.created_at),
        ),
        default_sort="-created_at",
        search=lambda words: ApiKey.name.icontains(words, autoescape=True),
        filters=(
            Filter("state", "core.api_keys.state", lambda chosen: _state().in_(chosen), options=_STATES),
        ),
        actions=(Link("core.api_keys.add", f"core.{area}.api_key_new", _MANAGE.format(area=area), "plus"),),
        row_page=f"core.{area}.api_key",
        row_id="api_key_id",
        prefix=PREFIX,
        icon="key",
        has_intro=True,
        scope=IdentityScope(),
    )


def _select_keys(session: Session, _language: str) -> Select[Any]:
    names = ("id", "name", "start", "last_used_at", "expires_at", "created_at")
    columns = [getattr(ApiKey, name) for name in names]
    return select(*columns, _state().label("state")).where(_own(session))


def _own(session: Session) -> ColumnElement[bool]:
    vendor_id = vendor_of(session)
    if vendor_id is not None:
        return ApiKey.vendor_id == vendor_id
    reader = structlog.contextvars.get_contextvars().get("user_id")
    return ApiKey.user_id == UUID(reader) if reader else false()


mount_list(router, _key_list)


def _new_form(area: Area) -> FormSpec:
    """The form of a new key; sent to ``make_key``."""
    return FormSpec(
        f"core.{area}.api_key_new",
        "core.api_key_new",
        _FIELDS,
        save=lambda ctx, _values: ctx.url(f"core.{area}.api_keys"),
        back=lambda ctx: (ctx.url(f"core.{area}.api_keys"), ctx.t("core.pages.api_keys")),
        has_intro=True,
    )


def _permission_options(ctx: PageContext) -> Sequence[tuple[str, ...]]:
    return [
        (one.code, f"{module.name}: {ctx.t(one.label_key)}")
        for module in modules().values()
        for one in module.permissions
        if one.area == ctx.area and one.code in ctx.who.permissions
    ]


_FIELDS = (
    Field("name", "core.api_keys.name", hint_key="core.api_keys.name_hint", max_length=100),
    Field(
        "scopes",
        "core.api_keys.scopes",
        "checkboxes",
        hint_key="core.api_keys.scopes_hint",
        options=_permission_options,
    ),
    Field(
        "networks",
        "core.api_keys.networks",
        "textarea",
        is_required=False,
        hint_key="core.api_keys.networks_hint",
        max_length=1000,
    ),
    Field(
        "expires_at",
        "core.api_keys.expires_at",
        "date",
        is_required=False,
        hint_key="core.api_keys.expires_at_hint",
    ),
)


@router.page("core.{area}.api_key_new")
def new_key(ctx: PageContext) -> Response:
    """The form."""
    return show_form(ctx, _new_form(ctx.area))


@router.action("/api-keys/new", permission=_MANAGE)
def make_key(ctx: PageContext, form: FormValues) -> Response:
    """Make the key and show it, this once; a form sent twice leads to the key without it."""
    spec = _new_form(ctx.area)
    values, typed, errors = read_form(ctx, _FIELDS, form)
    token = str(form.get("form_token") or new_id())
    if errors:
        return show_form(ctx, spec, typed=typed, errors=errors, status=422, form_token=token)
    try:
        with ctx.session.begin_nested():
            before = idempotency.once(ctx, token)
            if before is not None:
                return ctx.redirect_to(before)
            made = api_key_service.create_key(ctx.session, ctx.who, _wanted(values))
            idempotency.keep(ctx, token, _url(ctx, made.id))
    except ValidationFailedError as error:
        return show_form(ctx, spec, typed=typed, errors=field_texts(ctx, error), status=422)
    return _show_key(ctx, made.id, token=made.token)


def _wanted(values: Mapping[str, Any]) -> KeyInput:
    day = values["expires_at"]
    ends = datetime.combine(day, time(), UTC) + timedelta(days=1) if day and day.year < 9000 else None
    return KeyInput(values["name"], values["scopes"], values["networks"].split(), ends)


@router.page("core.{area}.api_key")
def key(ctx: PageContext, api_key_id: str) -> Response:
    """One key."""
    return _show_key(ctx, public_id(PREFIX, api_key_id))


@router.action("/api-keys/{api_key_id}/revoke", permission=_MANAGE, in_read_only=True)
def revoke(ctx: PageContext, api_key_id: str) -> Response:
    """End a key."""
    api_key_service.revoke_key(ctx.session, ctx.who, public_id(PREFIX, api_key_id))
    ctx.flash("success", "core.api_keys.revoked")
    return ctx.redirect(f"core.{ctx.area}.api_key", api_key_id=api_key_id)


def _url(ctx: PageContext, key_id: UUID) -> str:
    return ctx.url(f"core.{ctx.area}.api_key", api_key_id=to_public(PREFIX, key_id))


def _show_key(ctx: PageContext, key_id: UUID, *, token: str | None = None) -> Response:
    ctx.page = menu.pages()[f"core.{ctx.area}.api_key"]
    key = api_key_service.get_key(ctx.session, ctx.who, key_id)
    state = _state_of(key)
    texts = {one.code: ctx.t(one.label_key) for module in modules().values() for one in module.permissions}
    names = user_names(ctx.session, [key.created_by] if key.created_by else [])
    facts = (
        Fact(ctx.t("core.api_keys.start"), f"{key.start}…", "code"),
        Fact(ctx.t("core.api_keys.networks"), ", ".join(key.networks) or ctx.t("core.api_keys.anywhere")),
        Fact(ctx.t("core.api_keys.last_used_at"), key.last_used_at, "datetime"),
        Fact(ctx.t("core.api_keys.expires_at"), key.expires_at, "datetime"),
        Fact(ctx.t("core.api_keys.created_at"), key.created_at, "datetime"),
        Fact(ctx.t("core.api_keys.created_by"), names.get(key.created_by) if key.created_by else None),
    )
    blocks = [
        Block("facts", ctx.t("core.api_keys.facts"), facts, column="side"),
        Block(
            "scopes",
            ctx.t("core.api_keys.scopes"),
            template="core/api_key_scopes.html",
            context={"scopes": [(code, texts.get(code, code)) for code in key.scopes]},
        ),
    ]
    if token:
        blocks.append(_token_block(ctx, token))
    revoke = Action(
        ctx.t("core.api_keys.revoke"),
        f"{_url(ctx, key.id)}/revoke",
        "trash-2",
        "danger",
        confirm=ctx.t("core.api_keys.revoke_confirm"),
    )
    return show_detail(
        ctx,
        Detail(
            key.id,
            key.name,
            blocks,
            back=(ctx.url(f"core.{ctx.area}.api_keys"), ctx.t("core.pages.api_keys")),
            badges=[(_TONES[state], ctx.t(f"core.api_keys.state.{state}"))],
            actions=(revoke,) if key.revoked_at is None else (),
            target=to_public(PREFIX, key.id),
        ),
    )


def _token_block(ctx: PageContext, token: str) -> Block:
    return Block(
        "token",
        ctx.t("core.api_keys.token"),
        template="core/api_key_token.html",
        context={"token": token},
        column="full",
        order=5,
    )


def _state_of(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= clock.system_now() else "active"
