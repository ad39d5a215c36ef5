"""Who works for a vendor: the owners of its company, and members with a role.

Functions take the vendor's own transaction and look at users under the identity role inside of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from app.core.database import IdentityScope, ScopedSession, TenantScope, acting_in
from app.core.errors import ForbiddenError, NotFoundError
from app.core.ids import to_public
from app.modules.entitlements import check_editable
from app.modules.principal import VendorRef
from app.modules.tenancy.models.tenant import Role
from app.modules.tenancy.models.user import Membership, User
from app.modules.tenancy.services import audit_service, role_service, user_service
from app.modules.tenancy.services.role_service import Editor

TEAM_MEMBERS = "tenancy.team_members"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works for a vendor; an owner has no role."""

    membership_id: UUID
    user_id: UUID
    name: str
    email: str
    role_id: UUID | None
    role: str | None
    is_owner: bool
    is_active: bool
    last_sign_in_at: datetime | None


def list_members(session: Session, vendor: VendorRef) -> Sequence[Member]:
    """Owners and members, owners first, by name."""
    statement = (
        select(Membership, User, Role.name)
        .join(User, User.id == Membership.user_id)
        .outerjoin(Role, Role.id == Membership.role_id)
        .where(or_(Membership.vendor_id == vendor.id, Membership.company_id == vendor.company_id))
        .order_by(Membership.company_id.is_(None), User.name, Membership.id)
        .limit(1000)
    )
    with acting_in(session, IdentityScope()):
        rows = session.execute(statement).all()
    return [
        Member(
            membership.id,
            user.id,
            user.name,
            user.email,
            membership.role_id,
            role,
            membership.company_id is not None,
            user.is_active,
            user.last_sign_in_at,
        )
        for membership, user, role in rows
    ]


def select_members(session: Session) -> Select[Any]:
    """Owners and members of the vendor of a session in that vendor's scope; to be read under the identity role."""
    assert isinstance(session, ScopedSession)
    place = session.scope
    assert isinstance(place, TenantScope)
    columns: Sequence[Any] = (
        Membership.id,
        User.name,
        User.email,
        User.last_sign_in_at,
        Role.name.label("role"),
        Membership.company_id.is_not(None).label("is_owner"),
    )
    return (
        select(*columns)
        .join(User, User.id == Membership.user_id)
        .outerjoin(Role, Role.id == Membership.role_id)
        .where(or_(Membership.vendor_id == place.vendor_id, Membership.company_id == place.company_id))
    )


def matching(words: str) -> ColumnElement[bool]:
    """Whose name or address holds the words."""
    return or_(User.name.icontains(words, autoescape=True), User.email.icontains(words, autoescape=True))


def get_member(session: Session, vendor: VendorRef, membership_id: UUID) -> Member:
    """One of them; NotFoundError for somebody of another vendor."""
    for member in list_members(session, vendor):
        if member.membership_id == membership_id:
            return member
    raise NotFoundError


def is_owner(session: Session, vendor: VendorRef, user_id: UUID) -> bool:
    """Whether a user owns the vendor's company."""
    statement = select(Membership.id).filter_by(company_id=vendor.company_id, user_id=user_id)
    with acting_in(session, IdentityScope()):
        return session.scalar(statement) is not None


def grantable(session: Session, vendor: VendorRef, editor: Editor) -> Collection[str] | None:
    """The permissions that somebody may give away: their own; None is everything, for owners."""
    return None if is_owner(session, vendor, editor.user_id) else editor.permissions


def change_role(
    session: Session, vendor: VendorRef, membership_id: UUID, role_id: UUID, editor: Editor
) -> None:
    """Give a member another role.

    Raises NotFoundError for who is no member, ForbiddenError for owners, EscalationError when the new or the former
    role allows more than the editor may do, SurplusError for who is over the limit of the vendor's plan.
    """
    member = get_member(session, vendor, membership_id)
    if member.role_id is None:
        raise ForbiddenError
    role, may_grant = role_service.get_role(session, role_id), grantable(session, vendor, editor)
    role_service.require_assignable(role, may_grant)
    role_service.require_assignable(role_service.get_role(session, member.role_id), may_grant)
    check_editable(session, vendor.id, TEAM_MEMBERS, partial(_position, session, vendor, membership_id))
    with acting_in(session, IdentityScope()):
        session.get_one(Membership, membership_id).role_id = role.id
    _record(session, "tenancy.member_role_changed", vendor, member, role=role.name)


def _position(session: Session, vendor: VendorRef, membership_id: UUID) -> int:
    """The how manieth of the members somebody is by age; ids rise with time."""
    older = select(func.count()).where(Membership.vendor_id == vendor.id, Membership.id <= membership_id)
    with acting_in(session, IdentityScope()):
        return session.scalar(older) or 0


def remove_member(session: Session, vendor: VendorRef, membership_id: UUID, editor: Editor) -> None:
    """Take somebody out of the team; an owner loses all vendors of the company.

    Raises NotFoundError, LastOwnerError, ForbiddenError when somebody else than an owner removes an owner,
    EscalationError when the member may do more than the editor.
    """
    member = get_member(session, vendor, membership_id)
    may_grant = grantable(session, vendor, editor)
    if member.is_owner and may_grant is not None:
        raise ForbiddenError
    if member.role_id is not None:
        role_service.require_assignable(role_service.get_role(session, member.role_id), may_grant)
    with acting_in(session, IdentityScope()):
        user_service.remove_membership(session, membership_id)
    action = "tenancy.owner_removed" if member.is_owner else "tenancy.member_removed"
    _record(session, action, vendor, member)


def _record(session: Session, action: str, vendor: VendorRef, member: Member, **details: Any) -> None:
    target = to_public("mbr", member.membership_id)
    audit_service.record(session, action, vendor_id=vendor.id, target=target, email=member.email, **details)
