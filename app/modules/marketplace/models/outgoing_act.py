"""What a marketplace is to be told of an order."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import NOT_PERSONAL, Base, Keyed, Timestamped, VendorOwned
from app.modules.marketplace.enums import ActState
from app.modules.orders.contracts import ORDER_ANCHOR


class OutgoingAct(Keyed, VendorOwned, Timestamped, Base):
    """One thing to tell; those of one record are told one after the other, the oldest first.

    ``payload``: of ``decide`` and ``return`` the units (id to yes or no), of ``track`` number and carrier. ``dedupe``
    is its number among those of its kind. Only ``job_id`` may send it. ``last_error`` is the marketplace's text.
    """

    __tablename__ = "outgoing_acts"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "record_id", "kind", "dedupe"),
        ForeignKeyConstraint(
            ["vendor_id", "connection_id"], ["connections.vendor_id", "connections.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["vendor_id", "record_id"],
            ["external_orders.vendor_id", "external_orders.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["vendor_id", "order_id"],
            [ORDER_ANCHOR.replace(".id", ".vendor_id"), ORDER_ANCHOR],
            ondelete="SET NULL (order_id)",
        ),
        CheckConstraint("kind IN ('decide', 'track', 'return')", name="kind"),
        CheckConstraint("state IN ('waiting', 'done', 'refused')", name="state"),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done_at"),
        Index("ix_outgoing_acts_connection_id", "vendor_id", "connection_id", "id"),
        Index("ix_outgoing_acts_order_id", "vendor_id", "order_id"),
        Index(
            "ix_outgoing_acts_open",
            "vendor_id",
            "connection_id",
            "due_at",
            postgresql_where=text("state <> 'done'"),
        ),
    )

    connection_id: Mapped[UUID]
    record_id: Mapped[UUID]
    order_id: Mapped[UUID | None]
    kind: Mapped[str]
    dedupe: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=ActState.WAITING)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_error_code: Mapped[str | None]
    last_error: Mapped[str] = mapped_column(default="")
    done_at: Mapped[datetime | None]
    job_id: Mapped[UUID | None]
