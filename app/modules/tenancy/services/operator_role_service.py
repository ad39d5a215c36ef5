"""Roles of the operator's people: names for sets of permissions of the admin area.

Roles add up. On which platforms they count say the user's memberships, or that they are on all platforms; what is
``is_global`` counts for the latter only. A super admin may do everything without a role. Functions may be called in
any scope.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, delete, func, select
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, IdentityScope, acting_in
from app.core.errors import NotFoundError
from app.core.i18n import translate
from app.core.ids import new_id, to_public
from app.modules.base import ModuleClass, ModuleDefinition, Permission
from app.modules.registry import get_module, modules
from app.modules.tenancy.exceptions import BuiltInRoleError, CodeTakenError, EscalationError, RoleInUseError
from app.modules.tenancy.models.user import Invitation, OperatorRole, OperatorRoleGrant, User
from app.modules.tenancy.services import audit_service, record_service, role_service
from app.modules.tenancy.services.role_service import Editor

SUPER_ADMIN = "super_admin"
_Rule = Callable[[ModuleDefinition, Permission], bool]


def _is_view(one: Permission) -> bool:
    return one.code.rpartition(".")[2].partition("_")[0] == "view"  # `…orders.view`, `billing.view_tiers`


_DEVELOPER_TOO = frozenset({"core.modules.view", "core.admin_problems.view", "core.admin_raw_data.read"})
# What the built-in roles allow of whatever modules declare.
_RULES: Mapping[str, _Rule] = {
    SUPER_ADMIN: lambda _module, _one: True,
    "platform_admin": lambda _module, one: not one.is_global,
    "support": lambda _module, one: (
        (_is_view(one) and not one.is_global) or one.code == "tenancy.vendors.impersonate"
    ),
    "developer": lambda module, one: (
        (_is_view(one) and module.module_class is ModuleClass.INTERNAL) or one.code in _DEVELOPER_TOO
    ),
}
BUILT_IN = tuple(_RULES)


def permissions_of(role: OperatorRole, codes: Iterable[str]) -> frozenset[str]:
    """What a role allows in the admin area of what these modules declare."""
    rule = _RULES.get(role.code or "")
    return frozenset(
        one.code
        for module in map(get_module, codes)
        for one in module.permissions
        if one.area == "admin" and (rule(module, one) if rule else one.code in role.permissions)
    )


def permissions_of_user(session: Session, user_id: UUID, codes: Iterable[str]) -> frozenset[str]:
    """What all roles of somebody allow together."""
    known = tuple(codes)
    return frozenset().union(*(permissions_of(role, known) for role in list_roles_of(session, user_id)))


def name_of(role: OperatorRole, language: str) -> str:
    """What people call a role; the built-in ones in their language."""
    return translate(language, f"tenancy.built_in_roles.{role.code}") if role.code else role.name


def list_roles_of(session: Session, user_id: UUID) -> Sequence[OperatorRole]:
    """The roles of somebody, by name."""
    statement = (
        select(OperatorRole)
        .join(OperatorRoleGrant, OperatorRoleGrant.role_id == OperatorRole.id)
        .where(OperatorRoleGrant.user_id == user_id)
        .order_by(OperatorRole.name)
    )
    with acting_in(session, IdentityScope()):
        return session.scalars(statement).all()


def list_assignable(session: Session, editor: Editor) -> Sequence[OperatorRole]:
    """The roles that somebody may give others: those that allow no more than they may do; by name."""
    statement = select(OperatorRole).where(_is_role_to_give()).order_by(OperatorRole.name)
    with acting_in(session, IdentityScope()):
        roles = session.scalars(statement).all()
        is_super = session.get_one(User, editor.user_id).is_super_admin
    return [role for role in roles if is_super or not _surplus(role, editor)]


def get_role(session: Session, role_id: UUID) -> OperatorRole:
    """A role; NotFoundError."""
    with acting_in(session, IdentityScope()):
        role = session.get(OperatorRole, role_id)
    if role is None:
        raise NotFoundError
    return role


def get_built_in(session: Session, code: str) -> OperatorRole:
    """A role that is built in, by its code."""
    with acting_in(session, IdentityScope()):
        return session.scalars(select(OperatorRole).where(OperatorRole.code == code)).one()


def list_members(session: Session, role: OperatorRole) -> Sequence[User]:
    """Who has a role, by name."""
    statement = select(User).order_by(User.name).limit(1000)
    if role.code == SUPER_ADMIN:
        statement = statement.where(User.is_super_admin)
    else:
        statement = statement.join(OperatorRoleGrant).where(OperatorRoleGrant.role_id == role.id)
    with acting_in(session, IdentityScope()):
        return session.scalars(statement).all()


def select_roles(language: str) -> Select[Any]:
    """All roles with their names in a language; to be read under the identity role."""
    columns: Sequence[Any] = (
        OperatorRole.id,
        OperatorRole.code,
        OperatorRole.permissions,
        OperatorRole.updated_at,
        named(language).label("name"),
    )
    return select(*columns)


def named(language: str) -> ColumnElement[str]:
    """The name of a role in a language, in SQL."""
    texts = {code: translate(language, f"tenancy.built_in_roles.{code}") for code in BUILT_IN}
    return case(texts, value=OperatorRole.code, else_=OperatorRole.name)


def with_counts(session: Session, rows: Sequence[Any]) -> Sequence[Any]:
    """The same rows with the number of permissions and of members."""
    with acting_in(session, IdentityScope()):
        counted = session.execute(
            select(OperatorRoleGrant.role_id, func.count().label("members"))
            .where(OperatorRoleGrant.role_id.in_([row.id for row in rows]))
            .group_by(OperatorRoleGrant.role_id)
        )
        members = {row.role_id: row.members for row in counted}
        supers = session.scalar(select(func.count()).select_from(User).where(User.is_super_admin)) or 0
    return [
        SimpleNamespace(
            **row._mapping,
            allows=len(permissions_of(row, modules()) - role_service.basic_permissions()),
            members=supers if row.code == SUPER_ADMIN else members.get(row.id, 0),
        )
        for row in rows
    ]


def matching(words: str) -> ColumnElement[bool]:
    """Whose name holds the words."""
    return OperatorRole.name.icontains(words, autoescape=True)


def create_role(session: Session, *, name: str, permissions: Collection[str], editor: Editor) -> UUID:
    """A named set of permissions. Raises CodeTakenError for a name in use and EscalationError."""
    name = record_service.require_text("name", name)
    role_service.require_own(permissions, editor.permissions)
    role = OperatorRole(id=new_id(), name=name, permissions=sorted(permissions))
    with acting_in(session, IdentityScope()):
        _require_free(session, name, role.id)
        session.add(role)
        session.flush()
    _record(session, "tenancy.operator_role_created", role)
    return role.id


def update_role(
    session: Session,
    role_id: UUID,
    *,
    name: str,
    permissions: Collection[str],
    editor: Editor,
    version: int | None = None,
) -> None:
    """Change a role; only permissions that the editor has are added or taken away. It acts at the next request.

    Raises NotFoundError, ConflictError for a stale version, BuiltInRoleError, CodeTakenError, EscalationError.
    """
    role = _get_own(session, role_id)
    record_service.require_version(role, version)
    name = record_service.require_text("name", name)
    changed = role_service.changed_permissions(role.permissions, permissions, editor.permissions)
    before = set(role.permissions)
    with acting_in(session, IdentityScope()):
        _require_free(session, name, role.id)
        role.name, role.permissions = name, sorted(changed)
        session.flush()
    added, removed = sorted(changed - before), sorted(before - changed)
    _record(session, "tenancy.operator_role_updated", role, added=added, removed=removed)


def delete_role(session: Session, role_id: UUID) -> None:
    """Delete a role that nobody has or is invited to. Raises RoleInUseError, NotFoundError, BuiltInRoleError."""
    role = _get_own(session, role_id)
    of_role = Invitation.operator_role_id == role.id
    with acting_in(session, SYSTEM):
        is_pending = Invitation.accepted_at.is_(None) & Invitation.revoked_at.is_(None)
        invited = session.scalar(select(func.count()).select_from(Invitation).where(of_role, is_pending)) or 0
    with acting_in(session, IdentityScope()):
        members = session.scalar(select(func.count()).where(OperatorRoleGrant.role_id == role.id)) or 0
    if members or invited:
        raise RoleInUseError(count=members + invited)
    with acting_in(session, SYSTEM):
        session.execute(delete(Invitation).where(of_role))
    with acting_in(session, IdentityScope()):
        session.delete(role)
        session.flush()
    _record(session, "tenancy.operator_role_deleted", role)


def set_roles(session: Session, user_id: UUID, role_ids: Collection[UUID], editor: Editor) -> None:
    """Give somebody these roles of those that the editor may give; others that they have stay.

    Raises NotFoundError for a role that is not to be given, EscalationError.
    """
    offered = {role.id: role for role in list_assignable(session, editor)}
    if not set(role_ids) <= set(offered):
        raise NotFoundError
    with acting_in(session, IdentityScope()):
        user = session.get(User, user_id)
        if user is None:
            raise NotFoundError
        require_outranks(session, user, editor)
        present = {role.id for role in list_roles_of(session, user.id)} & set(offered)
        wanted = set(role_ids)
        for role_id in sorted(wanted - present):
            grant(session, user.id, role_id)
        gone = OperatorRoleGrant.role_id.in_(present - wanted)
        session.execute(delete(OperatorRoleGrant).where(OperatorRoleGrant.user_id == user.id, gone))
    if wanted == present:
        return
    with acting_in(session, SYSTEM):
        audit_service.record(
            session,
            "tenancy.operator_roles_changed",
            target=to_public("usr", user_id),
            added=[offered[key].name for key in sorted(wanted - present)],
            removed=[offered[key].name for key in sorted(present - wanted)],
        )


def grant(session: Session, user_id: UUID, role_id: UUID) -> None:
    """Give somebody a role, whatever they have; who may do that is the caller's question. Needs the identity scope."""
    if session.get(OperatorRoleGrant, (user_id, role_id)) is None:
        session.add(OperatorRoleGrant(user_id=user_id, role_id=role_id))
        session.flush()


