"""What happened to an order, and what its channel said about it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import ERASE, NOT_PERSONAL, Base, Keyed, Personal, VendorOwned, Versioned
from app.modules.orders.enums import ProposalStatus, Source, among

_OF_ORDER = (["vendor_id", "order_id"], ["orders.vendor_id", "orders.id"])


class OrderHistory(Keyed, VendorOwned, Base):
    """One thing that happened: its ``kind``, who did it, and the statuses where they changed."""

    __tablename__ = "order_history"
    __verbs__ = "SI"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        ForeignKeyConstraint(*_OF_ORDER, ondelete="CASCADE"),
        CheckConstraint(among("source", Source), name="source"),
        Index("ix_order_history_vendor_id_order_id", "vendor_id", "order_id", "id"),
    )

    order_id: Mapped[UUID]
    kind: Mapped[str]
    from_status: Mapped[str | None]
    to_status: Mapped[str | None]
    source: Mapped[str]
    user_id: Mapped[UUID | None]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime] = mapped_column(default=clock.now)


class OrderPayload(Keyed, VendorOwned, Base):
    """What the channel sent, as it sent it; a new number (``revision``) for each change."""

    __tablename__ = "order_payloads"
    __verbs__ = "SIU"  # U: to forget a person
    __personal__ = Personal({"payload": ERASE}, subject="order_id")
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "order_id", "revision"),
        ForeignKeyConstraint(*_OF_ORDER, ondelete="CASCADE"),
    )

    order_id: Mapped[UUID]
    revision: Mapped[int]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(default=clock.now)


class OrderProposal(Keyed, VendorOwned, Versioned, Base):
    """A change by the channel after the order was confirmed: ``changes`` has, by field, what it was and would be."""

    __tablename__ = "order_proposals"
    __personal__ = Personal({"changes": ERASE}, subject="order_id")
    __impersonal__ = ("status",)
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        ForeignKeyConstraint(*_OF_ORDER, ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["vendor_id", "payload_id"], ["order_payloads.vendor_id", "order_payloads.id"], ondelete="CASCADE"
        ),
        CheckConstraint(among("status", ProposalStatus), name="status"),
        Index(
            "uq_order_proposals_open",
            "vendor_id",
            "order_id",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
    )

    order_id: Mapped[UUID]
    payload_id: Mapped[UUID]
    changes: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(default=ProposalStatus.PENDING)
    decided_at: Mapped[datetime | None]
    user_id: Mapped[UUID | None]
