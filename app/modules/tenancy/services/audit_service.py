"""Writing the audit log."""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from app.core.logging import mask
from app.modules.tenancy.models.audit import AuditEntry


def record(
    session: Session,
    action: str,
    *,
    vendor_id: UUID | None = None,
    actor_id: UUID | None = None,
    target: str | None = None,
    **details: Any,
) -> None:
    """Add one entry in the caller's transaction: it stands exactly when the act does. Secrets are masked."""
    ids = structlog.contextvars.get_contextvars()
    actor = actor_id or ids.get("user_id")
    session.add(
        AuditEntry(
            vendor_id=vendor_id,
            actor_id=UUID(actor) if isinstance(actor, str) else actor,
            action=action,
            target=target,
            details=mask(details),
            ip=ids.get("ip"),
            request_id=ids.get("request_id"),
        )
    )
    session.flush()
