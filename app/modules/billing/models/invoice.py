"""What vendors owe and paid; never deleted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, Keyed, VendorOwned, Versioned


class BillingInvoice(Keyed, VendorOwned, Versioned, Base):
    """An invoice for a subscription; ``stripe_invoice_id`` where Stripe made it. A period has one of kind cycle."""

    __tablename__ = "billing_invoices"
    __personal__ = NOT_PERSONAL
    __verbs__ = "SIU"
    __table_args__ = (
        ForeignKeyConstraint(
            ["vendor_id", "subscription_id"], ["subscriptions.vendor_id", "subscriptions.id"]
        ),
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "stripe_invoice_id"),
        Index("ix_billing_invoices_stripe_invoice_id", "stripe_invoice_id"),
        UniqueConstraint("vendor_id", "number"),
        CheckConstraint("kind IN ('cycle', 'proration', 'addon', 'manual')", name="kind"),
        CheckConstraint("status IN ('draft', 'open', 'paid', 'void', 'uncollectible')", name="status"),
        CheckConstraint("paid_cents >= 0", name="paid_cents"),
        CheckConstraint("status <> 'paid' OR paid_at IS NOT NULL", name="paid_at"),
        Index(
            "uq_billing_invoices_cycle",
            "vendor_id",
            "subscription_id",
            "period_start",
            "kind",
            unique=True,
            postgresql_where=text("kind = 'cycle'"),
        ),
        Index("ix_billing_invoices_vendor_id_issued_at", "vendor_id", "issued_at"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    subscription_id: Mapped[UUID]
    kind: Mapped[str]
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    number: Mapped[str | None]
    currency: Mapped[str]
    total_cents: Mapped[int]
    tax_cents: Mapped[int] = mapped_column(default=0)
    paid_cents: Mapped[int] = mapped_column(default=0)
    status: Mapped[str]
    stripe_invoice_id: Mapped[str | None]
    hosted_url: Mapped[str | None]
    pdf_url: Mapped[str | None]
    issued_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
