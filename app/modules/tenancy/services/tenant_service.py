"""Making and finding platforms, companies and vendors."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, IdentityScope, TenantScope, acting_in, unit_of_work
from app.core.ids import new_id
from app.modules.events import publish
from app.modules.tenancy.contracts import VendorInfo
from app.modules.tenancy.events import VendorCreated
from app.modules.tenancy.exceptions import CodeTakenError, VendorNotFoundError
from app.modules.tenancy.models.tenant import Company, Platform, Role, Vendor, VendorPlatform
from app.modules.tenancy.services import audit_service


def create_platform(session: Session, *, code: str, name: str) -> UUID:
    """A new platform. Needs the system scope."""
    if session.scalar(select(Platform.id).where(Platform.code == code)):
        raise CodeTakenError(f"There is a platform {code!r} already.", value=code)
    platform = Platform(code=code, name=name)
    session.add(platform)
    session.flush()
    return platform.id


def create_company(session: Session, *, name: str, contact_email: str, tax_number: str | None = None) -> UUID:
    """A new company, written in its own scope from the operator's transaction."""
    company = Company(id=new_id(), name=name, contact_email=contact_email, tax_number=tax_number)
    with acting_in(session, TenantScope(vendor_id=company.id, company_id=company.id)):
        session.add(company)
    return company.id


def create_vendor(
    session: Session,
    *,
    company_id: UUID,
    platform_ids: Sequence[UUID],
    code: str,
    name: str,
    language: str = "fr",
) -> UUID:
    """A new vendor of a company on one or more platforms; its code is stored upper case.

    Publishes VendorCreated. Raises CodeTakenError when code or subdomain is in use.
    """
    code = code.upper()
    subdomain = code.lower().replace("_", "-")
    with acting_in(session, IdentityScope()):
        taken = session.scalar(
            select(Vendor.id).where((Vendor.code == code) | (Vendor.subdomain == subdomain))
        )
    if taken:
        raise CodeTakenError(f"There is a vendor {code!r} already.", value=code)
    vendor = Vendor(
        id=new_id(),
        company_id=company_id,
        code=code,
        subdomain=subdomain,
        name=name,
        default_language=language,
        dashboard_language=language,
    )
    with acting_in(session, TenantScope(vendor.id, company_id)):
        session.add(vendor)
    session.add_all(
        VendorPlatform(vendor_id=vendor.id, platform_id=platform_id) for platform_id in platform_ids
    )
    session.flush()
    audit_service.record(session, "tenancy.vendor_created", vendor_id=vendor.id, target=code)
    publish(session, VendorCreated(vendor.id, code, language), vendor_id=vendor.id, aggregate=str(vendor.id))
    return vendor.id


def create_role(session: Session, *, vendor_id: UUID, name: str, permissions: Sequence[str]) -> UUID:
    """A vendor's named set of permissions."""
    role = Role(id=new_id(), vendor_id=vendor_id, name=name, permissions=sorted(permissions))
    with acting_in(session, TenantScope(vendor_id)):
        session.add(role)
    return role.id


def find_vendor(*, code: str | None = None, vendor_id: UUID | None = None) -> VendorInfo | None:
    """A vendor by code or id, whoever asks; None when there is none. Opens its own short transaction."""
    condition = Vendor.id == vendor_id if vendor_id else Vendor.code == (code or "").upper()
    with unit_of_work(IdentityScope()) as session:
        vendor = session.scalar(select(Vendor).where(condition))
        if vendor is None:
            return None
        platforms = session.scalars(
            select(VendorPlatform.platform_id).where(VendorPlatform.vendor_id == vendor.id)
        ).all()
        return VendorInfo(
            vendor.id,
            vendor.code,
            vendor.name,
            vendor.company_id,
            tuple(platforms),
            vendor.default_language,
            vendor.dashboard_language,
        )


def get_vendor(code: str) -> VendorInfo:
    """A vendor by code; VendorNotFoundError names the code."""
    vendor = find_vendor(code=code)
    if vendor is None:
        raise VendorNotFoundError(f"There is no vendor {code!r}.", vendor_code=code)
    return vendor


def platform_codes(session: Session) -> dict[str, UUID]:
    """All platforms the session may see, by code; the framework asks this to switch modules."""
    return {row.code: row.id for row in session.execute(select(Platform.code, Platform.id))}


def platforms_of_vendor(vendor_id: UUID) -> tuple[UUID, ...]:
    """The platforms a vendor is on; the framework asks this to decide about modules."""
    with unit_of_work(SYSTEM) as session:
        statement = select(VendorPlatform.platform_id).where(VendorPlatform.vendor_id == vendor_id)
        return tuple(session.scalars(statement))


def list_vendors(session: Session) -> Sequence[Vendor]:
    """The vendors the session's scope may see, by code."""
    return session.scalars(select(Vendor).order_by(Vendor.code).limit(1000)).all()
