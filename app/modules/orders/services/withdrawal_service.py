"""Withdrawals: a buyer's notice, what the vendor says to it, the goods that come back, and the money that goes back.

The law gives the buyer fourteen days from delivery to say so, and the vendor as many from the notice to give the money
back (Directive 2011/83/EU, Articles 9 and 13); it may wait for the goods.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.events import Event, publish
from app.modules.orders.contracts import By, RefundOf, RefundTerms
from app.modules.orders.enums import RefundMethod, WithdrawalSource, WithdrawalStatus
from app.modules.orders.events import WithdrawalNoted, WithdrawalSettled
from app.modules.orders.exceptions import (
    OrderInputError,
    OrderStateError,
    QuantityError,
    WithdrawalNotFoundError,
)
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.models.withdrawal import Withdrawal, WithdrawalLine
from app.modules.orders.services import refund_service, withdrawal_mail_service
from app.modules.orders.services.state_service import goods_of, lines_of, lock_order, note

PREFIX = "wdr"
PERIOD = timedelta(days=14)
_MAX_TEXT = 500
_NEXT: Mapping[WithdrawalStatus, frozenset[WithdrawalStatus]] = {
    WithdrawalStatus.OPEN: frozenset({WithdrawalStatus.APPROVED, WithdrawalStatus.REFUSED}),
    WithdrawalStatus.APPROVED: frozenset({WithdrawalStatus.RECEIVED, WithdrawalStatus.REFUNDED}),
    WithdrawalStatus.RECEIVED: frozenset({WithdrawalStatus.REFUNDED}),
    WithdrawalStatus.REFUNDED: frozenset(),
    WithdrawalStatus.REFUSED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What the buyer said, and when it arrived (UTC)."""

    source: WithdrawalSource
    received_at: datetime
    message: str | None = None


def note_withdrawal(
    session: Session, order_id: UUID, wanted: Sequence[tuple[UUID, int]], notice: Notice, by: By
) -> Withdrawal:
    """Write a notice down, for so many of some lines that were sent. Raises QuantityError, OrderInputError."""
    order = lock_order(session, order_id)
    if notice.received_at > clock.now():
        raise OrderInputError("received_at", "in_future")
    left = returnable(session, order_id)
    by_id = {line.id: line for line in goods_of(lines_of(session, order_id))}
    for line_id, quantity in wanted:
        if not 0 < quantity <= left.get(line_id, 0):
            sku = by_id[line_id].sku if line_id in by_id else None
            raise QuantityError(sku=sku or "", left=left.get(line_id, 0))
    if not wanted:
        raise OrderInputError("lines", "nothing_returned")
    made = session.scalar(select(func.count()).where(Withdrawal.order_id == order_id)) or 0
    row = Withdrawal(
        vendor_id=order.vendor_id,
        order_id=order.id,
        number=f"{order.number}-W{made + 1}",
        source=notice.source,
        message=notice.message,
        received_at=notice.received_at,
    )
    session.add(row)
    session.flush()
    session.add_all(
        WithdrawalLine(vendor_id=order.vendor_id, withdrawal_id=row.id, line_id=key, quantity=quantity)
        for key, quantity in wanted
    )
    note(session, order, "withdrawal_noted", by, withdrawal_id=str(row.id), number=row.number)
    session.flush()
    _publish(session, WithdrawalNoted(order.id, row.id), order)
    withdrawal_mail_service.ask_to_mail(session, order, row)
    return row


def returnable(session: Session, order_id: UUID) -> dict[UUID, int]:
    """How many of each line were sent and neither came back nor stand in another notice that is not refused."""
    noted = (
        select(WithdrawalLine.line_id, func.sum(WithdrawalLine.quantity))
        .join(Withdrawal, Withdrawal.id == WithdrawalLine.withdrawal_id)
        .where(Withdrawal.order_id == order_id, Withdrawal.status != WithdrawalStatus.REFUSED)
        .group_by(WithdrawalLine.line_id)
    )
    taken = {key: int(quantity) for key, quantity in session.execute(noted)}
    return {
        line.id: line.shipped_quantity - max(line.returned_quantity, taken.get(line.id, 0))
        for line in goods_of(lines_of(session, order_id))
    }


def get_withdrawal(session: Session, withdrawal_id: UUID) -> Withdrawal:
    """One notice. Raises WithdrawalNotFoundError."""
    row = session.get(Withdrawal, withdrawal_id)
    if row is None:
        raise WithdrawalNotFoundError
    return row


