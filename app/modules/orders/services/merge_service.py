"""Orders of customers who turn out to be one."""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.modules.orders.models.order import Order


def merge(session: Session, from_id: UUID, into_id: UUID) -> int:
    """Give the orders of one customer to another; returns how many."""
    statement = update(Order).where(Order.customer_id == from_id).values(customer_id=into_id)
    result = session.connection().execute(statement, execution_options={"preserve_rowcount": True})
    return result.rowcount
