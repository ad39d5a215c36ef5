"""What providers send us."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import ERASE, Base, Keyed, Personal, TableScope


class IncomingWebhook(Keyed, Base):
    """One signed message to one account (none: the environment's). How it went is told by ``processed_at`` and by its
    job; ``error`` is of the last attempt that failed. ``sent_at`` is the provider's time."""

    __tablename__ = "incoming_webhooks"
    __personal__ = Personal({"payload": ERASE}, mentions=("payload",))
    __impersonal__ = ("provider", "external_id", "type", "object_id", "object_type", "api_version", "error")
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __table_args__ = (
        UniqueConstraint("account_id", "provider", "external_id", postgresql_nulls_not_distinct=True),
        Index("ix_incoming_webhooks_received_at", "received_at"),
        Index("ix_incoming_webhooks_object_id", "object_id"),
        Index("ix_incoming_webhooks_open", "received_at", postgresql_where=text("processed_at IS NULL")),
    )

    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    platform_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_accounts.id"))
    provider: Mapped[str]
    external_id: Mapped[str]
    type: Mapped[str]
    object_id: Mapped[str]
    object_type: Mapped[str]
    api_version: Mapped[str]
    payload: Mapped[dict[str, Any]]
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=clock.now)
    processed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
    job_id: Mapped[UUID | None]