def require_assignable(session: Session, role_id: UUID, editor: Editor) -> OperatorRole:
    """The role, if the editor may give it; NotFoundError, EscalationError."""
    role = get_role(session, role_id)
    if role.id not in {one.id for one in list_assignable(session, editor)}:
        raise EscalationError
    return role


def require_outranks(session: Session, user: User, editor: Editor | None) -> None:
    """EscalationError when somebody may do more than who changes them. None is the command line, which may do all.

    Needs the identity scope.
    """
    if editor is None or session.get_one(User, editor.user_id).is_super_admin:
        return
    if user.is_super_admin or permissions_of_user(session, user.id, modules()) - set(editor.permissions):
        raise EscalationError


def _is_role_to_give() -> ColumnElement[bool]:
    return OperatorRole.code.is_distinct_from(SUPER_ADMIN)


def _surplus(role: OperatorRole, editor: Editor) -> set[str]:
    basic = role_service.basic_permissions()
    return set(permissions_of(role, modules())) - basic - set(editor.permissions)


def _get_own(session: Session, role_id: UUID) -> OperatorRole:
    role = get_role(session, role_id)
    if role.code is not None:
        raise BuiltInRoleError
    return role


def _require_free(session: Session, name: str, role_id: UUID) -> None:
    same = select(OperatorRole.id).where(
        func.lower(OperatorRole.name) == name.lower(), OperatorRole.id != role_id
    )
    if session.scalar(same.limit(1)):
        raise CodeTakenError("name", name)


def _record(session: Session, action: str, role: OperatorRole, **details: Any) -> None:
    with acting_in(session, SYSTEM):
        audit_service.record(session, action, target=to_public("orl", role.id), name=role.name, **details)
