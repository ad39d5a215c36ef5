"""Whether feeds can be imported."""

from sqlalchemy import select

from app.core.database import SYSTEM, unit_of_work
from app.core.observability import HealthResult, HealthStatus
from app.modules.marketplace.models.import_job import FeedImport


def check_health() -> HealthResult:
    """One look into the table of imports."""
    with unit_of_work(SYSTEM) as session:
        session.execute(select(FeedImport.id).limit(1)).all()
    return HealthResult(HealthStatus.OK, "marketplace.health.readable")
