"""Orders of the past, of which a channel tells after they were sent: stored as done, and nothing else happens."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.modules.customers.facade import record_order
from app.modules.orders.contracts import By, PlacedOrder
from app.modules.orders.enums import Decision, OrderStatus
from app.modules.orders.services.cancel_service import take_away
from app.modules.orders.services.state_service import goods_of, lines_of, lock_order, note
from app.modules.orders.services.write_service import Draft, DraftLine, write_order


def place_past(session: Session, draft: Draft, lines: Sequence[DraftLine], by: By) -> PlacedOrder:
    """Write an order that was sent, or of which nothing was; what is not matched to a product stays so.

    No stock moves, nothing counts for the plan, and no event is published: nothing happens now.
    """
    at, customer_id = draft.placed_at, draft.customer_id
    number = write_order(session, draft, lines, (), by)
    order = lock_order(session, draft.order_id)
    rows = lines_of(session, order.id)
    if customer_id is not None:
        record_order(session, customer_id, orders=1, spent_cents=order.total_cents, at=at)
    goods = goods_of(rows)
    for line, given in zip(goods, draft.new.lines, strict=True):
        line.decision = Decision.CONFIRMED
        take_away(session, order, [(line, given.cancelled_quantity)])
        line.shipped_quantity = line.quantity - line.cancelled_quantity
        line.returned_quantity = given.returned_quantity
    order.confirmed_at = at
    if any(line.shipped_quantity for line in goods):
        order.status, order.shipped_at = OrderStatus.SHIPPED, at
    else:
        take_away(session, order, [(line, line.quantity) for line in rows if line not in goods])
        order.status, order.cancelled_at = OrderStatus.CANCELLED, at
        if customer_id is not None:
            record_order(session, customer_id, orders=-1, spent_cents=0, at=at)
    note(session, order, "imported", by)
    session.flush()
    status = OrderStatus(order.status)
    return PlacedOrder(
        order.id,
        number,
        status,
        is_new=True,
        total_cents=order.total_cents,
        pending_exceptions=0,
        held_for=None,
    )
