"""Connections to marketplaces: the list, and the forms that make, change and end one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.core.errors import FieldError, ValidationFailedError
from app.core.ids import to_public
from app.modules.marketplace.contracts import AccessField
from app.modules.marketplace.enums import ActState
from app.modules.marketplace.models.connection import (
    LEAST_INTERVAL,
    MOST_INTERVAL,
    USUAL_INTERVAL,
    Connection,
)
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.models.outgoing_act import OutgoingAct
from app.modules.marketplace.services import connection_edit_service, connection_service
from app.modules.marketplace.services.connection_part_service import (
    CHECK_TONES,
    access_word,
    connector_name,
)
from app.modules.marketplace.services.connection_service import CONNECTION_PREFIX
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_MANAGE = "marketplace.connections.manage"
_F = "marketplace.connection_fields"
_NEVER = "never"


def _select(*_: object) -> Any:
    parked = select(func.count()).where(
        ExternalRecord.connection_id == Connection.id, ExternalRecord.fault.is_not(None)
    )
    refused = select(func.count()).where(
        OutgoingAct.connection_id == Connection.id, OutgoingAct.state == ActState.REFUSED
    )
    return select(
        *Connection.__table__.columns,
        parked.correlate(Connection).scalar_subquery().label("parked"),
        refused.correlate(Connection).scalar_subquery().label("refused"),
    )


mount_list(
    router,
    ListSpec(
        page_id="marketplace.vendor.connections",
        texts="marketplace.connections",
        select=_select,
        key=Connection.id,
        columns=(
            Column(
                "connector",
                f"{_F}.connector",
                value=lambda row: connector_name(row.connector),
                sort=Connection.connector,
                is_wide=True,
            ),
            Column(
                "is_on",
                f"{_F}.state",
                "badge",
                value=lambda row: "on" if row.is_on else "off",
                text_prefix="marketplace.connection_states",
                tones={"on": "success", "off": "neutral"},
            ),
            Column(
                "check",
                f"{_F}.check",
                "badge",
                value=lambda row: row.check_outcome or _NEVER,
                text_prefix="marketplace.check_words",
                tones=CHECK_TONES,
            ),
            Column("synced_at", f"{_F}.synced_at", "datetime", sort=Connection.synced_at),
            Column("parked", f"{_F}.parked", "number"),
            Column("refused", f"{_F}.refused", "number"),
            Column("failures", f"{_F}.failures", "number", is_default=False),
            Column("connected_at", f"{_F}.connected_at", "datetime", is_default=False),
        ),
        default_sort="connector",
        actions=(
            Link(
                "marketplace.external_orders.title",
                "marketplace.vendor.external_orders",
                "marketplace.connections.view",
                "inbox",
            ),
            Link("marketplace.acts.title", "marketplace.vendor.acts", "marketplace.connections.view", "send"),
            Link("marketplace.connections.new", "marketplace.vendor.new_connection", _MANAGE, "plus"),
        ),
        row_page="marketplace.vendor.connection",
        row_id="connection_id",
        prefix=CONNECTION_PREFIX,
        icon="plug",
        has_intro=True,
    ),
)


def _choices(ctx: PageContext) -> list[tuple[str, str]]:
    """The marketplaces that the vendor is not connected to yet."""
    taken = {one.connector for one in connection_service.list_connections(ctx.session)}
    there = connection_service.connectors(ctx.vendor.id).values()
    return [(one.code, one.name) for one in there if one.code not in taken]


_CHOICE = Field("connector", f"{_F}.connector", "radios", options=_choices)


def _asked(ctx: PageContext, one: AccessField, *, of: str = "", is_required: bool) -> Field:
    """A field of a connector's as forms have it; ``of``: the marketplace, where the form asks for several."""
    label = ctx.t(one.label_key) + (f" ({of})" if of else "")
    return Field(
        one.name,
        one.label_key,
        "password" if one.is_secret else "text",
        is_required=is_required,
        hint_key=one.hint_key,
        max_length=one.max_length,
        autocomplete="off",
        label=label,
    )


def _new_fields(ctx: PageContext) -> list[Field]:
    """The marketplace, and what each of them asks; what several ask under one name is asked once."""
    codes = [code for code, _ in _choices(ctx)]
    there = connection_service.connectors(ctx.vendor.id)
    found: dict[str, Field] = {}
    for one in (there[code] for code in codes):
        for asked in one.fields:
            of = one.name if len(codes) > 1 and asked.name not in found else ""
            is_required = asked.is_required and len(codes) == 1
            found[asked.name] = _asked(ctx, asked, of=of, is_required=is_required)
    return [_CHOICE, *found.values()]


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    row = connection_edit_service.create(
        ctx.session, ctx.vendor.id, values["connector"], values, by=ctx.who.user_id
    )
    return _url(ctx, row.id)


