"""How many tenants there are."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.modules.tenancy.contracts import TenantFigures
from app.modules.tenancy.models.tenant import Company, Vendor


def count_tenants(session: Session) -> TenantFigures:
    """Companies and vendors that the session's scope may see."""
    companies = session.scalar(select(func.count()).select_from(Company)) or 0
    vendors = select(func.count(), func.count().filter(~Vendor.is_active)).select_from(Vendor)
    total, on_hold = session.execute(vendors).one()
    return TenantFigures(companies, total, on_hold)
