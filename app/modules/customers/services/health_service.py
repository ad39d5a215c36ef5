"""Whether customers can be read."""

from sqlalchemy import select

from app.core.database import SYSTEM, unit_of_work
from app.core.observability import HealthResult, HealthStatus
from app.modules.customers.models.customer import Customer


def check_health() -> HealthResult:
    """One look into the table of customers."""
    with unit_of_work(SYSTEM) as session:
        session.execute(select(Customer.id).limit(1)).all()
    return HealthResult(HealthStatus.OK, "customers.health.readable")