mount_form(
    router,
    FormSpec(
        "marketplace.vendor.new_connection",
        "marketplace.new_connection",
        _new_fields,
        _create,
        load=lambda ctx: {"connector": next((code for code, _ in _choices(ctx)), "")},
        back=lambda ctx: (ctx.url("marketplace.vendor.connections"), ctx.t("marketplace.connections.title")),
        has_intro=True,
    ),
)


def _own(ctx: PageContext) -> Connection:
    return connection_service.get_connection(
        ctx.session, public_id(CONNECTION_PREFIX, ctx.path["connection_id"])
    )


def _url(ctx: PageContext, key: UUID) -> str:
    return ctx.url("marketplace.vendor.connection", connection_id=to_public(CONNECTION_PREFIX, key))


def _back(ctx: PageContext) -> tuple[str, str]:
    row = _own(ctx)
    return _url(ctx, row.id), connector_name(row.connector)


def _access_fields(ctx: PageContext) -> list[Field]:
    asked = connection_edit_service.fields_of(_own(ctx))
    return [_asked(ctx, one, is_required=one.is_required) for one in asked]


def _shown_access(ctx: PageContext) -> Mapping[str, Any]:
    row = _own(ctx)
    access = connection_edit_service.access_of(ctx.session, row)
    open_names = [one.name for one in connection_edit_service.fields_of(row) if not one.is_secret]
    return {name: access.values.get(name, "") for name in open_names}


def _change_access(ctx: PageContext, values: Mapping[str, Any]) -> str:
    row = connection_edit_service.change_access(ctx.session, _own(ctx).id, values, by=ctx.who.user_id)
    return _url(ctx, row.id)


mount_form(
    router,
    FormSpec(
        "marketplace.vendor.connection_key",
        "marketplace.connection_key",
        _access_fields,
        _change_access,
        title=lambda ctx: ctx.t(f"marketplace.connection.{access_word(_own(ctx))}"),
        load=_shown_access,
        back=_back,
        has_intro=True,
    ),
)


def _seconds(text: str) -> int:
    if not text.isdigit() or not LEAST_INTERVAL <= int(text) <= MOST_INTERVAL:
        raise FieldProblem(
            "marketplace.connection_edit.interval_wrong", least=LEAST_INTERVAL, most=MOST_INTERVAL
        )
    return int(text)


def _change(ctx: PageContext, values: Mapping[str, Any]) -> str:
    row = connection_edit_service.change_interval(
        ctx.session,
        _own(ctx).id,
        values["interval_seconds"],
        version=values["version"],
        by=ctx.who.user_id,
    )
    return _url(ctx, row.id)


mount_form(
    router,
    FormSpec(
        "marketplace.vendor.connection_edit",
        "marketplace.connection_edit",
        (
            Field(
                "interval_seconds",
                f"{_F}.interval",
                hint_key="marketplace.connection_edit.interval_hint",
                clean=_seconds,
                attrs={"inputmode": "numeric", "placeholder": str(USUAL_INTERVAL)},
            ),
        ),
        _change,
        load=lambda ctx: {"interval_seconds": _own(ctx).interval_seconds, "version": _own(ctx).version},
        back=_back,
    ),
)


def _consequences(ctx: PageContext) -> list[Field]:
    """What is lost and what stays, with its numbers, and the box to tick."""
    found = connection_service.consequences(ctx.session, _own(ctx).id)
    numbers = {
        "records": found.records,
        "waiting": found.waiting_acts,
        "parked": found.parked,
        "open": found.open_orders,
    }
    notes = [
        Field(name, "", "note", label=ctx.t(f"marketplace.disconnect.{name}", **numbers))
        for name in ("orders", "acts", "key")
    ]
    return [*notes, Field("sure", "marketplace.disconnect.sure", "checkbox")]


def _leave(ctx: PageContext, values: Mapping[str, Any]) -> str:
    if not values["sure"]:
        fault = FieldError("sure", "required", "marketplace.disconnect.not_sure", {})
        raise ValidationFailedError("The box is not ticked.", errors=[fault])
    connection_edit_service.disconnect(ctx.session, _own(ctx).id, by=ctx.who.user_id)
    return ctx.url("marketplace.vendor.connections")


mount_form(
    router,
    FormSpec(
        "marketplace.vendor.disconnect",
        "marketplace.disconnect",
        _consequences,
        _leave,
        back=_back,
        is_danger=True,
        in_read_only=True,
    ),
)
