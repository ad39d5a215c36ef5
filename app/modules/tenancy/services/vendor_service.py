"""Vendors: the tenants. They are written in their own scope, whoever changes them."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, delete, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from app.core.database import IdentityScope, TenantScope, acting_in, unit_of_work
from app.core.errors import FieldError, NotFoundError, ValidationFailedError
from app.core.i18n import LANGUAGES
from app.core.ids import new_id, to_public
from app.modules.events import publish
from app.modules.tenancy.contracts import VendorInfo
from app.modules.tenancy.events import VendorCreated
from app.modules.tenancy.exceptions import CodeTakenError, PlatformSuspendedError, VendorNotFoundError
from app.modules.tenancy.models.tenant import Company, Platform, Vendor, VendorPlatform
from app.modules.tenancy.services import audit_service, record_service
from app.tasks.models import Job

_JOBS = 5
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{1,31}")


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

    Publishes VendorCreated. Raises CodeTakenError when code or subdomain is in use, ValidationFailedError,
    PlatformSuspendedError.
    """
    code = require_free_code(session, code)
    _require_platforms(session, platform_ids)
    vendor = Vendor(
        id=new_id(),
        company_id=company_id,
        code=code,
        subdomain=_subdomain(code),
        name=record_service.require_text("name", name),
        default_language=_checked_language("language", language),
        dashboard_language=language,
    )
    with acting_in(session, TenantScope(vendor.id, company_id)):
        session.add(vendor)
    session.add_all(
        VendorPlatform(vendor_id=vendor.id, platform_id=platform_id) for platform_id in platform_ids
    )
    with _as(session, vendor):
        _record(session, "tenancy.vendor_created", vendor, code=code)
        event = VendorCreated(vendor.id, code, language)
        publish(session, event, vendor_id=vendor.id, aggregate=str(vendor.id))
    return vendor.id


def require_free_code(session: Session, code: str) -> str:
    """The code as it is stored, where neither it nor its subdomain is in use.

    Raises CodeTakenError, and ValidationFailedError for one that cannot be a code.
    """
    code = _checked_code(code)
    with acting_in(session, IdentityScope()):
        taken = session.scalar(
            select(Vendor.id).where((Vendor.code == code) | (Vendor.subdomain == _subdomain(code)))
        )
    if taken:
        raise CodeTakenError("code", code)
    return code


def get_vendor_record(session: Session, vendor_id: UUID) -> Vendor:
    """A vendor the session may see, as it is stored; NotFoundError."""
    vendor = session.get(Vendor, vendor_id)
    if vendor is None:
        raise NotFoundError
    return vendor


def update_vendor(
    session: Session,
    vendor_id: UUID,
    *,
    name: str,
    default_language: str,
    dashboard_language: str,
    version: int | None = None,
) -> None:
    """Change a vendor. Raises NotFoundError, ConflictError for a stale version, ValidationFailedError."""
    vendor = get_vendor_record(session, vendor_id)
    record_service.require_version(vendor, version)
    with _as(session, vendor):
        vendor.name = record_service.require_text("name", name)
        vendor.default_language = _checked_language("default_language", default_language)
        vendor.dashboard_language = _checked_language("dashboard_language", dashboard_language)
        _record(session, "tenancy.vendor_updated", vendor, name=vendor.name)


def list_platform_ids(session: Session, vendor_id: UUID) -> set[UUID]:
    """The platforms of a vendor that the session may see. Needs the operator's scope."""
    statement = select(VendorPlatform.platform_id).where(VendorPlatform.vendor_id == vendor_id)
    return set(session.scalars(statement))


def set_platforms(session: Session, vendor_id: UUID, platform_ids: Collection[UUID]) -> None:
    """Put a vendor on exactly these platforms, of those that the session may see. Needs the operator's scope.

    Raises ValidationFailedError when none would be left, PlatformSuspendedError.
    """
    vendor = get_vendor_record(session, vendor_id)
    wanted, present = set(platform_ids), list_platform_ids(session, vendor_id)
    if wanted == present:
        return
    _require_platforms(session, wanted, new=wanted - present)
    session.add_all(VendorPlatform(vendor_id=vendor.id, platform_id=added) for added in wanted - present)
    session.execute(
        delete(VendorPlatform).where(
            VendorPlatform.vendor_id == vendor.id, VendorPlatform.platform_id.in_(present - wanted)
        )
    )
    session.flush()
    with _as(session, vendor):
        _record(session, "tenancy.vendor_platforms_changed", vendor, count=len(wanted))


def suspend_vendor(session: Session, vendor_id: UUID, reason: str) -> None:
    """Put a vendor on hold: its users see the reason instead of their pages."""
    vendor = get_vendor_record(session, vendor_id)
    with _as(session, vendor):
        record_service.suspend(vendor, reason)
        _record(session, "tenancy.vendor_suspended", vendor, reason=vendor.suspended_reason)


