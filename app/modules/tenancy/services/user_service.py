"""Users and what ties them to platforms, companies and vendors. Most functions need the identity scope."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, or_, select
from sqlalchemy.orm import Session

from app.core import security
from app.core.database import SYSTEM, IdentityScope, acting_in
from app.core.errors import FieldError, NotFoundError, ValidationFailedError
from app.core.ids import to_public
from app.modules.tenancy.contracts import UserInfo
from app.modules.tenancy.exceptions import (
    AlreadyMemberError,
    CodeTakenError,
    EscalationError,
    LastOwnerError,
    LastSuperAdminError,
    OwnAccountError,
)
from app.modules.tenancy.models.tenant import Company, Platform, Role, Vendor
from app.modules.tenancy.models.user import Membership, User, UserSession
from app.modules.tenancy.services import audit_service, operator_role_service, two_step_service
from app.modules.tenancy.services.role_service import Editor

COMMAND_LINE = "command line"
_EMAIL = re.compile(r"[^\s@<>(),:;\"\\\[\]]+@[^\s@<>(),:;\"\\\[\]]+\.[^\s@<>(),:;\"\\\[\]]+")


@dataclass(frozen=True, slots=True)
class Belonging:
    """One place of a user: ``kind`` is platform, company or vendor; a team member's ``role`` by name."""

    membership_id: UUID
    kind: str
    place_id: UUID
    name: str
    role: str | None = None


def normalise_email(email: str) -> str:
    """The form in which addresses are compared."""
    return email.strip().casefold()


def create_user(
    session: Session, *, email: str, name: str, password: str | None, is_super_admin: bool = False
) -> UUID:
    """A new user. Needs the identity scope.

    Raises CodeTakenError when the address is in use and ValidationFailedError for a weak password.
    """
    norm = require_email("email", email)
    if session.scalar(select(User.id).where(User.email_norm == norm)):
        raise CodeTakenError("email", email.strip())
    if password is not None:
        require_strong_password(password, email, name)
    user = User(
        email=email.strip(),
        email_norm=norm,
        name=name,
        password_hash=security.hash_password(password) if password is not None else None,
        is_super_admin=is_super_admin,
    )
    session.add(user)
    session.flush()
    return user.id


def require_strong_password(password: str, *known: str) -> None:
    """Raise ValidationFailedError naming every weakness."""
    weaknesses = security.check_password_strength(password, known)
    if weaknesses:
        raise ValidationFailedError(
            f"The password is too weak: {', '.join(weaknesses)}.",
            errors=[FieldError("password", code, f"tenancy.password.{code}", {}) for code in weaknesses],
        )


def require_email(field: str, email: str) -> str:
    """The form in which an address is compared; ValidationFailedError when it is none."""
    if not _EMAIL.fullmatch(email.strip()) or len(email) > 254:
        error = FieldError(field, "form", "tenancy.errors.email", {})
        raise ValidationFailedError(f"{email!r} is no e-mail address.", errors=[error])
    return normalise_email(email)


def add_membership(
    session: Session,
    user_id: UUID,
    *,
    platform_id: UUID | None = None,
    company_id: UUID | None = None,
    vendor_id: UUID | None = None,
    role_id: UUID | None = None,
) -> UUID:
    """Tie a user to one place; a team member of a vendor has a role. Raises AlreadyMemberError."""
    place = {"platform_id": platform_id, "company_id": company_id, "vendor_id": vendor_id}
    if session.scalar(select(Membership.id).filter_by(user_id=user_id, **place)):
        raise AlreadyMemberError(
            "platform_id" if platform_id else "email", session.get_one(User, user_id).email
        )
    membership = Membership(user_id=user_id, role_id=role_id, **place)
    session.add(membership)
    session.flush()
    return membership.id


