"""Whether the catalogue can be read."""

from sqlalchemy import select

from app.core.database import SYSTEM, unit_of_work
from app.core.observability import HealthResult, HealthStatus
from app.modules.catalog.models.product import Product


def check_health() -> HealthResult:
    """One look into the table of products."""
    with unit_of_work(SYSTEM) as session:
        session.execute(select(Product.id).limit(1)).all()
    return HealthResult(HealthStatus.OK, "catalog.health.readable")
