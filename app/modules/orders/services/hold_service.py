"""Orders that the plan holds: they are freed, the oldest first, as far as the plan allows."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.modules.entitlements import take
from app.modules.orders.contracts import BY_TASK
from app.modules.orders.enums import HeldFor
from app.modules.orders.models.order import Order
from app.modules.orders.services.place_service import FEATURE
from app.modules.orders.services.state_service import note

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
    return list(session.scalars(select(Order.vendor_id).where(Order.held_for.is_not(None)).distinct()))
