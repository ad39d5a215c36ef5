"""Roles: a vendor's names for sets of permissions. Nobody gives away what they may not do themselves."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Session

from app.core.database import IdentityScope, TenantScope, acting_in
from app.core.errors import NotFoundError
from app.core.ids import new_id, to_public
from app.modules.base import Area, Permission
from app.modules.registry import get_module, modules
from app.modules.state import enabled_modules
from app.modules.tenancy.exceptions import CodeTakenError, EscalationError, RoleInUseError
from app.modules.tenancy.models.tenant import Role
from app.modules.tenancy.models.user import Invitation, Membership
from app.modules.tenancy.services import audit_service, record_service


@dataclass(frozen=True, slots=True)
class Editor:
    """Who gives or takes rights, and what they may do themselves."""

    user_id: UUID
    permissions: Collection[str]


@dataclass(frozen=True, slots=True)
class PermissionGroup:
    """What a module lets roles allow."""

    code: str
    module: str
    permissions: tuple[Permission, ...]


def permission_groups(platform_ids: Collection[UUID], area: Area = "vendor") -> list[PermissionGroup]:
    """The permissions of an area that a role can be given, by module; every role has the basic ones anyway."""
    groups = [
        PermissionGroup(
            module.code,
            module.name,
            tuple(one for one in module.permissions if one.area == area and not one.is_basic),
        )
        for module in map(get_module, enabled_modules(platform_ids))
    ]
    return [group for group in groups if group.permissions]


def create_role(
    session: Session,
    *,
    vendor_id: UUID,
    name: str,
    permissions: Collection[str],
    granted_by: Collection[str] | None = None,
) -> UUID:
    """A vendor's named set of permissions. ``granted_by`` are the permissions of who makes it; None is the platform.

    Raises CodeTakenError for a name in use and EscalationError.
    """
    name = record_service.require_text("name", name)
    require_own(permissions, granted_by)
    role = Role(id=new_id(), vendor_id=vendor_id, name=name, permissions=_complete(permissions))
    with acting_in(session, TenantScope(vendor_id)):
        _require_free(session, name, role.id)
        session.add(role)
        session.flush()
        _record(session, "tenancy.role_created", role, name=name)
    return role.id


def get_role(session: Session, role_id: UUID) -> Role:
    """A role of the session's vendor; NotFoundError."""
    role = session.get(Role, role_id)
    if role is None:
        raise NotFoundError
    return role


def list_roles(session: Session) -> Sequence[Role]:
    """The roles of the session's vendor, by name."""
    return session.scalars(select(Role).order_by(Role.name)).all()


def select_roles() -> Select[Any]:
    """The roles of the reader's vendor, with the number of permissions."""
    allows = func.cardinality(Role.permissions)
    return select(Role.id, Role.name, Role.updated_at, allows.label("allows"))


def with_counts(session: Session, rows: Sequence[Any]) -> Sequence[Any]:
    """The same rows with the number of members, which only the identity role sees."""
    with acting_in(session, IdentityScope()):
        counted = session.execute(
            select(Membership.role_id, func.count().label("members"))
            .where(Membership.role_id.in_([row.id for row in rows]))
            .group_by(Membership.role_id)
        )
        members = {row.role_id: row.members for row in counted}
    return [SimpleNamespace(**row._mapping, members=members.get(row.id, 0)) for row in rows]


def matching(words: str) -> ColumnElement[bool]:
    """Whose name holds the words."""
    return Role.name.icontains(words, autoescape=True)


def update_role(
    session: Session,
    role_id: UUID,
    *,
    name: str,
    permissions: Collection[str],
    granted_by: Collection[str],
    version: int | None = None,
) -> None:
    """Change a role; only permissions among ``granted_by``, those of who changes it, are added or taken away.

    Raises NotFoundError, ConflictError for a stale version, CodeTakenError, EscalationError.
    """
    role = get_role(session, role_id)
    record_service.require_version(role, version)
    name = record_service.require_text("name", name)
    _require_free(session, name, role.id)
    present = set(role.permissions)
    role.name, role.permissions = name, _complete(changed_permissions(present, permissions, granted_by))
    session.flush()
    _record(session, "tenancy.role_updated", role, name=name)


def delete_role(session: Session, role_id: UUID) -> None:
    """Delete a role that nobody has or is invited to; RoleInUseError, NotFoundError."""
    role = get_role(session, role_id)
    is_pending = (Invitation.accepted_at.is_(None)) & (Invitation.revoked_at.is_(None))
    of_role = Invitation.role_id == role.id
    invited = session.scalar(select(func.count()).select_from(Invitation).where(of_role, is_pending)) or 0
    with acting_in(session, IdentityScope()):
        members = session.scalar(select(func.count()).where(Membership.role_id == role.id)) or 0
    if members or invited:
        raise RoleInUseError(count=members + invited)
    session.execute(delete(Invitation).where(of_role))
    _record(session, "tenancy.role_deleted", role, name=role.name)
    session.delete(role)
    session.flush()


def require_assignable(role: Role, granted_by: Collection[str] | None) -> None:
    """EscalationError when the role allows more than who gives it may do; None is an owner, who may do everything."""
    require_own(role.permissions, granted_by)


def changed_permissions(
    present: Collection[str], wanted: Collection[str], granted_by: Collection[str]
) -> set[str]:
    """What a role allows after an edit by somebody who may do ``granted_by``; EscalationError when that is not enough.

    What the editor may not do, or what belongs to a module that is off, is not theirs to change: it stays.
    """
    own, kept = set(granted_by), set(present)
    require_own(set(wanted) - kept, own)
    return (set(wanted) & own) | (kept - own)


def require_own(permissions: Collection[str], granted_by: Collection[str] | None) -> None:
    """EscalationError when somebody who may do ``granted_by`` would give more; None may give everything."""
    if granted_by is not None and set(permissions) - basic_permissions() - set(granted_by):
        raise EscalationError


def basic_permissions() -> set[str]:
    """What everybody may do in their area: open their home and their profile."""
    return {one.code for module in modules().values() for one in module.permissions if one.is_basic}


def _complete(permissions: Collection[str]) -> list[str]:
    """With what everybody needs."""
    basic = {
        one.code
        for module in modules().values()
        for one in module.permissions
        if one.is_basic and one.area == "vendor"
    }
    return sorted(basic | set(permissions))


def _require_free(session: Session, name: str, role_id: UUID) -> None:
    same = select(Role.id).where(func.lower(Role.name) == name.lower(), Role.id != role_id)
    if session.scalar(same.limit(1)):
        raise CodeTakenError("name", name)


def _record(session: Session, action: str, role: Role, **details: Any) -> None:
    audit_service.record(
        session, action, vendor_id=role.vendor_id, target=to_public("rol", role.id), **details
    )
