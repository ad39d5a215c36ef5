"""Feeds a vendor gets products from, and the rules that change what they say."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, Keyed, VendorOwned, Versioned


class Feed(Keyed, VendorOwned, Versioned, Base):
    """One source of products in one language: an address that is fetched, or files that somebody sends.

    ``mapping`` maps the file's columns to ours. ``position`` orders the vendor's feeds: of two that give a field, the
    lower one wins. ``every_hours`` is the schedule of an address; ``etag`` and ``last_modified`` are what its server
    said with the file that was imported last.
    """

    __tablename__ = "feeds"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "name"),
        CheckConstraint("format IN ('auto', 'google', 'shopify', 'woocommerce', 'table')", name="format"),
        CheckConstraint("blank_cells IN ('clear', 'keep')", name="blank_cells"),
        CheckConstraint("missing_rows IN ('keep', 'out_of_stock')", name="missing_rows"),
        CheckConstraint("policy IN ('skip-bad-rows', 'all-or-nothing')", name="policy"),
        CheckConstraint("every_hours IS NULL OR url IS NOT NULL", name="schedule"),
        CheckConstraint("every_hours BETWEEN 1 AND 168", name="every_hours"),
        Index("ix_feeds_next_run_at", "next_run_at", postgresql_where=text("next_run_at IS NOT NULL")),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    name: Mapped[str]
    language: Mapped[str]
    format: Mapped[str] = mapped_column(default="auto")
    url: Mapped[str | None]
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    default_currency: Mapped[str] = mapped_column(default="EUR")
    blank_cells: Mapped[str] = mapped_column(default="clear")
    missing_rows: Mapped[str] = mapped_column(default="keep")
    policy: Mapped[str] = mapped_column(default="skip-bad-rows")
    position: Mapped[int] = mapped_column(SmallInteger)
    every_hours: Mapped[int | None] = mapped_column(SmallInteger)
    next_run_at: Mapped[datetime | None]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    last_import_id: Mapped[UUID | None]
    is_active: Mapped[bool] = mapped_column(default=True)


class FeedRule(Keyed, VendorOwned, Versioned, Base):
    """If the conditions hold for a row, its cells are changed, or the row is left out.

    Import rules are of one feed or of all (``feed_id`` null), export rules of one language or of all. ``conditions`` is
    a list of objects with column, op and value, of which all or any must hold; none: always. ``action`` is an object
    with kind and what that kind needs. They run in the order of ``position``.
    """

    __tablename__ = "feed_rules"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        ForeignKeyConstraint(["vendor_id", "feed_id"], ["feeds.vendor_id", "feeds.id"], ondelete="CASCADE"),
        CheckConstraint("stage IN ('import', 'export')", name="stage"),
        CheckConstraint("match IN ('all', 'any')", name="match"),
        CheckConstraint("stage = 'import' OR feed_id IS NULL", name="feed"),
        CheckConstraint("stage = 'export' OR language IS NULL", name="language"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    stage: Mapped[str]
    feed_id: Mapped[UUID | None]
    language: Mapped[str | None]
    name: Mapped[str]
    position: Mapped[int] = mapped_column(SmallInteger)
    is_active: Mapped[bool] = mapped_column(default=True)
    match: Mapped[str] = mapped_column(default="all")
    conditions: Mapped[list[Any]]
    action: Mapped[dict[str, Any]]
