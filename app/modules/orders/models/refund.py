"""Money that went back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import NOT_PERSONAL, Base, Keyed, TableScope, VendorOwned
from app.modules.orders.enums import RefundMethod, Source, among


class Refund(Keyed, VendorOwned, Base):
    """One act of giving money back; gross cents of the order's currency."""

    __tablename__ = "refunds"
    __verbs__ = "SI"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "number"),
        ForeignKeyConstraint(
            ["vendor_id", "order_id"], ["orders.vendor_id", "orders.id"], ondelete="CASCADE"
        ),
        CheckConstraint(among("method", RefundMethod), name="method"),
        CheckConstraint(among("source", Source), name="source"),
        CheckConstraint("gross_cents > 0", name="gross_cents"),
        Index("ix_refunds_vendor_id_order_id", "vendor_id", "order_id", "id"),
    )

    order_id: Mapped[UUID]
    number: Mapped[str]
    reason: Mapped[str]
    method: Mapped[str]
    is_restocked: Mapped[bool]
    gross_cents: Mapped[int]
    vat_cents: Mapped[int]
    source: Mapped[str]
    user_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(default=clock.now)


class RefundLine(Base):
    """What of a line was given back."""

    __tablename__ = "refund_lines"
    __scope__ = TableScope.VENDOR
    __verbs__ = "SI"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        ForeignKeyConstraint(
            ["vendor_id", "refund_id"], ["refunds.vendor_id", "refunds.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["vendor_id", "line_id"], ["order_lines.vendor_id", "order_lines.id"], ondelete="CASCADE"
        ),
        Index("ix_refund_lines_vendor_id_line_id", "vendor_id", "line_id"),
    )

    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    refund_id: Mapped[UUID] = mapped_column(primary_key=True)
    line_id: Mapped[UUID] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    gross_cents: Mapped[int]
    vat_cents: Mapped[int]
