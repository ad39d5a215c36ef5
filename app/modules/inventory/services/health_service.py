"""Whether the stock can be read."""

from sqlalchemy import select

from app.core.database import SYSTEM, unit_of_work
from app.core.observability import HealthResult, HealthStatus
from app.modules.inventory.models.level import Level


def check_health() -> HealthResult:
    """One look into the table of levels."""
    with unit_of_work(SYSTEM) as session:
        session.execute(select(Level.id).limit(1)).all()
    return HealthResult(HealthStatus.OK, "inventory.health.readable")
