"""Orders that are held: by the plan, until it has room, the oldest first; or as their buyer is blocked, until somebody
lets them pass."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.modules.customers.facade import get_customer
from app.modules.entitlements import take
from app.modules.orders.contracts import BY_TASK, By
from app.modules.orders.enums import HeldFor
from app.modules.orders.exceptions import OrderStateError
from app.modules.orders.models.order import Order
from app.modules.orders.services.place_service import FEATURE
from app.modules.orders.services.state_service import lock_order, note

_MAX_AT_ONCE = 500


def free_held(session: Session, vendor_id: UUID) -> int:
    """Free as many orders as the plan has room for now; returns how many. At most 500 at once."""
    statement = (
        select(Order)
        .where(Order.held_for == HeldFor.PLAN)
        .order_by(Order.id)
        .limit(_MAX_AT_ONCE)
        .with_for_update()
    )
    held = session.scalars(statement.execution_options(populate_existing=True)).all()
    for order in held[: take(session, vendor_id, FEATURE, len(held))]:
        order.held_for = None
        note(session, order, "freed", BY_TASK)
    return sum(order.held_for is None for order in held)


def vendors_with_held(session: Session) -> list[UUID]:
    """The vendors that have orders which the plan holds; for the operator's scope."""
    return list(session.scalars(select(Order.vendor_id).where(Order.held_for == HeldFor.PLAN).distinct()))


def let_pass(session: Session, order_id: UUID, by: By) -> Order:
    """Work on an order although its buyer is blocked; only now it counts for the plan, which may hold it in turn.

    Raises OrderStateError for an order that is not held for that.
    """
    order = lock_order(session, order_id)
    if order.held_for != HeldFor.BUYER:
        raise OrderStateError("The buyer does not hold it.", status=order.status, action="let_pass")
    order.held_for = None if take(session, order.vendor_id, FEATURE, 1) else HeldFor.PLAN
    note(session, order, "passed", by)
    if order.held_for:
        note(session, order, "held", BY_TASK, reason=order.held_for)
    return order


def free_of_buyer(session: Session, customer_id: UUID) -> int:
    """Let a customer's orders pass once they are no longer blocked; returns how many."""
    statement = select(Order.id).where(Order.customer_id == customer_id, Order.held_for == HeldFor.BUYER)
    held = session.scalars(statement.order_by(Order.id).limit(_MAX_AT_ONCE)).all()
    if not held or get_customer(session, customer_id).status == "blocked":
        return 0
    for order_id in held:
        let_pass(session, order_id, BY_TASK)
    return len(held)
