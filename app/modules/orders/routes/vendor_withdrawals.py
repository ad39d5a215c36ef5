"""Withdrawals: the inbox with its clock, one notice and what is done with it, and writing one down."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Form, Response
from sqlalchemy import ColumnElement, Select, select

from app.core import clock
from app.core.errors import ValidationFailedError
from app.core.ids import to_public
from app.modules.orders.contracts import By
from app.modules.orders.enums import RefundMethod, Source, WithdrawalSource, WithdrawalStatus
from app.modules.orders.exceptions import OrdersException
from app.modules.orders.models.order import Order
from app.modules.orders.models.withdrawal import Withdrawal
from app.modules.orders.services import order_reads, withdrawal_service
from app.modules.orders.services.order_page_service import EDIT, REFUND
from app.modules.orders.services.withdrawal_service import PERIOD, PREFIX, Notice
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")
_T = "orders.withdrawals"
_WAITS = (WithdrawalStatus.OPEN, WithdrawalStatus.APPROVED, WithdrawalStatus.RECEIVED)
_TONES: Mapping[str, str] = {
    WithdrawalStatus.OPEN: "warning",
    WithdrawalStatus.APPROVED: "info",
    WithdrawalStatus.RECEIVED: "info",
    WithdrawalStatus.REFUNDED: "success",
    WithdrawalStatus.REFUSED: "neutral",
}


def _select(*_: object) -> Select[Any]:
    columns: tuple[Any, ...] = (
        Withdrawal.id,
        Withdrawal.number,
        Withdrawal.status,
        Withdrawal.source,
        Withdrawal.received_at,
        (Withdrawal.received_at + PERIOD).label("refund_until"),
        Withdrawal.goods_received_at,
        Order.number.label("order_number"),
        order_reads.BUYER_NAME.label("buyer_name"),
    )
    return select(*columns).join(Order, Order.id == Withdrawal.order_id)


def _late(_chosen: object) -> ColumnElement[bool]:
    # The last day counts whole.
    return Withdrawal.status.in_(_WAITS) & (Withdrawal.received_at < clock.now() - PERIOD - timedelta(days=1))


mount_list(
    router,
    ListSpec(
        page_id="orders.vendor.withdrawals",
        texts=_T,
        select=_select,
        key=Withdrawal.id,
        columns=(
            Column("number", "orders.fields.number", "code", sort=Withdrawal.number),
            Column("buyer_name", "orders.fields.buyer", is_wide=True),
            Column("received_at", f"{_T}.received_at", "datetime", sort=Withdrawal.received_at),
            Column("refund_until", f"{_T}.refund_until", "date"),
            Column("status", "orders.fields.status", "badge", text_prefix=f"{_T}.status", tones=_TONES),
            Column("source", f"{_T}.source", text_prefix=f"{_T}.sources", is_default=False),
            Column("goods_received_at", f"{_T}.goods_received_at", "datetime", is_default=False),
        ),
        default_sort="received_at",
        search=lambda words: Withdrawal.order_id.in_(select(Order.id).where(order_reads.matching(words))),
        filters=(
            Filter(
                "status",
                "orders.fields.status",
                lambda values: Withdrawal.status.in_(values),
                options=[(one.value, f"{_T}.status.{one}") for one in WithdrawalStatus],
            ),
            Filter("due", f"{_T}.refund_until", _late, options=[("over", f"{_T}.over")]),
        ),
        views=(
            View("waiting", f"{_T}.waiting", "status=open&status=approved&status=received"),
            View("over", f"{_T}.over", "due=over"),
        ),
        row_page="orders.vendor.withdrawal",
        row_id="withdrawal_id",
        prefix=PREFIX,
        icon="undo-2",
        has_intro=True,
    ),
)


@router.page("orders.vendor.withdrawal")
def withdrawal(ctx: PageContext, withdrawal_id: str) -> Response:
    """One notice: what goes back, until when the money must, and what is done next."""
    row = withdrawal_service.get_withdrawal(ctx.session, public_id(PREFIX, withdrawal_id))
    order = order_reads.get_order_view(ctx.session, row.order_id)
    titles = {line.id: line.title for line in order.lines}
    goods = [
        Fact(titles[key], quantity, "number")
        for key, quantity in withdrawal_service.quantities_of(ctx.session, row.id).items()
    ]
    about = [
        Fact(
            ctx.t("orders.pages.order"),
            order.order.number,
            url=ctx.url("orders.vendor.order", order_id=order.public_id),
        ),
        Fact(ctx.t("orders.fields.buyer"), order.buyer.name),
        Fact(ctx.t(f"{_T}.source"), ctx.t(f"{_T}.sources.{row.source}")),
        Fact(ctx.t(f"{_T}.received_at"), row.received_at, "datetime"),
        Fact(ctx.t(f"{_T}.refund_until"), withdrawal_service.refund_until(row, ctx.time_zone), "date"),
        Fact(ctx.t(f"{_T}.goods_received_at"), row.goods_received_at, "datetime"),
    ]
    blocks = [
        Block("goods", ctx.t("orders.page.lines"), goods, order=10),
        Block("about", ctx.t("orders.shipments.about"), about, column="side", order=10),
    ]
    texts = (("message", row.message), ("refusal", row.refusal))
    blocks += [Block(name, ctx.t(f"{_T}.{name}"), text=text, order=20) for name, text in texts if text]
    actions = _actions(ctx, row)
    return show_detail(
        ctx,
        Detail(
            row.id,
            ctx.t(f"{_T}.title", number=row.number),
            blocks,
            back=(ctx.url("orders.vendor.withdrawals"), ctx.t("orders.pages.withdrawals")),
            badges=((_TONES[row.status], ctx.t(f"{_T}.status.{row.status}")),),
            actions=actions[:1],
            more=actions[1:],
            target=withdrawal_id,
            notice=_notice(ctx, row, is_in_time=withdrawal_service.is_in_time(order.order, row)),
            raw=row,
        ),
    )


def _notice(ctx: PageContext, row: Withdrawal, *, is_in_time: bool) -> tuple[str, str] | None:
    if row.status not in _WAITS:
        return None
    if row.status == WithdrawalStatus.OPEN and not is_in_time:
        return "warning", ctx.t(f"{_T}.too_late")
    last_day = withdrawal_service.refund_until(row, ctx.time_zone)
    days = (last_day - clock.today(ctx.time_zone)).days
    return ("danger", ctx.t(f"{_T}.is_over")) if days < 0 else ("info", ctx.t(f"{_T}.days_left", days=days))


def _actions(ctx: PageContext, row: Withdrawal) -> list[Action]:
    key = to_public(PREFIX, row.id)
    here, found = ctx.url("orders.vendor.withdrawal", withdrawal_id=key), []
    if row.status == WithdrawalStatus.OPEN and EDIT in ctx.who.permissions:
        found.append(Action(ctx.t(f"{_T}.act.approve"), f"{here}/approve", "check", "primary"))
        refuse = ctx.url("orders.vendor.refuse_withdrawal", withdrawal_id=key)
        found.append(Action(ctx.t(f"{_T}.act.refuse"), refuse, "ban", is_post=False))
    if row.status == WithdrawalStatus.APPROVED and EDIT in ctx.who.permissions:
        found.append(Action(ctx.t(f"{_T}.act.restock"), f"{here}/goods?to=stock", "rotate-cw", "primary"))
        found.append(Action(ctx.t(f"{_T}.act.receive"), f"{here}/goods?to=aside", "rotate-cw"))
    if row.status in (WithdrawalStatus.APPROVED, WithdrawalStatus.RECEIVED) and REFUND in ctx.who.permissions:
        confirm = ctx.t(f"{_T}.refund_confirm")
        refund = Action(ctx.t(f"{_T}.act.refund"), f"{here}/refund", "undo-2", "primary", confirm=confirm)
        found.append(refund)
    return found


@router.action("/orders/withdrawals/{withdrawal_id}/approve", permission=EDIT)
def approve(ctx: PageContext, withdrawal_id: str) -> Response:
    """Agree."""
    withdrawal_service.approve(ctx.session, public_id(PREFIX, withdrawal_id), _by(ctx))
    return _done(ctx, withdrawal_id)


@router.action("/orders/withdrawals/{withdrawal_id}/goods", permission=EDIT)
def receive_goods(ctx: PageContext, withdrawal_id: str, to: str = "aside") -> Response:
    """The goods are back, on the shelf or put aside."""
    key = public_id(PREFIX, withdrawal_id)
    withdrawal_service.receive_goods(ctx.session, key, _by(ctx), is_restocked=to == "stock")
    return _done(ctx, withdrawal_id)


@router.action("/orders/withdrawals/{withdrawal_id}/refund", permission=REFUND)
def refund(ctx: PageContext, withdrawal_id: str, method: Annotated[str, Form()] = "original") -> Response:
    """Give the money back."""
    chosen = RefundMethod(method) if method in list(RefundMethod) else RefundMethod.ORIGINAL
    withdrawal_service.refund_withdrawal(ctx.session, public_id(PREFIX, withdrawal_id), chosen, _by(ctx))
    return _done(ctx, withdrawal_id)


def _by(ctx: PageContext) -> By:
    return By(Source.USER, ctx.who.user_id)


def _done(ctx: PageContext, withdrawal_id: str) -> Response:
    ctx.flash("success", "orders.done.decided")
    return ctx.redirect("orders.vendor.withdrawal", withdrawal_id=withdrawal_id)


def _refuse(ctx: PageContext, values: Mapping[str, Any]) -> str:
    key = ctx.path["withdrawal_id"]
    withdrawal_service.refuse(ctx.session, public_id(PREFIX, key), values["reason"], _by(ctx))
    return ctx.url("orders.vendor.withdrawal", withdrawal_id=key)


def _number(ctx: PageContext) -> str:
    return withdrawal_service.get_withdrawal(ctx.session, public_id(PREFIX, ctx.path["withdrawal_id"])).number


mount_form(
    router,
    FormSpec(
        "orders.vendor.refuse_withdrawal",
        "orders.refuse_withdrawal",
        (Field("reason", "orders.forms.reason", "textarea", max_length=500),),
        _refuse,
        back=lambda ctx: (
            ctx.url("orders.vendor.withdrawal", withdrawal_id=ctx.path["withdrawal_id"]),
            _number(ctx),
        ),
        has_intro=True,
        is_danger=True,
    ),
)


def _asked(ctx: PageContext) -> dict[int, tuple[UUID, str, int]]:
    """By position: line, title, and how many can come back."""
    view = order_reads.get_order_view(ctx.session, public_id(order_reads.PREFIX, ctx.path["order_id"]))
    left = withdrawal_service.returnable(ctx.session, view.order.id)
    return {
        line.position: (line.id, line.title, left[line.id]) for line in view.lines if left.get(line.id, 0) > 0
    }


def _fields(ctx: PageContext) -> list[Field]:
    fields = [
        Field(
            f"line_{position}",
            "orders.lines.quantity",
            "number",
            is_required=False,
            max_length=9,
            label=ctx.t(f"{_T}.of_line", title=title, left=left),
            attrs={"inputmode": "numeric"},
            section_key="orders.forms.lines" if index == 0 else None,
        )
        for index, (position, (_, title, left)) in enumerate(_asked(ctx).items())
    ]
    sources = [(one.value, f"{_T}.sources.{one}") for one in WithdrawalSource]
    return [
        *fields,
        Field("source", f"{_T}.source", "select", options=sources, section_key=f"{_T}.notice"),
        Field("received_on", f"{_T}.received_at", "date", hint_key=f"{_T}.received_hint"),
        Field("message", f"{_T}.message", "textarea", is_required=False, max_length=2000),
    ]


def _load(ctx: PageContext) -> Mapping[str, Any]:
    today = clock.now().astimezone(ZoneInfo(ctx.time_zone)).date()
    quantities = {f"line_{position}": left for position, (_, _, left) in _asked(ctx).items()}
    return {**quantities, "source": WithdrawalSource.EMAIL, "received_on": today}


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    wanted = [
        (line_id, values[f"line_{position}"] or 0)
        for position, (line_id, _, _) in _asked(ctx).items()
        if values[f"line_{position}"]
    ]
    began = datetime.combine(values["received_on"], time(), ZoneInfo(ctx.time_zone)).astimezone(UTC)
    notice = Notice(WithdrawalSource(values["source"]), began, values["message"] or None)
    order_id = public_id(order_reads.PREFIX, ctx.path["order_id"])
    try:
        row = withdrawal_service.note_withdrawal(ctx.session, order_id, wanted, notice, _by(ctx))
    except ValidationFailedError as error:
        raise ValidationFailedError(error.detail, message_key=f"{_T}.check") from error
    except OrdersException as error:
        raise ValidationFailedError(error.detail, message_key=error.message_key, **error.params) from error
    return ctx.url("orders.vendor.withdrawal", withdrawal_id=to_public(PREFIX, row.id))


def _back(ctx: PageContext) -> tuple[str, str]:
    order = order_reads.get_order(ctx.session, public_id(order_reads.PREFIX, ctx.path["order_id"]))
    url = ctx.url("orders.vendor.order", order_id=ctx.path["order_id"])
    return url, ctx.t("orders.page.title", number=order.number)


mount_form(
    router,
    FormSpec(
        "orders.vendor.new_withdrawal",
        "orders.new_withdrawal",
        _fields,
        _save,
        load=_load,
        back=_back,
        has_intro=True,
    ),
)
