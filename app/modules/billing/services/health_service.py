"""Whether subscriptions can be read."""

from sqlalchemy import select

from app.core.database import SYSTEM, unit_of_work
from app.core.observability import HealthResult, HealthStatus
from app.modules.billing.models.subscription import Subscription


def check_health() -> HealthResult:
    """One look into the table of subscriptions."""
    with unit_of_work(SYSTEM) as session:
        session.execute(select(Subscription.id).limit(1)).all()
    return HealthResult(HealthStatus.OK, "billing.health.readable")
