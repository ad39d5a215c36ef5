"""Writing the audit log, and reading what became of a record."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, Text, or_, select
from sqlalchemy.orm import Session

from app.core.database import IdentityScope, acting_in
from app.core.logging import mask
from app.modules.pagekit.points import TimelineEntry
from app.modules.tenancy.models.audit import AuditEntry
from app.modules.tenancy.models.tenant import Vendor
from app.modules.tenancy.models.user import User

# What operators look for in the log, and the acts that belong to it.
SUBJECTS: Mapping[str, Sequence[str]] = {
    "sign_in": (
        "tenancy.signed_in",
        "tenancy.sign_in_failed",
        "tenancy.password_changed",
        "tenancy.password_reset",
        "tenancy.password_reset_requested",
        "tenancy.two_step_enabled",
        "tenancy.two_step_disabled",
        "tenancy.recovery_codes_renewed",
        "tenancy.sessions_ended",
    ),
    "people": (
        "tenancy.user_invited",
        "tenancy.invitation_resent",
        "tenancy.invitation_revoked",
        "tenancy.invitation_accepted",
        "tenancy.member_role_changed",
        "tenancy.member_removed",
        "tenancy.owner_removed",
        "tenancy.place_added",
        "tenancy.place_removed",
        "tenancy.super_admin_created",
        "tenancy.super_admin_granted",
        "tenancy.super_admin_revoked",
        "tenancy.operator_roles_changed",
        "tenancy.user_deactivated",
        "tenancy.user_reactivated",
    ),
    "acting": ("tenancy.impersonation_started", "tenancy.impersonation_ended"),
    "modules": (
        "framework.module_enabled",
        "framework.module_disabled",
        "framework.module_installed",
        "framework.module_uninstalled",
        "framework.module_purged",
    ),
}


def record(
    session: Session,
    action: str,
    *,
    vendor_id: UUID | None = None,
    actor_id: UUID | None = None,
    target: str | None = None,
    **details: Any,
) -> None:
    """Add one entry in the caller's transaction: it stands exactly when the act does. Secrets are masked.

    ``target`` is the public id of the record; its history is found by it. What an admin does as a vendor's user is the
    admin's act on behalf of that user.
    """
    ids = structlog.contextvars.get_contextvars()
    acting, user = ids.get("acting_admin_id"), ids.get("user_id")
    ip = details.pop("ip", None) or ids.get("ip")
    session.add(
        AuditEntry(
            vendor_id=vendor_id,
            actor_id=actor_id or _uuid(acting or user),
            on_behalf_of=_uuid(user) if acting else None,
            action=action,
            target=target,
            details=mask(details),
            ip=ip,
            request_id=ids.get("request_id"),
        )
    )
    session.flush()


def timeline(session: Session, target: str, limit: int) -> Sequence[TimelineEntry]:
    """The history of a record that the session's scope may see, the newest first."""
    rows = session.scalars(
        select(AuditEntry).where(AuditEntry.target == target).order_by(AuditEntry.id.desc()).limit(limit)
    ).all()
    names = user_names(session, {key for row in rows for key in (row.actor_id, row.on_behalf_of) if key})
    return [TimelineEntry(row.at, who(row, names), row.action, row.details) for row in rows]


def select_entries() -> Select[Any]:
    """What was done, of what the reader may see."""
    return select(
        AuditEntry.id,
        AuditEntry.at,
        AuditEntry.action,
        AuditEntry.target,
        AuditEntry.actor_id,
        AuditEntry.on_behalf_of,
        AuditEntry.details,
        AuditEntry.ip,
        AuditEntry.request_id,
        Vendor.name.label("vendor"),
    ).outerjoin(Vendor, Vendor.id == AuditEntry.vendor_id)


def with_names(session: Session, rows: Sequence[Any]) -> Sequence[Any]:
    """The same rows, which also say who it was: names are the identity role's to read."""
    names = user_names(session, {key for row in rows for key in (row.actor_id, row.on_behalf_of) if key})
    return [SimpleNamespace(**row._mapping, who=who(row, names)) for row in rows]


def details_text(row: Any) -> str:
    """What else was noted about an act, in one line."""
    return " · ".join(f"{name}: {value}" for name, value in row.details.items())


def matching(words: str) -> ColumnElement[bool]:
    """Acts whose code, record, request or details hold the words."""
    columns = (AuditEntry.action, AuditEntry.target, AuditEntry.request_id, AuditEntry.details.cast(Text))
    return or_(*(column.icontains(words, autoescape=True) for column in columns))


def since(values: Sequence[str]) -> ColumnElement[bool]:
    """Not before a day."""
    return AuditEntry.at >= datetime.combine(date.fromisoformat(values[0]), time(), UTC)


def until(values: Sequence[str]) -> ColumnElement[bool]:
    """Not after a day."""
    return AuditEntry.at < datetime.combine(date.fromisoformat(values[0]) + timedelta(days=1), time(), UTC)


def about(values: Sequence[str]) -> ColumnElement[bool]:
    """Of some subjects: see SUBJECTS."""
    return or_(*(AuditEntry.action.in_(SUBJECTS[value]) for value in values))


def who(row: Any, names: dict[UUID, str]) -> str | None:
    """Who did it, and as whom where it was an admin acting as somebody; None is the platform itself."""
    actor = names.get(row.actor_id) if row.actor_id else None
    behalf = names.get(row.on_behalf_of) if row.on_behalf_of else None
    if actor is None:
        said = row.details.get("by")
        return str(said) if said else None
    return f"{actor} ({behalf})" if behalf else actor


def user_names(session: Session, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """Names of users by id, whatever the session's scope; who is gone is left out."""
    if not user_ids:
        return {}
    with acting_in(session, IdentityScope()):
        rows = session.execute(select(User.id, User.name).where(User.id.in_(user_ids))).all()
    return {row.id: row.name for row in rows}


def _uuid(key: object) -> UUID | None:
    return UUID(key) if isinstance(key, str) else None
