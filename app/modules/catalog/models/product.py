"""Products and their texts."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, Keyed, Search, TableScope, VendorOwned, Versioned
from app.modules.catalog.models.gaps import PRODUCT_GAPS, TEXT_GAPS


class Product(Keyed, VendorOwned, Versioned, Base):
    """What a vendor sells, without its texts. ``sku`` is the id that feeds know it by.

    ``edited_fields`` no longer follow the feed. ``attributes`` holds what has no column here, by field name.
    """

    __tablename__ = "products"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "sku"),
        CheckConstraint("gtin ~ '^[0-9]{14}$'", name="gtin"),
        CheckConstraint("price_cents >= 0 AND sale_price_cents >= 0", name="prices"),
        CheckConstraint(
            "availability IN ('in_stock', 'out_of_stock', 'preorder', 'backorder')", name="availability"
        ),
        Index("ix_products_vendor_id_gtin", "vendor_id", "gtin", postgresql_where=text("gtin IS NOT NULL")),
        CheckConstraint(
            "tax_class IN ('standard', 'intermediate', 'reduced', 'super_reduced', 'zero')", name="tax_class"
        ),
        CheckConstraint("kind IN ('physical', 'digital', 'service', 'subscription')", name="kind"),
        # Also what lists are counted by: an index is read faster than the rows.
        Index(
            "ix_products_vendor_id_price_cents",
            "vendor_id",
            "price_cents",
            "id",
            postgresql_include=["is_active", "gaps"],
            postgresql_where=text("archived_at IS NULL"),
        ),
    )

    # No foreign key, which would be checked for each row: the row-level policy lets a vendor write its own rows only.
    vendor_id: Mapped[UUID] = mapped_column(sort_order=-90)
    sku: Mapped[str] = mapped_column(Text(collation="C"))  # lists and exports are in byte order, everywhere
    gtin: Mapped[str | None]
    mpn: Mapped[str | None]
    brand: Mapped[str | None]
    condition: Mapped[str | None]
    availability: Mapped[str | None]
    availability_date: Mapped[date | None]
    price_cents: Mapped[int]
    currency: Mapped[str]
    sale_price_cents: Mapped[int | None]
    sale_starts_at: Mapped[datetime | None]
    sale_ends_at: Mapped[datetime | None]
    image_link: Mapped[str | None]
    additional_image_links: Mapped[list[str]]
    item_group_id: Mapped[str | None]
    product_type: Mapped[str | None]
    google_category: Mapped[str | None]
    color: Mapped[str | None]
    size: Mapped[str | None]
    gender: Mapped[str | None]
    age_group: Mapped[str | None]
    material: Mapped[str | None]
    pattern: Mapped[str | None]
    attributes: Mapped[dict[str, Any]]
    tax_class: Mapped[str] = mapped_column(default="standard", server_default="standard")
    kind: Mapped[str] = mapped_column(default="physical", server_default="physical")
    is_active: Mapped[bool] = mapped_column(default=True)
    archived_at: Mapped[datetime | None]
    edited_fields: Mapped[list[str]] = mapped_column(default=list)
    gaps: Mapped[int] = mapped_column(Integer, Computed(PRODUCT_GAPS, persisted=True))


class ProductTranslation(Versioned, Base):
    """A product's texts in one language, and what search looks in."""

    __tablename__ = "product_translations"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR
    __search__ = Search("search_vector", key="product_id")
    __table_args__ = (
        ForeignKeyConstraint(
            ["vendor_id", "product_id"], ["products.vendor_id", "products.id"], ondelete="CASCADE"
        ),
        Index("ix_product_translations_search", "vendor_id", "search_vector", postgresql_using="gin"),
        Index(
            "ix_product_translations_gaps",
            "vendor_id",
            "language",
            "product_id",
            postgresql_include=["gaps"],
        ),
    )

    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    description: Mapped[str | None]
    link: Mapped[str | None]
    edited_fields: Mapped[list[str]] = mapped_column(default=list)
    search_vector: Mapped[Any] = mapped_column(TSVECTOR)
    gaps: Mapped[int] = mapped_column(Integer, Computed(TEXT_GAPS, persisted=True))
