"""Answers the framework's question who is asking and where, under the identity role."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, IdentityScope, PlatformScope, Scope, TenantScope, unit_of_work
from app.core.errors import NotFoundError, UnauthenticatedError
from app.modules.base import Area
from app.modules.pages import Principal, VendorRef
from app.modules.registry import get_module
from app.modules.state import enabled_modules
from app.modules.tenancy.models.tenant import Platform, Role, Vendor, VendorPlatform
from app.modules.tenancy.models.user import Membership, User
from app.modules.tenancy.services import session_service


def resolve(area: Area, token: str, vendor_code: str | None) -> Principal:
    """The holder of a session token in an area, with their permissions there.

    Raises UnauthenticatedError for an ended session and NotFoundError for a vendor that is not theirs.
    """
    with unit_of_work(IdentityScope()) as session:
        user = session_service.find_user_of(session, area, token)
        if user is None:
            raise UnauthenticatedError
        if area == "vendor":
            return _in_vendor(session, user, vendor_code or "")
        return _in_admin(session, user)


def all_permissions(area: Area, codes: Iterable[str]) -> frozenset[str]:
    """Every permission that these modules declare for an area."""
    return frozenset(
        permission.code
        for code in codes
        for permission in get_module(code).permissions
        if permission.area == area
    )


def _in_vendor(session: Session, user: User, vendor_code: str) -> Principal:
    row = session.execute(
        select(Vendor, Membership.company_id, Role.permissions)
        .join(Membership, or_(Membership.vendor_id == Vendor.id, Membership.company_id == Vendor.company_id))
        .outerjoin(Role, Role.id == Membership.role_id)
        .where(Vendor.code == vendor_code, Vendor.is_active, Membership.user_id == user.id)
        .order_by(Membership.company_id.nulls_last())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFoundError
    vendor: Vendor = row.Vendor
    platforms = session.scalars(
        select(VendorPlatform.platform_id).where(VendorPlatform.vendor_id == vendor.id)
    ).all()
    known = all_permissions("vendor", enabled_modules(platforms))
    return Principal(
        user_id=user.id,
        name=user.name,
        email=user.email,
        permissions=known if row.company_id else known & frozenset(row.permissions),
        platform_ids=tuple(platforms),
        scope=TenantScope(vendor.id, vendor.company_id),
        tenant_name=vendor.name,
        language=user.language or vendor.dashboard_language,
        theme=user.theme,
        vendor=VendorRef(vendor.id, vendor.code, vendor.name, vendor.company_id),
    )


def _in_admin(session: Session, user: User) -> Principal:
    if user.is_super_admin:
        platform_ids = tuple(session.scalars(select(Platform.id)))
        scope: Scope = SYSTEM
    else:
        platform_ids = tuple(
            platform_id
            for platform_id in session.scalars(
                select(Membership.platform_id).where(Membership.user_id == user.id)
            )
            if platform_id is not None
        )
        if not platform_ids:
            raise UnauthenticatedError
        scope = _scope_of_platforms(session, platform_ids)
    return Principal(
        user_id=user.id,
        name=user.name,
        email=user.email,
        permissions=all_permissions("admin", enabled_modules(platform_ids)),
        platform_ids=platform_ids,
        scope=scope,
        tenant_name="Wizamart",
        language=user.language or "en",
        theme=user.theme,
    )


def _scope_of_platforms(session: Session, platform_ids: tuple[UUID, ...]) -> PlatformScope:
    rows = session.execute(
        select(Vendor.id, Vendor.company_id)
        .distinct()
        .join(VendorPlatform, VendorPlatform.vendor_id == Vendor.id)
        .where(VendorPlatform.platform_id.in_(platform_ids))
    ).all()
    return PlatformScope(platform_ids, tuple(row.id for row in rows), tuple({row.company_id for row in rows}))