def reactivate_vendor(session: Session, vendor_id: UUID) -> None:
    """Take a vendor off hold."""
    vendor = get_vendor_record(session, vendor_id)
    with _as(session, vendor):
        record_service.reactivate(vendor)
        _record(session, "tenancy.vendor_reactivated", vendor)


def find_vendor(*, code: str | None = None, vendor_id: UUID | None = None) -> VendorInfo | None:
    """A vendor by code or id, whoever asks; None when there is none. Opens its own short transaction."""
    condition = Vendor.id == vendor_id if vendor_id else Vendor.code == (code or "").upper()
    with unit_of_work(IdentityScope()) as session:
        found = session.execute(
            select(Vendor, Company.is_active).join(Company, Company.id == Vendor.company_id).where(condition)
        ).one_or_none()
        if found is None:
            return None
        vendor, is_company_active = found
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
            vendor.is_active and is_company_active,
        )


def find_vendor_id(session: Session, code: str) -> UUID | None:
    """The id of a vendor by code, whatever the session's scope; the framework asks this for other modules."""
    with acting_in(session, IdentityScope()):
        return session.scalar(select(Vendor.id).where(Vendor.code == code.upper()))


def get_vendor(code: str) -> VendorInfo:
    """A vendor by code; VendorNotFoundError names the code."""
    vendor = find_vendor(code=code)
    if vendor is None:
        raise VendorNotFoundError(f"There is no vendor {code!r}.", vendor_code=code)
    return vendor


def list_vendors(session: Session) -> Sequence[Vendor]:
    """The vendors the session's scope may see, by code."""
    return session.scalars(select(Vendor).order_by(Vendor.code).limit(1000)).all()


def select_vendors() -> Select[Any]:
    """Vendors with the names of their company and platforms, of those that the reader may see."""
    platforms = (
        select(func.array_agg(aggregate_order_by(Platform.name, Platform.name)))
        .join(VendorPlatform, VendorPlatform.platform_id == Platform.id)
        .where(VendorPlatform.vendor_id == Vendor.id)
        .correlate(Vendor)
        .scalar_subquery()
    )
    return select(
        Vendor.id,
        Vendor.code,
        Vendor.name,
        Vendor.default_language,
        Vendor.is_active,
        Vendor.created_at,
        Company.name.label("company"),
        platforms.label("platforms"),
    ).join(Company, Company.id == Vendor.company_id)


def matching(words: str) -> ColumnElement[bool]:
    """Whose name, code or company holds the words."""
    return or_(
        *(column.icontains(words, autoescape=True) for column in (Vendor.name, Vendor.code, Company.name))
    )


def is_on(platform_ids: Sequence[UUID]) -> ColumnElement[bool]:
    """Who is on one of the platforms."""
    return Vendor.id.in_(select(VendorPlatform.vendor_id).where(VendorPlatform.platform_id.in_(platform_ids)))


def vendor_names() -> Subquery:
    """Ids, codes and names of the vendors that a session sees, to be joined into lists of other modules."""
    return select(Vendor.id, Vendor.code, Vendor.name).subquery("vendor_names")


def list_jobs(session: Session, vendor_id: UUID) -> Sequence[Job]:
    """The vendor's latest background work."""
    return session.scalars(
        select(Job).where(Job.vendor_id == vendor_id).order_by(Job.id.desc()).limit(_JOBS)
    ).all()


def _subdomain(code: str) -> str:
    return code.lower().replace("_", "-")


def _checked_code(code: str) -> str:
    code = code.strip().upper()
    if not _CODE.fullmatch(code):
        error = FieldError("code", "form", "tenancy.errors.vendor_code", {})
        raise ValidationFailedError(f"{code!r} is no code of a vendor.", errors=[error])
    return code


def _checked_language(field: str, language: str) -> str:
    if language not in LANGUAGES:
        error = FieldError(field, "unknown", "tenancy.errors.language", {})
        raise ValidationFailedError(f"{language!r} is not offered.", errors=[error])
    return language


def _require_platforms(
    session: Session, platform_ids: Collection[UUID], new: Collection[UUID] | None = None
) -> None:
    known = {row.id: row for row in session.scalars(select(Platform).where(Platform.id.in_(platform_ids)))}
    if not known or set(platform_ids) - set(known):
        error = FieldError("platform_ids", "missing", "tenancy.errors.platforms", {})
        raise ValidationFailedError("A vendor is on at least one platform.", errors=[error])
    for platform_id in platform_ids if new is None else new:
        if not known[platform_id].is_active:
            raise PlatformSuspendedError(platform_code=known[platform_id].code)


@contextmanager
def _as(session: Session, vendor: Vendor) -> Iterator[None]:
    with acting_in(session, TenantScope(vendor.id, vendor.company_id)):
        yield


def _record(session: Session, action: str, vendor: Vendor, **details: Any) -> None:
    audit_service.record(session, action, vendor_id=vendor.id, target=to_public("vnd", vendor.id), **details)
