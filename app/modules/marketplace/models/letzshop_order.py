"""Orders as a marketplace says them: the raw external record of every connector."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import ERASE, Base, Keyed, Personal, Timestamped, VendorOwned
from app.modules.orders.contracts import ORDER_ANCHOR


class ExternalRecord(Keyed, VendorOwned, Timestamped, Base):
    """An order of a marketplace as it was said last; what was said before is kept with the order.

    ``units``: the state of each piece of goods by its id there; ``is_open``: one of them is undecided. ``revision``
    counts what was said differently. What could not be taken in is parked: ``fault`` (an error code) says why, and
    ``attempts`` how often it was tried. ``drift``: units of which we say another thing (unit, ours, theirs).
    """

    __tablename__ = "external_orders"
    __personal__ = Personal({"payload": ERASE}, subject="order_id", mentions=("payload",))
    __impersonal__ = ("external_id", "number", "units", "digest", "fault", "fault_detail", "drift")
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "connection_id", "external_id"),
        ForeignKeyConstraint(
            ["vendor_id", "connection_id"], ["connections.vendor_id", "connections.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["vendor_id", "order_id"],
            [ORDER_ANCHOR.replace(".id", ".vendor_id"), ORDER_ANCHOR],
            ondelete="SET NULL (order_id)",
        ),
        Index("ix_external_orders_vendor_id_order_id", "vendor_id", "order_id"),
        Index(
            "ix_external_orders_open", "vendor_id", "connection_id", "id", postgresql_where=text("is_open")
        ),
        Index(
            "ix_external_orders_parked",
            "vendor_id",
            "connection_id",
            "id",
            postgresql_where=text("fault IS NOT NULL"),
        ),
    )

    connection_id: Mapped[UUID]
    external_id: Mapped[str]
    number: Mapped[str]
    order_id: Mapped[UUID | None]
    units: Mapped[dict[str, Any]]
    is_open: Mapped[bool]
    payload: Mapped[dict[str, Any]]
    digest: Mapped[str]
    revision: Mapped[int] = mapped_column(Integer, default=1)
    seen_at: Mapped[datetime]
    placed_at: Mapped[datetime | None]
    fault: Mapped[str | None]
    fault_detail: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    drift: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
