"""Saying yes or no to the lines of an order."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.events import publish
from app.modules.orders.contracts import STOCK, By
from app.modules.orders.enums import Decision, OrderStatus
from app.modules.orders.events import OrderConfirmed
from app.modules.orders.exceptions import OrderInputError, OrderStateError, PendingExceptionsError
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.services.cancel_service import finish_cancelled, take_away
from app.modules.orders.services.exception_service import close_for_lines
from app.modules.orders.services.state_service import (
    check_free,
    check_status,
    goods_of,
    lines_of,
    lock_order,
    move,
    note,
    open_quantity,
)

_MAX_REASON = 500


def confirm_lines(session: Session, order_id: UUID, line_ids: Collection[UUID] | None, by: By) -> Order:
    """Say yes to lines (None: to all that are undecided). With the last one the order is confirmed.

    Raises PendingExceptionsError while exceptions are open, OrderHeldError while the plan holds the order.
    """
    order = lock_order(session, order_id)
    check_status(order, "confirm", OrderStatus.PENDING)
    check_free(order)
    if order.pending_exceptions:
        raise PendingExceptionsError(count=order.pending_exceptions)
    goods = goods_of(lines_of(session, order_id))
    chosen = _undecided(goods, line_ids)
    for line in chosen:
        line.decision = Decision.CONFIRMED
    note(session, order, "lines_confirmed", by, lines=[str(line.id) for line in chosen])
    _finish(session, order, goods, by)
    return order


def decline_lines(
    session: Session, order_id: UUID, line_ids: Collection[UUID] | None, reason: str, by: By
) -> Order:
    """Say no to lines: their stock is given back and they will not be charged. Of the last one the order is cancelled.

    Raises OrderInputError without a reason.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= _MAX_REASON:
        raise OrderInputError("reason", "reason", most=_MAX_REASON)
    order = lock_order(session, order_id)
    check_status(order, "decline", OrderStatus.PENDING)
    lines = lines_of(session, order_id)
    goods = goods_of(lines)
    chosen = _undecided(goods, line_ids)
    for line in chosen:
        line.decision, line.decline_reason = Decision.DECLINED, reason
    close_for_lines(session, order, [line.id for line in chosen], by)
    stock = STOCK.find_for(order.vendor_id)
    if stock is not None:
        stock.release(session, order.id, [(line.id, open_quantity(line)) for line in chosen])
    take_away(session, order, [(line, open_quantity(line)) for line in chosen])
    note(session, order, "lines_declined", by, lines=[str(line.id) for line in chosen], reason=reason)
    _finish(session, order, lines, by)
    return order


def _undecided(goods: Collection[OrderLine], line_ids: Collection[UUID] | None) -> list[OrderLine]:
    """Raises OrderStateError for a line that is decided, or is none of the order's."""
    waiting = [line for line in goods if line.decision == Decision.PENDING]
    if line_ids is None:
        return waiting
    chosen = [line for line in waiting if line.id in set(line_ids)]
    if not chosen or len(chosen) != len(set(line_ids)):
        raise OrderStateError("A line is decided already.", status="decided", action="decide")
    return chosen


def _finish(session: Session, order: Order, lines: Collection[OrderLine], by: By) -> None:
    goods = goods_of(lines)
    said = {Decision(line.decision) for line in goods}
    if Decision.PENDING in said:
        return
    if Decision.CONFIRMED not in said:
        finish_cancelled(session, order, lines, by)
        return
    # What was cancelled line by line before is neither confirmed nor sent.
    move(session, order, OrderStatus.PROCESSING, by)
    publish(session, OrderConfirmed(order.id), vendor_id=order.vendor_id, aggregate=str(order.id))
