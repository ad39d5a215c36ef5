"""Answers the framework's question who is asking and where, under the identity role."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, or_, select
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, IdentityScope, PlatformScope, Scope, TenantScope, unit_of_work
from app.core.errors import NotFoundError, UnauthenticatedError
from app.core.logging import bind
from app.modules.base import Area
from app.modules.principal import Principal, VendorRef
from app.modules.registry import get_module
from app.modules.state import enabled_modules
from app.modules.tenancy.exceptions import VendorSuspendedError
from app.modules.tenancy.models.tenant import Company, Platform, Role, Vendor, VendorPlatform
from app.modules.tenancy.models.user import Membership, User, UserSession
from app.modules.tenancy.services import (
    operator_role_service,
    role_service,
    session_service,
    user_service,
)

# Of what belongs to the user alone, an admin who acts as them sees nothing.
_OWN = frozenset({"tenancy.vendor_profile.view"})


def resolve(area: Area, token: str, vendor_code: str | None) -> Principal:
    """The holder of a session token in an area, with their permissions there.

    Raises UnauthenticatedError for an ended session, NotFoundError for a vendor that is not theirs, and
    VendorSuspendedError for one that is on hold.
    """
    with unit_of_work(IdentityScope()) as session:
        found = session_service.find_session(session, area, token)
        if found is None:
            raise UnauthenticatedError
        held, user = found
        if area == "vendor":
            return _in_vendor(session, held, user, vendor_code or "")
        return _in_admin(session, user)


def all_permissions(area: Area, codes: Iterable[str]) -> frozenset[str]:
    """Every permission that these modules declare for an area."""
    return frozenset(
        permission.code
        for code in codes
        for permission in get_module(code).permissions
        if permission.area == area
    )


def _in_vendor(session: Session, held: UserSession, user: User, vendor_code: str) -> Principal:
    row = _belonging(session, user.id, Vendor.code == vendor_code)
    if row is None or held.acting_vendor_id not in (None, row.Vendor.id):
        raise NotFoundError
    vendor: Vendor = row.Vendor
    for held_back in (row.Company, vendor):
        if not held_back.is_active and held.acting_admin_id is None:
            raise VendorSuspendedError(vendor_name=vendor.name, reason=held_back.suspended_reason or "")
    found = _of_vendor(row, user)
    if held.acting_admin_id is None:
        return found
    bind(acting_admin_id=str(held.acting_admin_id))
    return replace(
        found,
        permissions=found.permissions - _OWN,
        acting_as=session.get_one(User, held.acting_admin_id).name,
    )


def _belonging(session: Session, user_id: UUID, vendor: ColumnElement[bool]) -> Row[Any] | None:
    """A vendor with what a user is there: an owner of its company, or a member with the permissions of a role."""
    platforms = select(VendorPlatform.platform_id).where(VendorPlatform.vendor_id == Vendor.id)
    columns: Sequence[Any] = (
        Vendor,
        Company,
        Membership.company_id,
        Role.permissions,
        func.array(platforms.correlate(Vendor).scalar_subquery()).label("platforms"),
    )
    statement = (
        select(*columns)
        .join(Company, Company.id == Vendor.company_id)
        .join(Membership, or_(Membership.vendor_id == Vendor.id, Membership.company_id == Vendor.company_id))
        .outerjoin(Role, Role.id == Membership.role_id)
        .where(vendor, Membership.user_id == user_id)
        .order_by(Membership.company_id.nulls_last())
        .limit(1)
    )
    return session.execute(statement).one_or_none()


def _of_vendor(row: Row[Any], user: User) -> Principal:
    vendor: Vendor = row.Vendor
    known = all_permissions("vendor", enabled_modules(row.platforms))
    return Principal(
        user_id=user.id,
        name=user.name,
        email=user.email,
        permissions=known if row.company_id else known & frozenset(row.permissions),
        platform_ids=tuple(row.platforms),
        scope=TenantScope(vendor.id, vendor.company_id),
        tenant_name=vendor.name,
        language=user.language or vendor.dashboard_language,
        theme=user.theme,
        vendor=VendorRef(vendor.id, vendor.code, vendor.name, vendor.company_id),
        time_zone=user.time_zone,
        has_shortcuts=user.has_shortcuts,
    )


def _in_admin(session: Session, user: User) -> Principal:
    is_everywhere = user.is_super_admin or user.is_on_all_platforms
    if is_everywhere:
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
    codes = enabled_modules(platform_ids)
    permissions = all_permissions("admin", codes)
    if not user.is_super_admin:
        of_roles = operator_role_service.permissions_of_user(session, user.id, codes)
        permissions &= of_roles | role_service.basic_permissions()
    if not is_everywhere:
        permissions -= _global_permissions(codes)
    return Principal(
        user_id=user.id,
        name=user.name,
        email=user.email,
        permissions=permissions,
        platform_ids=platform_ids,
        scope=scope,
        tenant_name="Wizamart",
        language=user.language or "en",
        theme=user.theme,
        time_zone=user.time_zone,
        has_shortcuts=user.has_shortcuts,
    )


def _global_permissions(codes: Iterable[str]) -> frozenset[str]:
    return frozenset(one.code for code in codes for one in get_module(code).permissions if one.is_global)


def _scope_of_platforms(session: Session, platform_ids: tuple[UUID, ...]) -> PlatformScope:
    rows = session.execute(
        select(Vendor.id, Vendor.company_id)
        .distinct()
        .join(VendorPlatform, VendorPlatform.vendor_id == Vendor.id)
        .where(VendorPlatform.platform_id.in_(platform_ids))
    ).all()
    return PlatformScope(platform_ids, tuple(row.id for row in rows), tuple({row.company_id for row in rows}))


def principal_of(email: str, area: Area, vendor_code: str | None) -> Principal | None:
    """What the holder of an address is in an area, of the vendor area at one vendor; None when they are nothing there.

    Opens its own transaction.
    """
    with unit_of_work(IdentityScope()) as session:
        user = user_service.find_user(session, email)
        if user is None or not user.is_active:
            return None
        if area == "admin":
            return admin_holder(session, user.id)
        row = _belonging(session, user.id, Vendor.code == (vendor_code or ""))
        return _of_vendor(row, user) if row else None


def vendor_holder(session: Session, vendor_id: UUID, user_id: UUID) -> Principal | None:
    """What somebody may do at a vendor now, and so their keys at most. Needs the identity scope.

    None when they no longer work there or are deactivated, and while the vendor or its company is on hold.
    """
    user = session.scalar(select(User).where(User.id == user_id, User.is_active))
    row = _belonging(session, user_id, Vendor.id == vendor_id) if user else None
    if user is None or row is None or not (row.Vendor.is_active and row.Company.is_active):
        return None
    # A program speaks the vendor's language unless it says another.
    return replace(_of_vendor(row, user), language=row.Vendor.dashboard_language)


def admin_holder(session: Session, user_id: UUID) -> Principal | None:
    """What an admin may do now, and so their keys at most; None when they are none any more. Identity scope."""
    user = session.scalar(select(User).where(User.id == user_id, User.is_active))
    try:
        return _in_admin(session, user) if user else None
    except UnauthenticatedError:
        return None
