"""Payments and refunds."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import ERASE, NOT_PERSONAL, Base, Keyed, Personal, VendorOwned, Versioned


class Payment(Keyed, VendorOwned, Versioned, Base):
    """Money from a vendor to the operator, or from a customer to a vendor. ``refunded_cents`` includes refunds that are
    under way. ``read_at`` (system time): when the provider was last asked; an answer asked for earlier is not used.
    Without an account it goes by the one of the environment."""

    __tablename__ = "payments"
    __personal__ = Personal({"customer_email": ERASE}, mentions=("customer_email",))
    __impersonal__ = (
        "payee",
        "provider",
        "provider_ref",
        "intent_ref",
        "subject_type",
        "reference",
        "description",
        "return_url",
        "currency",
        "state",
        "failure_code",
        "redirect_url",
        "instructions",
    )
    __table_args__ = (
        CheckConstraint("provider IN ('stripe', 'bank_transfer', 'cash', 'sandbox')", name="provider"),
        CheckConstraint("payee IN ('platform', 'vendor')", name="payee"),
        CheckConstraint(
            "state IN ('created', 'pending', 'authorised', 'captured', 'failed', 'cancelled')", name="state"
        ),
        CheckConstraint("amount_cents > 0", name="amount"),
        CheckConstraint("captured_cents >= 0 AND captured_cents <= amount_cents", name="captured"),
        CheckConstraint("refunded_cents >= 0 AND refunded_cents <= captured_cents", name="refunded"),
        CheckConstraint("(state = 'captured') = (captured_cents > 0)", name="captured_state"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "reference"),
        Index("ix_payments_vendor_id_subject", "vendor_id", "subject_type", "subject_id"),
        Index("ix_payments_created_at", "created_at"),
        Index(
            "ix_payments_open",
            "read_at",
            postgresql_where=text("provider = 'stripe' AND state IN ('pending', 'authorised')"),
        ),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    payee: Mapped[str]
    platform_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_accounts.id"))
    provider: Mapped[str]
    provider_ref: Mapped[str | None]
    intent_ref: Mapped[str | None]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    reference: Mapped[str]
    description: Mapped[str]
    customer_email: Mapped[str | None]
    return_url: Mapped[str] = mapped_column(default="")
    is_captured_at_once: Mapped[bool] = mapped_column(default=True)
    amount_cents: Mapped[int]
    captured_cents: Mapped[int] = mapped_column(default=0)
    refunded_cents: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str]
    state: Mapped[str]
    failure_code: Mapped[str | None]
    redirect_url: Mapped[str | None]
    instructions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    read_at: Mapped[datetime | None]
    captured_at: Mapped[datetime | None]
    job_id: Mapped[UUID | None]


class Refund(Keyed, VendorOwned, Versioned, Base):
    """Money of a payment that goes back."""

    __tablename__ = "payment_refunds"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        ForeignKeyConstraint(["vendor_id", "payment_id"], ["payments.vendor_id", "payments.id"]),
        CheckConstraint("amount_cents > 0", name="amount"),
        CheckConstraint("state IN ('pending', 'succeeded', 'failed')", name="state"),
        UniqueConstraint("vendor_id", "payment_id", "reference"),
    )

    payment_id: Mapped[UUID]
    reference: Mapped[str]
    amount_cents: Mapped[int]
    reason: Mapped[str] = mapped_column(default="")
    state: Mapped[str]
    provider_ref: Mapped[str | None]
    failure_code: Mapped[str | None]
    created_by: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
