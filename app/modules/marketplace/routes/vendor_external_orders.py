"""Orders as marketplaces say them, and what they are told: two lists, and the page of one order."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from fastapi import Response
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.core.errors import AppError, NotFoundError
from app.core.ids import to_public
from app.modules.marketplace.enums import ActKind, ActState
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.models.outgoing_act import OutgoingAct
from app.modules.marketplace.services import act_service, connection_edit_service
from app.modules.marketplace.services.connection_part_service import (
    ACT_PREFIX,
    ACT_TONES,
    RECORD_PREFIX,
    TELL,
    act_row,
    connector_name,
    differences,
    fault_text,
)
from app.modules.marketplace.services.connection_service import CONNECTION_PREFIX
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_MANAGE = "marketplace.connections.manage"
_F, _A = "marketplace.record_fields", "marketplace.act_fields"
_ORDER = "ord"
_STATE_TONES = {"parked": "danger", "open": "warning", "decided": "success"}
_STATES = {
    "parked": ExternalRecord.fault.is_not(None),
    "open": and_(ExternalRecord.is_open, ExternalRecord.fault.is_(None)),
    "decided": and_(~ExternalRecord.is_open, ExternalRecord.fault.is_(None)),
    "differs": ExternalRecord.drift.is_not(None),
}


def _state_of(row: Any) -> str:
    """Where an order of a marketplace is for us."""
    return "parked" if row.fault else "open" if row.is_open else "decided"


def _records(*_: object) -> Any:
    names = (
        "id",
        "number",
        "external_id",
        "order_id",
        "is_open",
        "fault",
        "revision",
        "attempts",
        "placed_at",
        "seen_at",
    )
    columns = [getattr(ExternalRecord, name) for name in names]
    return select(*columns, Connection.connector).join(
        Connection, Connection.id == ExternalRecord.connection_id
    )


def _connectors(ctx: PageContext) -> list[tuple[str, str]]:
    codes = ctx.session.scalars(select(Connection.connector).order_by(Connection.connector))
    return [(code, connector_name(code)) for code in codes]


def _each(act: Any) -> Any:
    """One after the other, each whole or not at all."""

    def apply(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
        failed = {}
        for key in ids:
            try:
                with session.begin_nested():
                    act(session, key)
            except AppError as error:
                failed[key] = error.message_key
        return BulkOutcome(len(ids) - len(failed), failed)

    return apply


def _of_connectors(values: Sequence[str]) -> ColumnElement[bool]:
    return Connection.connector.in_(values)


mount_list(
    router,
    ListSpec(
        page_id="marketplace.vendor.external_orders",
        texts="marketplace.external_orders",
        select=_records,
        key=ExternalRecord.id,
        columns=(
            Column("number", f"{_F}.number", "code", is_wide=True),
            Column("connector", f"{_F}.marketplace", value=lambda row: connector_name(row.connector)),
            Column(
                "state",
                f"{_F}.state",
                "badge",
                _state_of,
                text_prefix="marketplace.record_states",
                tones=_STATE_TONES,
            ),
            Column("placed_at", f"{_F}.placed_at", "datetime", sort=ExternalRecord.placed_at),
            Column("seen_at", f"{_F}.seen_at", "datetime", sort=ExternalRecord.seen_at),
            Column("revision", f"{_F}.revision", "number"),
            Column("attempts", f"{_F}.attempts", "number", is_default=False),
            Column("external_id", f"{_F}.external_id", "code", is_default=False),
        ),
        default_sort="-seen_at",
        search=lambda words: or_(
            *(
                column.istartswith(words, autoescape=True)
                for column in (ExternalRecord.number, ExternalRecord.external_id)
            )
        ),
        filters=(
            Filter(
                "state",
                f"{_F}.state",
                lambda values: or_(*(_STATES[value] for value in values)),
                options=[(name, f"marketplace.record_states.{name}") for name in _STATES],
            ),
            Filter("marketplace", f"{_F}.marketplace", _of_connectors, options=_connectors),
        ),
        bulk=(
            BulkAction(
                "retry",
                "marketplace.external_order.retry",
                _MANAGE,
                _each(connection_edit_service.retry_record),
                icon="rotate-cw",
            ),
        ),
        views=(
            View("parked", "marketplace.record_states.parked", "state=parked"),
            View("open", "marketplace.record_states.open", "state=open"),
            View("differs", "marketplace.record_states.differs", "state=differs"),
        ),
        row_page="marketplace.vendor.external_order",
        row_id="record_id",
        prefix=RECORD_PREFIX,
        icon="inbox",
        has_intro=True,
    ),
)


def _acts(*_: object) -> Any:
    names = ("id", "kind", "state", "attempts", "due_at", "done_at", "last_error", "created_at", "record_id")
    columns = [getattr(OutgoingAct, name) for name in names]
    return (
        select(*columns, ExternalRecord.number, Connection.connector)
        .join(ExternalRecord, ExternalRecord.id == OutgoingAct.record_id)
        .join(Connection, Connection.id == OutgoingAct.connection_id)
    )


mount_list(
    router,
    ListSpec(
        page_id="marketplace.vendor.acts",
        texts="marketplace.acts",
        select=_acts,
        key=OutgoingAct.id,
        columns=(
            Column("kind", f"{_A}.kind", text_prefix="marketplace.act_kinds", is_wide=True),
            Column("number", f"{_A}.order", "code"),
            Column("connector", f"{_A}.marketplace", value=lambda row: connector_name(row.connector)),
            Column("state", f"{_A}.state", "badge", text_prefix="marketplace.act_states", tones=ACT_TONES),
            Column("created_at", f"{_A}.created_at", "datetime", sort=OutgoingAct.id),
            Column("attempts", f"{_A}.attempts", "number"),
            Column("due_at", f"{_A}.due_at", "datetime", is_default=False),
            Column("done_at", f"{_A}.done_at", "datetime"),
            Column("last_error", f"{_A}.error"),
        ),
        default_sort="-created_at",
        search=lambda words: ExternalRecord.number.istartswith(words, autoescape=True),
        filters=(
            Filter(
                "state",
                f"{_A}.state",
                lambda values: OutgoingAct.state.in_(values),
                options=[(one.value, f"marketplace.act_states.{one}") for one in ActState],
            ),
            Filter(
                "kind",
                f"{_A}.kind",
                lambda values: OutgoingAct.kind.in_(values),
                options=[(one.value, f"marketplace.act_kinds.{one}") for one in ActKind],
            ),
            Filter("marketplace", f"{_A}.marketplace", _of_connectors, options=_connectors),
        ),
        bulk=(
            BulkAction(
                "retry", "marketplace.acts.retry", _MANAGE, _each(act_service.retry_act), icon="rotate-cw"
            ),
        ),
        views=(
            View("waiting", "marketplace.act_states.waiting", "state=waiting"),
            View("refused", "marketplace.act_states.refused", "state=refused"),
        ),
        prefix=ACT_PREFIX,
        icon="send",
        has_intro=True,
        is_running=lambda row: row.state == ActState.WAITING,
    ),
)


def _own(ctx: PageContext, public: str) -> ExternalRecord:
    found = ctx.session.get(ExternalRecord, public_id(RECORD_PREFIX, public))
    if found is None:
        raise NotFoundError
    return found


@router.page("marketplace.vendor.external_order")
def external_order(ctx: PageContext, record_id: str) -> Response:
    """One order as the marketplace said it last: its pieces, what was told back, and all that was sent."""
    row = _own(ctx, record_id)
    connection = ctx.session.get_one(Connection, row.connection_id)
    state = _state_of(row)
    here = ctx.url("marketplace.vendor.external_order", record_id=record_id)
    may_see_orders = "orders.orders.view" in ctx.who.permissions
    actions = []
    if row.order_id and may_see_orders:
        url = ctx.url("orders.vendor.order", order_id=to_public(_ORDER, row.order_id))
        actions.append(
            Action(ctx.t("marketplace.external_order.open"), url, "shopping-cart", "primary", is_post=False)
        )
    elif row.fault and _MANAGE in ctx.who.permissions:
        actions.append(
            Action(ctx.t("marketplace.external_order.retry"), f"{here}/retry", "rotate-cw", "primary")
        )
    notice = None
    if row.fault:
        words = [fault_text(ctx, row.fault), row.fault_detail]
        notice = ("warning", " ".join(word for word in words if word))
    return show_detail(
        ctx,
        Detail(
            row.id,
            ctx.t("marketplace.external_order.of", number=row.number),
            _blocks(ctx, row, connection, may_see_orders=may_see_orders),
            subtitle=connector_name(connection.connector),
            back=(ctx.url("marketplace.vendor.external_orders"), ctx.t("marketplace.external_orders.title")),
            badges=[(_STATE_TONES[state], ctx.t(f"marketplace.record_states.{state}"))],
            actions=actions,
            target=record_id,
            notice=notice,
        ),
    )


def _blocks(
    ctx: PageContext, row: ExternalRecord, connection: Connection, *, may_see_orders: bool
) -> list[Block]:
    acts = ctx.session.scalars(
        select(OutgoingAct).where(OutgoingAct.record_id == row.id).order_by(OutgoingAct.id)
    ).all()
    here = ctx.url("marketplace.vendor.connection", connection_id=to_public(CONNECTION_PREFIX, connection.id))
    facts = [
        Fact(ctx.t(f"{_F}.marketplace"), connector_name(connection.connector), url=here),
        Fact(ctx.t(f"{_F}.external_id"), row.external_id, "code"),
        Fact(ctx.t(f"{_F}.placed_at"), row.placed_at, "datetime"),
        Fact(ctx.t(f"{_F}.seen_at"), row.seen_at, "datetime"),
        Fact(ctx.t(f"{_F}.revision"), row.revision, "number"),
        Fact(ctx.t(f"{_F}.attempts"), row.attempts, "number"),
    ]
    units = [Fact(key, ctx.t(f"marketplace.unit_states.{state}")) for key, state in row.units.items()]
    blocks = [
        Block("units", ctx.t("marketplace.external_order.units"), units, order=10),
        Block("facts", ctx.t("marketplace.external_order.facts"), facts, column="side", order=10),
    ]
    if row.drift:
        title = ctx.t("marketplace.differences.title")
        template = "marketplace/vendor/record_differences.html"
        shown = {"differences": differences(ctx, row)}
        blocks.append(Block("differences", title, template=template, context=shown, order=5, is_flush=True))
    if acts:
        context = {
            "rows": [act_row(ctx, act, row.number) for act in acts],
            "may": _MANAGE in ctx.who.permissions,
            "all_url": None,
        }
        title = ctx.t("marketplace.acts.title")
        template = "marketplace/vendor/connection_acts.html"
        blocks.append(Block("acts", title, template=template, context=context, order=20, is_flush=True))
    if may_see_orders:  # it has the buyer's name and address
        said = orjson.dumps(row.payload, option=orjson.OPT_INDENT_2).decode()
        title = ctx.t("marketplace.external_order.payload")
        template = "marketplace/vendor/payload.html"
        blocks.append(Block("payload", title, template=template, context={"text": said}, order=30))
    return blocks


@router.action("/connections/orders/{record_id}/retry", permission=_MANAGE)
def retry_record(ctx: PageContext, record_id: str) -> Response:
    """Try to place the order again, as it was said last."""
    row = _own(ctx, record_id)
    connection_edit_service.retry_record(ctx.session, row.id, by=ctx.who.user_id)
    ctx.flash("success", "marketplace.external_order.retrying")
    return ctx.redirect("marketplace.vendor.external_order", record_id=record_id)


@router.action("/connections/orders/{record_id}/tell-again", permission=TELL)
def tell_again(ctx: PageContext, record_id: str) -> Response:
    """Tell the marketplace what it says otherwise of the order's pieces."""
    count = connection_edit_service.tell_again(ctx.session, _own(ctx, record_id).id, by=ctx.who.user_id)
    ctx.flash(
        "success" if count else "info", f"marketplace.differences.{'telling' if count else 'told_already'}"
    )
    return ctx.redirect("marketplace.vendor.external_order", record_id=record_id)


@router.action("/connections/messages/{act_id}/retry", permission=_MANAGE)
def retry_act(ctx: PageContext, act_id: str) -> Response:
    """Tell the marketplace once more."""
    key = public_id(ACT_PREFIX, act_id)
    act = ctx.session.get(OutgoingAct, key)
    if act is None:
        raise NotFoundError
    act_service.retry_act(ctx.session, key)
    ctx.flash("success", "marketplace.acts.retrying")
    return ctx.redirect(
        "marketplace.vendor.external_order", record_id=to_public(RECORD_PREFIX, act.record_id)
    )
