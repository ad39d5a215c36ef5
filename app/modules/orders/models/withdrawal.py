"""Notices of buyers who withdraw from what they bought, until the money is back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import ERASE, NOT_PERSONAL, Base, Keyed, Personal, TableScope, VendorOwned, Versioned
from app.modules.orders.enums import WithdrawalSource, WithdrawalStatus, among


class Withdrawal(Keyed, VendorOwned, Versioned, Base):
    """A notice of withdrawal. ``received_at`` begins the fourteen days in which money goes back."""

    __tablename__ = "withdrawals"
    __personal__ = Personal({"message": ERASE}, subject="order_id")
    __impersonal__ = ("number", "source", "status", "refusal")
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "number"),
        ForeignKeyConstraint(
            ["vendor_id", "order_id"], ["orders.vendor_id", "orders.id"], ondelete="CASCADE"
        ),
        CheckConstraint(among("source", WithdrawalSource), name="source"),
        CheckConstraint(among("status", WithdrawalStatus), name="status"),
        CheckConstraint("(status = 'refused') = (refusal IS NOT NULL)", name="refusal"),
        Index("ix_withdrawals_vendor_id_status", "vendor_id", "status", "received_at", "id"),
        Index("ix_withdrawals_vendor_id_order_id", "vendor_id", "order_id"),
    )

    order_id: Mapped[UUID]
    number: Mapped[str]
    source: Mapped[str]
    status: Mapped[str] = mapped_column(default=WithdrawalStatus.OPEN)
    message: Mapped[str | None]
    refusal: Mapped[str | None]
    received_at: Mapped[datetime]
    goods_received_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class WithdrawalLine(Base):
    """So many of an order's line that the buyer sends back."""

    __tablename__ = "withdrawal_lines"
    __scope__ = TableScope.VENDOR
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        ForeignKeyConstraint(
            ["vendor_id", "withdrawal_id"],
            ["withdrawals.vendor_id", "withdrawals.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["vendor_id", "line_id"], ["order_lines.vendor_id", "order_lines.id"], ondelete="CASCADE"
        ),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_withdrawal_lines_vendor_id_line_id", "vendor_id", "line_id"),
    )

    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    withdrawal_id: Mapped[UUID] = mapped_column(primary_key=True)
    line_id: Mapped[UUID] = mapped_column(primary_key=True)
    quantity: Mapped[int]
