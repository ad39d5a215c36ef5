"""Companies: the legal entities that own vendors. They are written in their own scope, whoever changes them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from app.core.database import TenantScope, acting_in
from app.core.errors import NotFoundError
from app.core.ids import new_id, to_public
from app.modules.tenancy.models.tenant import Company, Vendor
from app.modules.tenancy.services import audit_service, record_service


def create_company(session: Session, *, name: str, contact_email: str, tax_number: str | None = None) -> UUID:
    """A new company, written in its own scope from the operator's transaction."""
    company = Company(
        id=new_id(),
        name=record_service.require_text("name", name),
        contact_email=record_service.require_text("contact_email", contact_email),
        tax_number=(tax_number or "").strip() or None,
    )
    with _as(session, company.id):
        session.add(company)
    _record(session, "tenancy.company_created", company, name=company.name)
    return company.id


def get_company(session: Session, company_id: UUID) -> Company:
    """A company the session may see; NotFoundError."""
    company = session.get(Company, company_id)
    if company is None:
        raise NotFoundError
    return company


def select_companies() -> Select[Any]:
    """Companies with the number of their vendors, of those that the reader may see."""
    vendors = select(func.count()).where(Vendor.company_id == Company.id).correlate(Company).scalar_subquery()
    return select(
        Company.id,
        Company.name,
        Company.contact_email,
        Company.tax_number,
        Company.is_active,
        Company.created_at,
        vendors.label("vendors"),
    )


def matching(words: str) -> ColumnElement[bool]:
    """Whose name, address or tax number holds the words."""
    columns = (Company.name, Company.contact_email, Company.tax_number)
    return or_(*(column.icontains(words, autoescape=True) for column in columns))


def list_companies(session: Session) -> Sequence[Company]:
    """The companies the session may see, by name: what a new vendor can belong to."""
    return session.scalars(select(Company).where(Company.is_active).order_by(Company.name).limit(1000)).all()


def list_vendors_of(session: Session, company_id: UUID) -> Sequence[Vendor]:
    """The vendors of a company that the session may see, by name."""
    return session.scalars(
        select(Vendor).where(Vendor.company_id == company_id).order_by(Vendor.name).limit(200)
    ).all()


def update_company(
    session: Session,
    company_id: UUID,
    *,
    name: str,
    contact_email: str,
    tax_number: str | None = None,
    version: int | None = None,
) -> None:
    """Change a company. Raises NotFoundError, ConflictError for a stale version, ValidationFailedError."""
    company = get_company(session, company_id)
    record_service.require_version(company, version)
    with _as(session, company.id):
        company.name = record_service.require_text("name", name)
        company.contact_email = record_service.require_text("contact_email", contact_email)
        company.tax_number = (tax_number or "").strip() or None
    _record(session, "tenancy.company_updated", company, name=company.name)


def suspend_company(session: Session, company_id: UUID, reason: str) -> None:
    """Put a company on hold, and so all its vendors."""
    company = get_company(session, company_id)
    with _as(session, company.id):
        record_service.suspend(company, reason)
    _record(session, "tenancy.company_suspended", company, reason=company.suspended_reason)


def reactivate_company(session: Session, company_id: UUID) -> None:
    """Take a company off hold; vendors that are on hold themselves stay so."""
    company = get_company(session, company_id)
    with _as(session, company.id):
        record_service.reactivate(company)
    _record(session, "tenancy.company_reactivated", company)


@contextmanager
def _as(session: Session, company_id: UUID) -> Iterator[None]:
    with acting_in(session, TenantScope(vendor_id=company_id, company_id=company_id)):
        yield


def _record(session: Session, action: str, company: Company, **details: Any) -> None:
    audit_service.record(session, action, target=to_public("cmp", company.id), **details)
