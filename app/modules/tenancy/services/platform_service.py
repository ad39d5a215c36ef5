"""Platforms: the operator's business offerings."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, unit_of_work
from app.core.errors import FieldError, NotFoundError, ValidationFailedError
from app.core.ids import to_public
from app.modules.tenancy.contracts import PlatformInfo
from app.modules.tenancy.exceptions import CodeTakenError
from app.modules.tenancy.models.tenant import Platform, Vendor, VendorPlatform
from app.modules.tenancy.services import audit_service, record_service

_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{1,31}")


def create_platform(session: Session, *, code: str, name: str) -> UUID:
    """A new platform. Needs the system scope. Raises CodeTakenError, ValidationFailedError."""
    code, name = code.strip().lower(), record_service.require_text("name", name)
    if not _CODE.fullmatch(code):
        error = FieldError("code", "form", "tenancy.errors.platform_code", {})
        raise ValidationFailedError(f"{code!r} is no code of a platform.", errors=[error])
    if session.scalar(select(Platform.id).where(Platform.code == code)):
        raise CodeTakenError("code", code)
    platform = Platform(code=code, name=name)
    session.add(platform)
    session.flush()
    _record(session, "tenancy.platform_created", platform, code=code)
    return platform.id


def get_platform(session: Session, platform_id: UUID) -> Platform:
    """A platform the session may see; NotFoundError."""
    platform = session.get(Platform, platform_id)
    if platform is None:
        raise NotFoundError
    return platform


def update_platform(session: Session, platform_id: UUID, *, name: str, version: int | None = None) -> None:
    """Rename a platform. Raises NotFoundError, ConflictError for a stale version."""
    platform = get_platform(session, platform_id)
    record_service.require_version(platform, version)
    platform.name = record_service.require_text("name", name)
    session.flush()
    _record(session, "tenancy.platform_updated", platform, name=platform.name)


def suspend_platform(session: Session, platform_id: UUID, reason: str) -> None:
    """Let no new vendors onto a platform; those on it go on working."""
    platform = get_platform(session, platform_id)
    record_service.suspend(platform, reason)
    _record(session, "tenancy.platform_suspended", platform, reason=platform.suspended_reason)


def reactivate_platform(session: Session, platform_id: UUID) -> None:
    """Let new vendors onto a platform again."""
    platform = get_platform(session, platform_id)
    record_service.reactivate(platform)
    _record(session, "tenancy.platform_reactivated", platform)


def list_platforms(session: Session) -> Sequence[PlatformInfo]:
    """The platforms the session's scope may see, by name."""
    rows = session.scalars(select(Platform).order_by(Platform.name))
    return [PlatformInfo(row.id, row.code, row.name) for row in rows]


def select_platforms() -> Select[Any]:
    """Platforms with the number of their vendors, of those that the reader may see."""
    vendors = (
        select(func.count())
        .where(VendorPlatform.platform_id == Platform.id)
        .correlate(Platform)
        .scalar_subquery()
    )
    return select(
        Platform.id,
        Platform.code,
        Platform.name,
        Platform.is_active,
        Platform.created_at,
        vendors.label("vendors"),
    )


def matching(words: str) -> ColumnElement[bool]:
    """Whose name or code holds the words."""
    return or_(
        Platform.name.icontains(words, autoescape=True), Platform.code.icontains(words, autoescape=True)
    )


def list_vendors_of(session: Session, platform_id: UUID) -> Sequence[Vendor]:
    """The vendors on a platform, by name; the first 200."""
    return session.scalars(
        select(Vendor)
        .join(VendorPlatform, VendorPlatform.vendor_id == Vendor.id)
        .where(VendorPlatform.platform_id == platform_id)
        .order_by(Vendor.name)
        .limit(200)
    ).all()


def platform_codes(session: Session) -> dict[str, UUID]:
    """All platforms the session may see, by code; the framework asks this to switch modules."""
    return {row.code: row.id for row in session.execute(select(Platform.code, Platform.id))}


def platforms_of_vendor(vendor_id: UUID) -> tuple[UUID, ...]:
    """The platforms a vendor is on; the framework asks this to decide about modules."""
    with unit_of_work(SYSTEM) as session:
        statement = select(VendorPlatform.platform_id).where(VendorPlatform.vendor_id == vendor_id)
        return tuple(session.scalars(statement))


def _record(session: Session, action: str, platform: Platform, **details: Any) -> None:
    audit_service.record(session, action, target=to_public("plt", platform.id), **details)
