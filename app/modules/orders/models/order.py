"""Orders and their lines. Amounts are gross cents unless the name says otherwise; times are UTC."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import (
    ERASE,
    KEEP,
    NOT_PERSONAL,
    Base,
    Keyed,
    Personal,
    Search,
    TableScope,
    VendorOwned,
    Versioned,
)
from app.modules.orders.enums import Decision, HeldFor, LineKind, OrderStatus, among

_BOOKS = "books: accounts and what proves them are kept for ten years"


class Order(Keyed, VendorOwned, Versioned, Base):
    """What a buyer wants, with the buyer and the addresses as they were then.

    ``total_cents`` is what was ordered: goods - discount + shipping; ``cancelled_cents`` of it will not be charged.
    ``pending_exceptions`` counts the open ones, so that lists need not.
    """

    __tablename__ = "orders"
    __search__ = Search("search_vector")
    __personal__ = Personal(
        {
            "buyer": KEEP(_BOOKS),
            "shipping_address": KEEP(_BOOKS),
            "billing_address": KEEP(_BOOKS),
            "email_norm": ERASE,
            "customer_note": ERASE,
            "search_vector": ERASE,
        },
        subject="customer_id",
        mentions=("email_norm",),
        handles=("email_norm",),
    )
    __impersonal__ = (
        "number",
        "channel",
        "external_id",
        "external_number",
        "ship_country",
        "currency",
        "status",
        "regime",
        "payment_method",
        "held_for",
    )
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "number"),
        ForeignKeyConstraint(
            ["vendor_id", "customer_id"],
            ["customers.vendor_id", "customers.id"],
            ondelete="SET NULL (customer_id)",
        ),
        CheckConstraint(among("status", OrderStatus), name="status"),
        CheckConstraint(among("held_for", HeldFor), name="held_for"),
        CheckConstraint("total_cents = goods_cents - discount_cents + shipping_cents", name="total_cents"),
        CheckConstraint("goods_cents >= discount_cents AND discount_cents >= 0", name="discount_cents"),
        CheckConstraint("cancelled_cents BETWEEN 0 AND total_cents", name="cancelled_cents"),
        CheckConstraint("refunded_cents BETWEEN 0 AND total_cents", name="refunded_cents"),
        CheckConstraint("pending_exceptions >= 0", name="pending_exceptions"),
        Index(
            "uq_orders_external_id",
            "vendor_id",
            "channel",
            "external_id",
            unique=True,
            postgresql_where=text("external_id IS NOT NULL"),
        ),
        Index("ix_orders_vendor_id_placed_at", "vendor_id", "placed_at", "id"),
        Index("ix_orders_vendor_id_status", "vendor_id", "status", "placed_at", "id"),
        Index("ix_orders_vendor_id_customer_id", "vendor_id", "customer_id", "placed_at"),
        Index(
            "ix_orders_exceptions",
            "vendor_id",
            "placed_at",
            "id",
            postgresql_where=text("pending_exceptions > 0"),
        ),
        Index("ix_orders_held", "vendor_id", "id", postgresql_where=text("held_for IS NOT NULL")),
        Index("ix_orders_search", "vendor_id", "search_vector", postgresql_using="gin"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    number: Mapped[str]
    channel: Mapped[str]
    external_id: Mapped[str | None]
    external_number: Mapped[str | None]
    customer_id: Mapped[UUID | None]
    buyer: Mapped[dict[str, Any]]
    shipping_address: Mapped[dict[str, Any] | None]
    billing_address: Mapped[dict[str, Any] | None]
    email_norm: Mapped[str | None]
    ship_country: Mapped[str | None]
    currency: Mapped[str]
    status: Mapped[str] = mapped_column(default=OrderStatus.PENDING)
    regime: Mapped[str]
    goods_cents: Mapped[int]
    discount_cents: Mapped[int]
    shipping_cents: Mapped[int]
    total_cents: Mapped[int]
    vat_cents: Mapped[int]
    cancelled_cents: Mapped[int] = mapped_column(default=0)
    refunded_cents: Mapped[int] = mapped_column(default=0)
    paid_at: Mapped[datetime | None]
    payment_method: Mapped[str | None]
    placed_at: Mapped[datetime]
    confirm_before: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    held_for: Mapped[str | None]
    pending_exceptions: Mapped[int] = mapped_column(default=0)
    customer_note: Mapped[str | None]
    search_vector: Mapped[Any] = mapped_column(TSVECTOR)


class OrderLine(Keyed, VendorOwned, Versioned, Base):
    """So many of one thing, or a part of the shipping; ``tax_rate_bp`` is in basis points.

    ``discount_cents`` holds the line's own discount and its share of the order's. Quantities never come down:
    ``quantity`` is what was ordered, the others say what became of it.
    """

    __tablename__ = "order_lines"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        ForeignKeyConstraint(
            ["vendor_id", "order_id"], ["orders.vendor_id", "orders.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["vendor_id", "product_id"],
            ["products.vendor_id", "products.id"],
            ondelete="SET NULL (product_id)",
        ),
        CheckConstraint(among("kind", LineKind), name="kind"),
        CheckConstraint(among("decision", Decision), name="decision"),
        CheckConstraint("tax_category IN ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')", name="tax_category"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("gross_cents = quantity * unit_price_cents - discount_cents", name="gross_cents"),
        CheckConstraint("gross_cents = net_cents + vat_cents", name="vat_cents"),
        CheckConstraint(
            "cancelled_quantity >= 0 AND shipped_quantity >= 0 "
            "AND cancelled_quantity + shipped_quantity <= quantity",
            name="quantities",
        ),
        CheckConstraint("returned_quantity BETWEEN 0 AND shipped_quantity", name="returned_quantity"),
        CheckConstraint("refunded_quantity BETWEEN 0 AND quantity", name="refunded_quantity"),
        CheckConstraint("refunded_cents BETWEEN 0 AND gross_cents", name="refunded_cents"),
        CheckConstraint("decision <> 'declined' OR decline_reason IS NOT NULL", name="decline_reason"),
        Index("ix_order_lines_vendor_id_order_id", "vendor_id", "order_id", "position"),
        Index("ix_order_lines_vendor_id_product_id", "vendor_id", "product_id"),
    )

    order_id: Mapped[UUID]
    position: Mapped[int]
    kind: Mapped[str]
    product_id: Mapped[UUID | None]
    sku: Mapped[str | None]
    gtin: Mapped[str | None]
    title: Mapped[str]
    image_link: Mapped[str | None]
    quantity: Mapped[int]
    unit_price_cents: Mapped[int]
    discount_cents: Mapped[int]
    gross_cents: Mapped[int]
    net_cents: Mapped[int]
    vat_cents: Mapped[int]
    tax_rate_bp: Mapped[int]
    tax_category: Mapped[str]
    tax_class: Mapped[str | None]
    decision: Mapped[str] = mapped_column(default=Decision.PENDING)
    decline_reason: Mapped[str | None]
    cancelled_quantity: Mapped[int] = mapped_column(default=0)
    shipped_quantity: Mapped[int] = mapped_column(default=0)
    returned_quantity: Mapped[int] = mapped_column(default=0)
    refunded_quantity: Mapped[int] = mapped_column(default=0)
    refunded_cents: Mapped[int] = mapped_column(default=0)
    external_unit_ids: Mapped[list[str]] = mapped_column(default=list)


class OrderCounter(Base):
    """How many orders a vendor has numbered. Taken last in a transaction, under the row's lock: no gaps."""

    __tablename__ = "order_counters"
    __scope__ = TableScope.VENDOR
    __personal__ = NOT_PERSONAL

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)
    last_number: Mapped[int]
