"""Messages to the outside about events: where to, what was sent, and what came of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import ERASE, NOT_PERSONAL, Base, Keyed, Personal, TableScope, Versioned


class WebhookEndpoint(Keyed, Versioned, Base):
    """An address that is told about events: of one vendor or, without one, of all of them. ``event_types`` are wire
    names; ``*`` stands for all."""

    __tablename__ = "webhook_endpoints"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __table_args__ = (
        CheckConstraint("disabled_reason IN ('person', 'gone', 'failing')", name="disabled_reason"),
        CheckConstraint("is_enabled = (disabled_reason IS NULL)", name="reason_when_off"),
        Index("ix_webhook_endpoints_vendor_id_id", "vendor_id", "id"),
    )

    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    url: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    event_types: Mapped[list[str]]
    is_enabled: Mapped[bool] = mapped_column(default=True)
    disabled_reason: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    created_by: Mapped[UUID | None]


class WebhookSecret(Keyed, Base):
    """A sealed secret of an endpoint, shown to a person once. After a rotation the former one signs too until
    ``expires_at``."""

    __tablename__ = "webhook_secrets"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.IDENTITY

    endpoint_id: Mapped[UUID] = mapped_column(
        ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), index=True
    )
    sealed: Mapped[str]
    expires_at: Mapped[datetime | None]
    shown_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.system_now)


class WebhookDelivery(Keyed, Base):
    """One message to one endpoint. ``body`` is kept as it is signed; ``message_id`` is the same at every attempt."""

    __tablename__ = "webhook_deliveries"
    __personal__ = Personal({"body": ERASE}, mentions=("body",))
    __impersonal__ = ("event_type", "state")
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'delivered', 'failed')", name="state"),
        UniqueConstraint("endpoint_id", "message_id"),
        Index("ix_webhook_deliveries_endpoint_id_id", "endpoint_id", "id"),
        Index("ix_webhook_deliveries_created_at", "created_at"),
    )

    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    message_id: Mapped[UUID]
    event_type: Mapped[str]
    body: Mapped[str]
    state: Mapped[str] = mapped_column(default="pending", server_default=text("'pending'"))
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    tries_left: Mapped[int] = mapped_column(SmallInteger)
    job_id: Mapped[UUID | None]
    next_attempt_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]


class WebhookAttempt(Base):
    """One try to deliver. ``status`` is the answer's; without an answer ``error`` is a code."""

    __tablename__ = "webhook_attempts"
    __personal__ = Personal({"excerpt": ERASE}, subject="delivery_id", mentions=("excerpt",))
    __impersonal__ = ("error",)
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __verbs__ = "SIU"  # emptied when a person is erased

    delivery_id: Mapped[UUID] = mapped_column(
        ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    vendor_id: Mapped[UUID | None]
    at: Mapped[datetime]
    milliseconds: Mapped[int]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    error: Mapped[str | None]
    excerpt: Mapped[str] = mapped_column(default="")
