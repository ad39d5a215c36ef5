"""How many tenants there are, and by what they can be recognised."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.modules.tenancy.contracts import KnownVendor, TenantFigures
from app.modules.tenancy.models.tenant import Company, Domain, Vendor


def count_tenants(session: Session) -> TenantFigures:
    """Companies and vendors that the session's scope may see."""
    companies = session.scalar(select(func.count()).select_from(Company)) or 0
    vendors = select(func.count(), func.count().filter(~Vendor.is_active)).select_from(Vendor)
    total, on_hold = session.execute(vendors).one()
    return TenantFigures(companies, total, on_hold)


def list_known_vendors(session: Session) -> Sequence[KnownVendor]:
    """What the vendors that the session's scope may see are called, by code."""
    hosts = (
        select(func.array_agg(Domain.host))
        .where(Domain.vendor_id == Vendor.id, Domain.verified_at.is_not(None))
        .correlate(Vendor)
        .scalar_subquery()
    )
    found = session.execute(
        select(Vendor.id, Vendor.code, Vendor.name, Company.name, Company.contact_email, hosts)
        .join(Company, Company.id == Vendor.company_id)
        .order_by(Vendor.code)
    )
    return [
        KnownVendor(key, code, name, company, email, frozenset(proved or ()))
        for key, code, name, company, email, proved in found
    ]
