"""A vendor's settings for feeds."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, TableScope, Versioned


class FeedSettings(Versioned, Base):
    """One row per vendor, made with the vendor.

    ``field_order`` maps a column to the feeds (ids) to ask for it first, where this is not the order of the feeds;
    ``link_version`` is part of every signed address of an export, so that raising it ends those given out.
    """

    __tablename__ = "feed_settings"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR
    __table_args__ = (
        CheckConstraint("default_tax_rate IN (0, 3, 8, 14, 17)", name="default_tax_rate"),
        CheckConstraint("boost_sort BETWEEN 0 AND 10", name="boost_sort"),
        CheckConstraint(
            "delivery_method IN ('nationwide', 'package_delivery', 'self_collect')", name="delivery_method"
        ),
        CheckConstraint("preorder_days >= 0", name="preorder_days"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)
    default_language: Mapped[str]
    field_order: Mapped[dict[str, Any]] = mapped_column(default=dict)
    link_version: Mapped[int] = mapped_column(SmallInteger, default=1)
    default_tax_rate: Mapped[int] = mapped_column(SmallInteger, default=17)
    boost_sort: Mapped[Decimal] = mapped_column(Numeric(3, 1), default=Decimal(1))
    delivery_method: Mapped[str] = mapped_column(default="nationwide")
    preorder_days: Mapped[int] = mapped_column(SmallInteger, default=1)
