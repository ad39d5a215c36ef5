"""Whether orders can be read."""

from sqlalchemy import select

from app.core.database import SYSTEM, unit_of_work
from app.core.observability import HealthResult, HealthStatus
from app.modules.orders.models.order import Order


def check_health() -> HealthResult:
    """One look into the table of orders."""
    with unit_of_work(SYSTEM) as session:
        session.execute(select(Order.id).limit(1)).all()
    return HealthResult(HealthStatus.OK, "orders.health.readable")
