"""What was asked about the personal data of a customer: a copy of it, or that it goes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import ERASE, Base, Keyed, Personal, Timestamped, VendorOwned


class DataRequest(Keyed, VendorOwned, Timestamped, Base):
    """An export or an erasure; once agreed, its state and progress are its job's. ``counts``: rows by table."""

    __tablename__ = "customer_data_requests"
    __personal__ = Personal({"reason": ERASE}, subject="customer_id")
    __impersonal__ = ("kind", "state", "storage_key", "counts")
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        CheckConstraint("kind IN ('export', 'erase')", name="kind"),
        CheckConstraint("state IN ('waiting', 'agreed', 'refused')", name="state"),
        ForeignKeyConstraint(["vendor_id", "customer_id"], ["customers.vendor_id", "customers.id"]),
        Index("ix_customer_data_requests_vendor_id_customer_id", "vendor_id", "customer_id", "id"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    customer_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str]
    asked_by: Mapped[UUID]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    job_id: Mapped[UUID | None]
    storage_key: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