def count_waiting(session: Session) -> int:
    """How many notices wait for an answer, goods or money."""
    closed = (WithdrawalStatus.REFUNDED, WithdrawalStatus.REFUSED)
    return session.scalar(select(func.count()).where(Withdrawal.status.not_in(closed))) or 0


def quantities_of(session: Session, withdrawal_id: UUID) -> dict[UUID, int]:
    """How many of each line a notice is about."""
    rows = session.scalars(select(WithdrawalLine).where(WithdrawalLine.withdrawal_id == withdrawal_id))
    return {row.line_id: row.quantity for row in rows}


def is_in_time(order: Order, row: Withdrawal) -> bool:
    """Whether the notice came within fourteen days of delivery; of sending, where nobody knows when it arrived."""
    since = order.delivered_at or order.shipped_at
    return since is None or row.received_at <= since + PERIOD


def refund_until(row: Withdrawal, time_zone: str) -> date:
    """The last day for the money: the fourteenth after that of the notice, by the vendor's calendar."""
    return row.received_at.astimezone(ZoneInfo(time_zone)).date() + PERIOD


def approve(session: Session, withdrawal_id: UUID, by: By) -> Withdrawal:
    """Agree: the buyer sends the goods back."""
    order, row = _locked(session, withdrawal_id)
    _move(session, order, row, WithdrawalStatus.APPROVED, by)
    return row


def refuse(session: Session, withdrawal_id: UUID, reason: str, by: By) -> Withdrawal:
    """Do not agree, and say why. Raises OrderInputError without a reason."""
    if not 0 < len(reason.strip()) <= _MAX_TEXT:
        raise OrderInputError("reason", "reason", most=_MAX_TEXT)
    order, row = _locked(session, withdrawal_id)
    row.refusal, row.closed_at = reason.strip(), clock.now()
    _move(session, order, row, WithdrawalStatus.REFUSED, by, reason=row.refusal)
    return row


def receive_goods(session: Session, withdrawal_id: UUID, by: By, *, is_restocked: bool) -> Withdrawal:
    """The goods are back; ``is_restocked``: and on the shelf."""
    order, row = _locked(session, withdrawal_id)
    row.goods_received_at = clock.now()
    _move(session, order, row, WithdrawalStatus.RECEIVED, by)
    if is_restocked:
        wanted = list(quantities_of(session, row.id).items())
        refund_service.receive_return(session, order.id, wanted, by)
    return row


def refund_withdrawal(session: Session, withdrawal_id: UUID, method: RefundMethod, by: By) -> Withdrawal:
    """Give the money back; with all of the goods also what sending them had cost. Closes the notice."""
    order, row = _locked(session, withdrawal_id)
    row.closed_at = clock.now()
    _move(session, order, row, WithdrawalStatus.REFUNDED, by)
    lines = lines_of(session, order.id)
    wanted = quantities_of(session, row.id)
    parts = [RefundOf(key, min(quantity, _unpaid(lines, key))) for key, quantity in wanted.items()]
    goods = goods_of(lines)
    if all(wanted.get(line.id, 0) == line.quantity - line.cancelled_quantity for line in goods):
        charged = [one for one in lines if one not in goods and not one.cancelled_quantity]
        parts += [RefundOf(line.id, 1) for line in charged if not line.refunded_quantity]
    terms = RefundTerms(row.number, method)
    refund_service.refund(session, order.id, [one for one in parts if one.quantity], terms, by)
    return row


def _unpaid(lines: Sequence[OrderLine], line_id: UUID) -> int:
    line = next(one for one in lines if one.id == line_id)
    return line.quantity - line.refunded_quantity


def _locked(session: Session, withdrawal_id: UUID) -> tuple[Order, Withdrawal]:
    row = get_withdrawal(session, withdrawal_id)
    order = lock_order(session, row.order_id)
    session.refresh(row)
    return order, row


def _move(session: Session, order: Order, row: Withdrawal, to: WithdrawalStatus, by: By, **data: str) -> None:
    if to not in _NEXT[WithdrawalStatus(row.status)]:
        raise OrderStateError(f"{row.status} is not followed by {to}.", status=row.status, action=to)
    row.status = to
    note(session, order, f"withdrawal_{to}", by, withdrawal_id=str(row.id), number=row.number, **data)
    session.flush()
    if not _NEXT[to]:
        _publish(session, WithdrawalSettled(order.id, row.id, to.value), order)


def _publish(session: Session, event: Event, order: Order) -> None:
    publish(session, event, vendor_id=order.vendor_id, aggregate=str(order.id))
