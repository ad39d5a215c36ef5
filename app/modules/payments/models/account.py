"""Accounts at payment providers, and their secrets."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import NOT_PERSONAL, Base, Keyed, TableScope, Versioned


class PaymentAccount(Keyed, Versioned, Base):
    """A way to be paid: of one vendor, or of one platform's operator. ``settings`` are public (IBAN, address);
    ``key_hint`` is what people may see of the key. The check is the last look at it by a job."""

    __tablename__ = "payment_accounts"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __table_args__ = (
        CheckConstraint("provider IN ('stripe', 'bank_transfer', 'cash', 'sandbox')", name="provider"),
        CheckConstraint("(vendor_id IS NULL) <> (platform_id IS NULL)", name="owner"),
        CheckConstraint("mode IN ('test', 'live')", name="mode"),
        CheckConstraint(
            "check_outcome IN ('ok', 'refused', 'unreachable', 'incomplete')", name="check_outcome"
        ),
        UniqueConstraint("vendor_id", "platform_id", "provider", postgresql_nulls_not_distinct=True),
    )

    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    platform_id: Mapped[UUID | None] = mapped_column(sort_order=-89)
    provider: Mapped[str]
    is_enabled: Mapped[bool] = mapped_column(default=False)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    mode: Mapped[str | None]
    key_hint: Mapped[str | None]
    has_webhook_secret: Mapped[bool] = mapped_column(default=False)
    checked_at: Mapped[datetime | None]
    check_outcome: Mapped[str | None]
    check_name: Mapped[str] = mapped_column(default="")
    check_job_id: Mapped[UUID | None]


class PaymentSecret(Base):
    """A sealed credential of an account; only the identity role reads it."""

    __tablename__ = "payment_secrets"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.IDENTITY
    __table_args__ = (CheckConstraint("name IN ('api_key', 'webhook_secret')", name="name"),)

    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("payment_accounts.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[str]
    key_id: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(default=clock.system_now, onupdate=clock.system_now)
