"""Warehouses, what lies where, and every change of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, Keyed, VendorOwned, Versioned


class Warehouse(Keyed, VendorOwned, Versioned, Base):
    """Where goods lie. Orders take from the one with the lowest ``priority`` first."""

    __tablename__ = "warehouses"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "code"),
        Index(
            "uq_warehouses_vendor_id_default", "vendor_id", unique=True, postgresql_where=text("is_default")
        ),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    code: Mapped[str]
    name: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    priority: Mapped[int] = mapped_column(default=100)
    archived_at: Mapped[datetime | None]


class Level(Keyed, VendorOwned, Versioned, Base):
    """How many of a product lie at one place (``bin_location`` is "" where a warehouse has no places), and how many of
    them are promised. Written by the statements of ``stock_sql`` only, each with its line in the ledger."""

    __tablename__ = "inventory"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint(
            "vendor_id", "product_id", "warehouse_id", "bin_location", name="uq_inventory_place"
        ),
        CheckConstraint("0 <= reserved AND reserved <= on_hand", name="reserved"),
        ForeignKeyConstraint(
            ["vendor_id", "product_id"], ["products.vendor_id", "products.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["vendor_id", "warehouse_id"], ["warehouses.vendor_id", "warehouses.id"]),
        Index("ix_inventory_vendor_id_warehouse_id", "vendor_id", "warehouse_id"),
    )

    product_id: Mapped[UUID]
    warehouse_id: Mapped[UUID]
    bin_location: Mapped[str] = mapped_column(default="")
    on_hand: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)


class Movement(Keyed, VendorOwned, Base):
    """One line of the ledger. ``sequence`` counts the changes of its place from 1 without a gap.

    It points at nothing by a foreign key: it stays when what it tells of is gone, and costs writers no further locks.
    """

    __tablename__ = "stock_movements"
    __personal__ = NOT_PERSONAL
    __verbs__ = "SI"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('reserve', 'release', 'fulfil', 'adjust', 'set', 'import', 'return', 'transfer', 'receive')",
            name="kind",
        ),
        Index("ix_stock_movements_vendor_id_product_id", "vendor_id", "product_id", "at", "id"),
        Index("ix_stock_movements_vendor_id_at", "vendor_id", "at", "id"),
    )

    product_id: Mapped[UUID]
    warehouse_id: Mapped[UUID]
    bin_location: Mapped[str]
    sequence: Mapped[int]
    kind: Mapped[str]
    on_hand_change: Mapped[int]
    reserved_change: Mapped[int]
    on_hand_after: Mapped[int]
    reserved_after: Mapped[int]
    reason: Mapped[str | None]
    note: Mapped[str | None]
    user_id: Mapped[UUID | None]
    reference_type: Mapped[str | None]
    reference_id: Mapped[UUID | None]
    reference_label: Mapped[str | None]
    at: Mapped[datetime]


class Reservation(Keyed, VendorOwned, Versioned, Base):
    """What one line of an order holds at one place. ``order_id`` and ``line_id`` are the asking module's."""

    __tablename__ = "stock_reservations"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint(
            "vendor_id",
            "order_id",
            "line_id",
            "warehouse_id",
            "bin_location",
            name="uq_stock_reservations_piece",
        ),
        CheckConstraint(
            "quantity > 0 AND fulfilled >= 0 AND released >= 0 AND returned >= 0 "
            "AND fulfilled + released <= quantity AND returned <= fulfilled",
            name="quantities",
        ),
        Index(
            "ix_stock_reservations_open",
            "vendor_id",
            "product_id",
            postgresql_where=text("fulfilled + released < quantity"),
        ),
    )

    order_id: Mapped[UUID]
    line_id: Mapped[UUID]
    product_id: Mapped[UUID]
    warehouse_id: Mapped[UUID]
    bin_location: Mapped[str]
    quantity: Mapped[int]
    fulfilled: Mapped[int] = mapped_column(default=0)
    released: Mapped[int] = mapped_column(default=0)
    returned: Mapped[int] = mapped_column(default=0)
    reference_label: Mapped[str]
