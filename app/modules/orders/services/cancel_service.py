"""Taking goods out of an order before they are sent. Money that was paid goes back by a refund, another act."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.customers.facade import record_order
from app.modules.events import publish
from app.modules.orders.contracts import STOCK, By
from app.modules.orders.enums import LineKind, OrderStatus
from app.modules.orders.events import OrderCancelled, UnitsCancelled
from app.modules.orders.exceptions import OrderInputError, OrderStateError, QuantityError
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.services.exception_service import close_for_lines
from app.modules.orders.services.line_amounts import kept_cents, spent_cents
from app.modules.orders.services.shipment_service import prepared_quantities
from app.modules.orders.services.state_service import (
    check_status,
    goods_of,
    lines_of,
    lock_order,
    move,
    note,
    open_quantity,
    settle,
)

_MAX_REASON = 500


def cancel(
    session: Session,
    order_id: UUID,
    reason: str,
    by: By,
    lines: Sequence[tuple[UUID, int]] | None = None,
) -> Order:
    """Take so many of some lines out of an order, or all that is not sent (None), and give their stock back.

    Raises OrderInputError without a reason, QuantityError for more than is left, OrderStateError for what was sent or
    stands in a prepared shipment.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= _MAX_REASON:
        raise OrderInputError("reason", "reason", most=_MAX_REASON)
    order = lock_order(session, order_id)
    check_status(order, "cancel", OrderStatus.PENDING, OrderStatus.PROCESSING, OrderStatus.PARTIALLY_SHIPPED)
    listed = lines_of(session, order_id)
    chosen = _chosen(session, order, goods_of(listed), lines)
    stock = STOCK.find_for(order.vendor_id)
    if stock is not None:
        stock.release(session, order.id, [(line.id, quantity) for line, quantity in chosen])
    take_away(session, order, chosen)
    gone = [line.id for line, _ in chosen if open_quantity(line) == 0]
    close_for_lines(session, order, gone, by)
    said = [{"line_id": str(line.id), "quantity": quantity} for line, quantity in chosen]
    note(session, order, "lines_cancelled", by, lines=said, reason=reason)
    if all(line.cancelled_quantity == line.quantity for line in goods_of(listed)):
        finish_cancelled(session, order, listed, by)
    elif order.status != OrderStatus.PENDING:
        settle(session, order, goods_of(listed), by)
        publish(session, UnitsCancelled(order.id), vendor_id=order.vendor_id, aggregate=str(order.id))
    return order


def take_away(session: Session, order: Order, chosen: Sequence[tuple[OrderLine, int]]) -> None:
    """Write down that so many of these lines will be neither sent nor charged."""
    spent = 0
    for line, quantity in chosen:
        kept, paid = kept_cents(line), spent_cents(line)
        line.cancelled_quantity += quantity
        order.cancelled_cents += kept - kept_cents(line)
        spent += spent_cents(line) - paid
    if order.customer_id is not None and spent:
        record_order(session, order.customer_id, orders=0, spent_cents=spent, at=order.placed_at)


def finish_cancelled(session: Session, order: Order, lines: Collection[OrderLine], by: By) -> None:
    """Nothing is left of the goods: shipping is not charged either, and the order is cancelled."""
    shipping = [line for line in lines if line.kind == LineKind.SHIPPING and not line.cancelled_quantity]
    take_away(session, order, [(line, line.quantity) for line in shipping])
    move(session, order, OrderStatus.CANCELLED, by)
    if order.customer_id is not None:
        record_order(session, order.customer_id, orders=-1, spent_cents=0, at=order.placed_at)
    publish(session, OrderCancelled(order.id), vendor_id=order.vendor_id, aggregate=str(order.id))


def _chosen(
    session: Session, order: Order, goods: Sequence[OrderLine], lines: Sequence[tuple[UUID, int]] | None
) -> list[tuple[OrderLine, int]]:
    prepared = prepared_quantities(session, order.id)
    left = {line.id: open_quantity(line) - prepared.get(line.id, 0) for line in goods}
    wanted = dict(lines) if lines is not None else {key: count for key, count in left.items() if count}
    if lines is None and prepared:
        raise OrderStateError("A shipment is prepared.", status="prepared", action="cancel")
    by_id = {line.id: line for line in goods}
    for line_id, quantity in wanted.items():
        if not 0 < quantity <= left.get(line_id, 0):
            sku = by_id[line_id].sku if line_id in by_id else None
            raise QuantityError(sku=sku or "", left=left.get(line_id, 0))
    return [(by_id[line_id], quantity) for line_id, quantity in wanted.items()]
