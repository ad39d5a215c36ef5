"""What passes between the platform and Stripe."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, Keyed, VendorOwned, Versioned


class SyncDifference(Keyed, VendorOwned, Base):
    """A field that was not the same here and at Stripe when they were compared; one open line per field."""

    __tablename__ = "sync_differences"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        ForeignKeyConstraint(
            ["vendor_id", "subscription_id"], ["subscriptions.vendor_id", "subscriptions.id"]
        ),
        Index(
            "uq_sync_differences_open",
            "vendor_id",
            "subscription_id",
            "field",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    subscription_id: Mapped[UUID]
    field: Mapped[str]
    local_value: Mapped[str | None]
    remote_value: Mapped[str | None]
    found_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]


class BillingRequest(Keyed, VendorOwned, Versioned, Base):
    """What somebody asked of Stripe: written first, done by ``job_id``, answered with an address or an error.

    ``error`` is the code of what stopped it.
    """

    __tablename__ = "billing_requests"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        CheckConstraint(
            "kind IN ('checkout', 'portal', 'change', 'cancel', 'reactivate', 'addon', 'pay')", name="kind"
        ),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    kind: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    job_id: Mapped[UUID | None]
    result_url: Mapped[str | None]
    error: Mapped[str | None]
    finished_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None]
