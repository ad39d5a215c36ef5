"""What people plan and count: rules, alerts, expected deliveries, stock counts."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, Keyed, TableScope, VendorOwned, Versioned

_PRODUCT = (["vendor_id", "product_id"], ["products.vendor_id", "products.id"])
_WAREHOUSE = (["vendor_id", "warehouse_id"], ["warehouses.vendor_id", "warehouses.id"])


class StockRule(Keyed, VendorOwned, Versioned, Base):
    """What holds for a product (all of them: ``product_id`` is null) on a channel (all: null).

    ``low_stock_level``: at or below it, people are told; it stands on rules for all channels only. ``kept_back``: units
    that a channel is not shown; ``most_listed``: the most it is ever shown.
    """

    __tablename__ = "stock_rules"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "product_id", "channel", postgresql_nulls_not_distinct=True),
        CheckConstraint("low_stock_level >= 0 AND kept_back >= 0 AND most_listed >= 0", name="levels"),
        CheckConstraint("channel IS NULL OR low_stock_level IS NULL", name="channel"),
        ForeignKeyConstraint(*_PRODUCT, ondelete="CASCADE"),
    )

    product_id: Mapped[UUID | None]
    channel: Mapped[str | None]
    low_stock_level: Mapped[int | None]
    kept_back: Mapped[int | None]
    most_listed: Mapped[int | None]


class StockAlert(Base):
    """A product that is low, from the moment on when people were told until it is no longer."""

    __tablename__ = "stock_alerts"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR
    __table_args__ = (ForeignKeyConstraint(*_PRODUCT, ondelete="CASCADE"),)

    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(primary_key=True)
    low_stock_level: Mapped[int]
    available: Mapped[int]
    at: Mapped[datetime]


class IncomingStock(Keyed, VendorOwned, Versioned, Base):
    """Goods that are on their way. ``received`` rises with each part that arrives."""

    __tablename__ = "incoming_stock"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        CheckConstraint("quantity > 0 AND received >= 0 AND received <= quantity", name="quantities"),
        ForeignKeyConstraint(*_PRODUCT, ondelete="CASCADE"),
        ForeignKeyConstraint(*_WAREHOUSE),
        Index("ix_incoming_stock_vendor_id_product_id", "vendor_id", "product_id"),
    )

    product_id: Mapped[UUID]
    warehouse_id: Mapped[UUID]
    quantity: Mapped[int]
    received: Mapped[int] = mapped_column(default=0)
    expected_on: Mapped[date | None]
    supplier: Mapped[str | None]
    note: Mapped[str | None]
    closed_at: Mapped[datetime | None]


class StockCount(Keyed, VendorOwned, Versioned, Base):
    """A count: drawn up, looked through, then applied or thrown away."""

    __tablename__ = "stock_counts"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        CheckConstraint("status IN ('open', 'applied', 'discarded')", name="status"),
    )

    name: Mapped[str]
    status: Mapped[str] = mapped_column(default="open")
    user_id: Mapped[UUID | None]
    applied_at: Mapped[datetime | None]


class StockCountLine(Keyed, VendorOwned, Versioned, Base):
    """How many of a product lie at a place, by somebody's count. ``fault`` says why the line cannot be applied."""

    __tablename__ = "stock_count_lines"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "count_id", "line"),
        ForeignKeyConstraint(
            ["vendor_id", "count_id"], ["stock_counts.vendor_id", "stock_counts.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(*_PRODUCT, ondelete="CASCADE"),
        ForeignKeyConstraint(*_WAREHOUSE),
    )

    count_id: Mapped[UUID]
    line: Mapped[int]
    sku: Mapped[str]
    product_id: Mapped[UUID | None]
    warehouse_id: Mapped[UUID | None]
    bin_location: Mapped[str]
    on_hand: Mapped[int | None]
    low_stock_level: Mapped[int | None]
    before: Mapped[int | None]
    fault: Mapped[str | None]
