"""Whether payments can be taken."""

from sqlalchemy import select

from app.core.database import SYSTEM, unit_of_work
from app.core.observability import HealthResult, HealthStatus
from app.modules.payments.models.payment import Payment


def check_health() -> HealthResult:
    """One look into the table of payments. Providers are not called: their outage is not ours."""
    with unit_of_work(SYSTEM) as session:
        session.execute(select(Payment.id).limit(1)).all()
    return HealthResult(HealthStatus.OK, "payments.health.readable")
