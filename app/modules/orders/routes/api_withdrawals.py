"""Withdrawals in the API: noted, answered, and settled."""

from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import select

from app.core import clock
from app.core.ids import from_public, to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.pages import read_spec
from app.modules.orders.models.withdrawal import Withdrawal
from app.modules.orders.schemas.withdrawals import (
    GoodsGiven,
    RefusalGiven,
    WithdrawalDetails,
    WithdrawalGiven,
    WithdrawalItem,
    WithdrawalLineShown,
    WithdrawalQuery,
    WithdrawalRefundGiven,
)
from app.modules.orders.services import order_reads, withdrawal_service
from app.modules.orders.services.api_answers import by_key, quantities
from app.modules.orders.services.order_reads import LINE_PREFIX
from app.modules.orders.services.oss_total_service import ZONE
from app.modules.orders.services.withdrawal_service import PREFIX, Notice
from app.modules.pagekit.lists import Column, Filter, ListSpec

router = ApiRouter()
_VIEW, _EDIT, _REFUND = "orders.orders.view", "orders.orders.edit", "orders.orders.refund"
_ONE = "/withdrawals/{withdrawal_id}"
_LIST = ListSpec(
    "orders.api.withdrawals",
    "orders.withdrawals",
    lambda _session, _language: select(Withdrawal.__table__),
    Withdrawal.id,
    columns=(Column("created_at", "orders.withdrawals.received_at", "datetime", sort=Withdrawal.id),),
    default_sort="-created_at",
    filters=(
        Filter("status", "orders.fields.status", lambda chosen: Withdrawal.status.in_(chosen)),
        Filter(
            "order_id",
            "orders.fields.number",
            lambda chosen: Withdrawal.order_id == from_public(order_reads.PREFIX, chosen[0]),
            kind="text",
        ),
    ),
)


@router.vendor("GET", "/withdrawals", permission=_VIEW)
def withdrawals_list(ctx: ApiContext, query: Annotated[WithdrawalQuery, Query()]) -> Page[WithdrawalItem]:
    """List notices of withdrawal."""
    return read_spec(ctx, _LIST, query, _item)


@router.vendor("GET", _ONE, permission=_VIEW)
def withdrawals_get(ctx: ApiContext, withdrawal_id: str) -> WithdrawalDetails:
    """Get a notice of withdrawal with its lines."""
    return _details(ctx, withdrawal_service.get_withdrawal(ctx.session, key_of(PREFIX, withdrawal_id)))


@router.vendor("POST", "/orders/{order_id}/withdrawals", permission=_EDIT, status=201, needs_key=True)
def withdrawals_create(ctx: ApiContext, order_id: str, given: WithdrawalGiven) -> WithdrawalDetails:
    """Note that a buyer withdraws from goods that were sent.

    The buyer is sent a receipt by mail in the language of the order.
    """
    notice = Notice(given.source, given.received_at or clock.now(), given.message or None)
    row = withdrawal_service.note_withdrawal(
        ctx.session,
        key_of(order_reads.PREFIX, order_id),
        quantities(given.lines) or [],
        notice,
        by_key(ctx),
    )
    ctx.location(f"/vendor/withdrawals/{to_public(PREFIX, row.id)}")
    return _details(ctx, row)


@router.vendor("POST", f"{_ONE}/approve", permission=_EDIT)
def withdrawals_approve(ctx: ApiContext, withdrawal_id: str) -> WithdrawalDetails:
    """Agree to a withdrawal."""
    key = key_of(PREFIX, withdrawal_id)
    return _details(ctx, withdrawal_service.approve(ctx.session, key, by_key(ctx)))


@router.vendor("POST", f"{_ONE}/refuse", permission=_EDIT)
def withdrawals_refuse(ctx: ApiContext, withdrawal_id: str, given: RefusalGiven) -> WithdrawalDetails:
    """Refuse a withdrawal, and say why."""
    key = key_of(PREFIX, withdrawal_id)
    return _details(ctx, withdrawal_service.refuse(ctx.session, key, given.reason, by_key(ctx)))


@router.vendor("POST", f"{_ONE}/goods", permission=_EDIT)
def withdrawals_goods(ctx: ApiContext, withdrawal_id: str, given: GoodsGiven) -> WithdrawalDetails:
    """Note that the goods of a withdrawal are back."""
    row = withdrawal_service.receive_goods(
        ctx.session, key_of(PREFIX, withdrawal_id), by_key(ctx), is_restocked=given.is_restocked
    )
    return _details(ctx, row)


@router.vendor("POST", f"{_ONE}/refund", permission=_REFUND, needs_key=True)
def withdrawals_refund(
    ctx: ApiContext, withdrawal_id: str, given: WithdrawalRefundGiven
) -> WithdrawalDetails:
    """Give the money of a withdrawal back, with all of the goods also what sending them had cost."""
    key = key_of(PREFIX, withdrawal_id)
    return _details(ctx, withdrawal_service.refund_withdrawal(ctx.session, key, given.method, by_key(ctx)))


def _more(row: Any) -> dict[str, Any]:
    return {
        "order_id": to_public(order_reads.PREFIX, row.order_id),
        "refund_until": withdrawal_service.refund_until(row, ZONE.key),
    }


def _item(row: Any) -> WithdrawalItem:
    return shown(WithdrawalItem, row, PREFIX, **_more(row))


def _details(ctx: ApiContext, row: Withdrawal) -> WithdrawalDetails:
    ctx.session.flush()
    order = order_reads.get_order(ctx.session, row.order_id)
    lines = withdrawal_service.quantities_of(ctx.session, row.id)
    return shown(
        WithdrawalDetails,
        row,
        PREFIX,
        **_more(row),
        is_in_time=withdrawal_service.is_in_time(order, row),
        lines=[
            WithdrawalLineShown(line_id=to_public(LINE_PREFIX, key), quantity=quantity)
            for key, quantity in lines.items()
        ],
    )