def get_user(session: Session, user_id: UUID) -> User:
    """A user; NotFoundError."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFoundError
    return user


def find_user(session: Session, email: str) -> User | None:
    """Who has an address. Needs the identity scope."""
    return session.scalar(select(User).where(User.email_norm == normalise_email(email)))


def find_users(session: Session, user_ids: Collection[UUID]) -> list[UserInfo]:
    """Users by id, whatever the session's scope; those who may no longer sign in are left out."""
    with acting_in(session, IdentityScope()):
        rows = session.scalars(select(User).where(User.id.in_(user_ids), User.is_active)).all()
    return [UserInfo(row.id, row.name, row.email, row.language) for row in rows]


def select_users() -> Select[Any]:
    """All users; only for readers who may see everybody."""
    columns: Sequence[Any] = (
        User.id,
        User.name,
        User.email,
        User.is_super_admin,
        User.is_active,
        User.last_sign_in_at,
        User.totp_confirmed_at.is_not(None).label("has_two_step"),
    )
    return select(*columns)


def matching(words: str) -> ColumnElement[bool]:
    """Whose name or address holds the words."""
    return or_(User.name.icontains(words, autoescape=True), User.email.icontains(words, autoescape=True))


def list_belongings(session: Session, user_id: UUID) -> list[Belonging]:
    """The places of a user: platforms, companies, vendors."""
    rows = session.execute(
        select(Membership, Platform.name, Company.name, Vendor.name, Role.name)
        .outerjoin(Platform, Platform.id == Membership.platform_id)
        .outerjoin(Company, Company.id == Membership.company_id)
        .outerjoin(Vendor, Vendor.id == Membership.vendor_id)
        .outerjoin(Role, Role.id == Membership.role_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.id)
    )
    found = []
    for membership, platform, company, vendor, role in rows:
        for kind, key, name in (
            ("platform", membership.platform_id, platform),
            ("company", membership.company_id, company),
            ("vendor", membership.vendor_id, vendor),
        ):
            if key is not None:
                found.append(Belonging(membership.id, kind, key, name, role))
    return found


def list_owners(session: Session, company_id: UUID) -> Sequence[User]:
    """Who owns a company, by name."""
    return session.scalars(
        select(User).join(Membership).where(Membership.company_id == company_id).order_by(User.name)
    ).all()


def remove_membership(session: Session, membership_id: UUID) -> Membership:
    """Take somebody out of a place. Raises NotFoundError, and LastOwnerError for a company's last owner."""
    membership = session.get(Membership, membership_id)
    if membership is None:
        raise NotFoundError
    if membership.company_id is not None:
        require_other_owner(session, membership.company_id, membership.user_id)
    session.delete(membership)
    session.flush()
    return membership


def require_other_owner(session: Session, company_id: UUID, user_id: UUID) -> None:
    """LastOwnerError unless somebody else who may sign in owns the company too. Locks out a second such question."""
    session.execute(select(Membership.id).where(Membership.company_id == company_id).with_for_update())
    others = (
        select(func.count())
        .select_from(Membership)
        .join(User)
        .where(Membership.company_id == company_id, Membership.user_id != user_id, User.is_active)
    )
    if not session.scalar(others):
        raise LastOwnerError


def grant_super_admin(session: Session, user_id: UUID, by: Editor | None) -> None:
    """Let somebody do everything everywhere. EscalationError unless a super admin or the command line (None) does."""
    user = get_user(session, user_id)
    if by is not None and not get_user(session, by.user_id).is_super_admin:
        raise EscalationError
    user.is_super_admin = True
    _audit(session, "tenancy.super_admin_granted", user, by)


def revoke_super_admin(session: Session, user_id: UUID, by: Editor | None) -> None:
    """Take that away again; EscalationError, LastSuperAdminError for the last one."""
    user = get_user(session, user_id)
    operator_role_service.require_outranks(session, user, by)
    _require_other_super_admin(session, user)
    user.is_super_admin = False
    _audit(session, "tenancy.super_admin_revoked", user, by)


