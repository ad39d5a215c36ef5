"""What people are told, and how they want to be told."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import ERASE, NOT_PERSONAL, Base, Keyed, Personal, TableScope, Versioned


class Notification(Keyed, Base):
    """Something one person is told, at a vendor or at the operator's. ``title_key`` and ``params`` are put into the
    reader's language when it is read."""

    __tablename__ = "notifications"
    __personal__ = Personal({"params": ERASE, "text": ERASE}, mentions=("params", "text"))
    __impersonal__ = ("kind", "tone", "title_key", "url")
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __table_args__ = (
        CheckConstraint("tone IN ('info', 'success', 'warning', 'danger')", name="tone"),
        Index("ix_notifications_user_id_id", "user_id", "id"),
        Index("ix_notifications_unread", "user_id", postgresql_where=text("read_at IS NULL AND is_shown")),
        Index("ix_notifications_created_at", "created_at"),
    )

    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    user_id: Mapped[UUID]
    kind: Mapped[str]
    tone: Mapped[str]
    title_key: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    text: Mapped[str] = mapped_column(default="")
    url: Mapped[str | None]
    is_shown: Mapped[bool] = mapped_column(default=True)
    read_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.system_now)


class NotificationPreference(Keyed, Versioned, Base):
    """How one person wants one kind of notification. No row means what the kind declares."""

    __tablename__ = "notification_preferences"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __table_args__ = (
        Index(
            "uq_notification_preferences_kind",
            "vendor_id",
            "user_id",
            "kind",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    user_id: Mapped[UUID]
    kind: Mapped[str]
    in_app: Mapped[bool]
    by_email: Mapped[bool]
