"""Noting that an order was paid."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core import clock
from app.modules.orders.contracts import By
from app.modules.orders.exceptions import OrderStateError
from app.modules.orders.models.order import Order
from app.modules.orders.services.state_service import lock_order, note


def mark_paid(session: Session, order_id: UUID, method: str, by: By, at: datetime | None = None) -> Order:
    """Note that and how an order was paid; ``at`` (UTC) is now, unless said. Raises OrderStateError when it was."""
    order = lock_order(session, order_id)
    if order.paid_at is not None:
        raise OrderStateError("The order is paid.", status="paid", action="pay")
    order.paid_at, order.payment_method = at or clock.now(), method
    note(session, order, "paid", by, method=method)
    return order