def deactivate(session: Session, user_id: UUID, by: Editor | None) -> None:
    """Let somebody sign in no more, and end their sessions. ``by`` None is the command line, which may do all.

    Raises OwnAccountError, EscalationError, LastSuperAdminError, LastOwnerError for the last owner of a company.
    """
    user = get_user(session, user_id)
    if by is not None and user.id == by.user_id:
        raise OwnAccountError
    operator_role_service.require_outranks(session, user, by)
    _require_other_super_admin(session, user)
    for company_id in session.scalars(select(Membership.company_id).where(Membership.user_id == user.id)):
        if company_id is not None:
            require_other_owner(session, company_id, user.id)
    user.is_active = False
    session.execute(delete(UserSession).where(UserSession.user_id == user.id))
    _audit(session, "tenancy.user_deactivated", user, by)


def reactivate(session: Session, user_id: UUID, by: Editor | None) -> None:
    """Let somebody sign in again; EscalationError."""
    user = get_user(session, user_id)
    operator_role_service.require_outranks(session, user, by)
    user.is_active = True
    _audit(session, "tenancy.user_reactivated", user, by)


def grant_platform(session: Session, user_id: UUID, platform_id: UUID | None, by: Editor | None) -> None:
    """Let somebody's operator roles count on a platform; None is all of them. Whatever the session's scope.

    Raises AlreadyMemberError, EscalationError.
    """
    with acting_in(session, IdentityScope()):
        user = get_user(session, user_id)
        operator_role_service.require_outranks(session, user, by)
        join_platform(session, user.id, platform_id)
        _audit(session, "tenancy.place_added", user, by)


def join_platform(session: Session, user_id: UUID, platform_id: UUID | None) -> None:
    """Make somebody an operator of a platform, or of all. Needs the identity scope. Raises AlreadyMemberError."""
    user = get_user(session, user_id)
    if platform_id is not None:
        add_membership(session, user_id, platform_id=platform_id)
        return
    if user.is_on_all_platforms:
        raise AlreadyMemberError("platform_id", user.email)
    user.is_on_all_platforms = True
    session.flush()


def leave_all_platforms(session: Session, user_id: UUID, by: Editor | None) -> None:
    """From now on only the platforms count that somebody is on by name. Raises NotFoundError, EscalationError."""
    user = get_user(session, user_id)
    if not user.is_on_all_platforms:
        raise NotFoundError
    operator_role_service.require_outranks(session, user, by)
    user.is_on_all_platforms = False
    _audit(session, "tenancy.place_removed", user, by)


def remove_place(session: Session, user_id: UUID, membership_id: UUID, by: Editor | None) -> None:
    """Take somebody out of one of their places. Raises NotFoundError, EscalationError, LastOwnerError."""
    if session.scalar(select(Membership.user_id).where(Membership.id == membership_id)) != user_id:
        raise NotFoundError
    user = get_user(session, user_id)
    operator_role_service.require_outranks(session, user, by)
    remove_membership(session, membership_id)
    _audit(session, "tenancy.place_removed", user, by)


def reset_two_step(session: Session, user_id: UUID, by: Editor | None) -> None:
    """Switch the second step off for somebody who lost phone and recovery codes. Raises EscalationError."""
    user = get_user(session, user_id)
    operator_role_service.require_outranks(session, user, by)
    two_step_service.switch_off(session, user, by=None if by else COMMAND_LINE)


def sign_out_everywhere(session: Session, user_id: UUID, by: Editor | None) -> None:
    """End all sessions of somebody. Raises EscalationError."""
    user = get_user(session, user_id)
    operator_role_service.require_outranks(session, user, by)
    session.execute(delete(UserSession).where(UserSession.user_id == user.id))
    _audit(session, "tenancy.sessions_ended", user, by)


def _require_other_super_admin(session: Session, user: User) -> None:
    if not user.is_super_admin:
        return
    admins = session.scalars(select(User.id).where(User.is_super_admin, User.is_active).with_for_update())
    if set(admins) <= {user.id}:
        raise LastSuperAdminError


def _audit(session: Session, action: str, user: User, by: Editor | None) -> None:
    session.flush()
    details: dict[str, Any] = {} if by else {"by": COMMAND_LINE}
    with acting_in(session, SYSTEM):
        audit_service.record(session, action, target=to_public("usr", user.id), **details)
