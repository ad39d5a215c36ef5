"""The audit log: what was done, by whom, for whom. Rows are never changed nor deleted by the application."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import KEEP, Base, Keyed, Personal, TableScope


class AuditEntry(Keyed, Base):
    """One act. ``actor_id`` did it; ``on_behalf_of`` is the vendor's user it was done for, if another's."""

    __tablename__ = "audit_log"
    __personal__ = Personal(
        {
            "details": KEEP("proof of who did what; names of buyers do not stand there"),
            "ip": KEEP("proof of who did what"),
        }
    )
    __impersonal__ = ("action", "target", "request_id")
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __verbs__ = "SI"
    __table_args__ = (
        Index("ix_audit_log_vendor_id_id", "vendor_id", "id"),
        Index("ix_audit_log_target_id", "target", "id", postgresql_where=text("target IS NOT NULL")),
    )

    vendor_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(default=clock.system_now)
    actor_id: Mapped[UUID | None]
    on_behalf_of: Mapped[UUID | None]
    action: Mapped[str]
    target: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ip: Mapped[str | None]
    request_id: Mapped[str | None]
