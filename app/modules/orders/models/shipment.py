"""What is sent: shipments of orders, their parcels, and who carries them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, Keyed, TableScope, VendorOwned, Versioned
from app.modules.orders.enums import ShipmentStatus, among

_OF_SHIPMENT = (["vendor_id", "shipment_id"], ["shipments.vendor_id", "shipments.id"])


class Shipment(Keyed, VendorOwned, Versioned, Base):
    """Some of an order's goods, sent together in one parcel or several."""

    __tablename__ = "shipments"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "number"),
        ForeignKeyConstraint(
            ["vendor_id", "order_id"], ["orders.vendor_id", "orders.id"], ondelete="CASCADE"
        ),
        CheckConstraint(among("status", ShipmentStatus), name="status"),
        CheckConstraint(
            "status NOT IN ('shipped', 'delivered') OR shipped_at IS NOT NULL", name="shipped_at"
        ),
        Index("ix_shipments_vendor_id_order_id", "vendor_id", "order_id", "id"),
        Index("ix_shipments_vendor_id_status", "vendor_id", "status", "id"),
    )

    order_id: Mapped[UUID]
    number: Mapped[str]
    status: Mapped[str] = mapped_column(default=ShipmentStatus.PREPARED)
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]


class ShipmentLine(Base):
    """So many of an order's line in a shipment."""

    __tablename__ = "shipment_lines"
    __scope__ = TableScope.VENDOR
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        ForeignKeyConstraint(*_OF_SHIPMENT, ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["vendor_id", "line_id"], ["order_lines.vendor_id", "order_lines.id"], ondelete="CASCADE"
        ),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_shipment_lines_vendor_id_line_id", "vendor_id", "line_id"),
    )

    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    shipment_id: Mapped[UUID] = mapped_column(primary_key=True)
    line_id: Mapped[UUID] = mapped_column(primary_key=True)
    quantity: Mapped[int]


class Parcel(Keyed, VendorOwned, Versioned, Base):
    """A parcel of a shipment. The carrier is named by its code, so that it may be renamed or dropped."""

    __tablename__ = "parcels"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        ForeignKeyConstraint(*_OF_SHIPMENT, ondelete="CASCADE"),
        Index("ix_parcels_vendor_id_shipment_id", "vendor_id", "shipment_id", "id"),
    )

    shipment_id: Mapped[UUID]
    carrier_code: Mapped[str]
    tracking_number: Mapped[str | None]


class Carrier(Keyed, VendorOwned, Versioned, Base):
    """A vendor's own carrier, or its own words for one that everybody has.

    ``tracking_url`` has ``{number}`` where the tracking number stands.
    """

    __tablename__ = "carriers"
    __personal__ = NOT_PERSONAL
    __table_args__ = (UniqueConstraint("vendor_id", "id"), UniqueConstraint("vendor_id", "code"))

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    code: Mapped[str]
    name: Mapped[str]
    tracking_url: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(default=True)
