"""Imports of feeds: what was asked for, what became of it, and the rows that failed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Integer, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import NOT_PERSONAL, Base, Keyed, TableScope, VendorOwned


class FeedImport(Keyed, VendorOwned, Base):
    """One import of a feed. Its state and progress are its job's; ``problem`` names what stopped it (code, parameters).

    ``prepared_key`` is the stored table that another format was turned into, ``left_out`` how many products of it are
    not for sale, by reason. ``column_fill`` counts the cells that are
    not empty, by column; ``missing`` the rows that the feed had before and has no longer; ``findings`` is what the
    guard objected to, unless ``is_confirmed``. ``is_not_modified``: the address still has the file that was imported
    last. ``undone_at``: a later run put back what this one had changed. ``differences`` are the first of what a trial
    would change.
    """

    __tablename__ = "feed_imports"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        ForeignKeyConstraint(["vendor_id", "feed_id"], ["feeds.vendor_id", "feeds.id"], ondelete="CASCADE"),
        Index("ix_feed_imports_feed_id", "vendor_id", "feed_id", "id"),
        CheckConstraint("source_kind IN ('upload', 'url')", name="source_kind"),
        CheckConstraint("policy IN ('skip-bad-rows', 'all-or-nothing')", name="policy"),
        CheckConstraint("rows = created + updated + unchanged + excluded + failed", name="counts"),
        CheckConstraint("octet_length(differences::text) <= 65536", name="differences"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    feed_id: Mapped[UUID]
    job_id: Mapped[UUID | None]
    source_kind: Mapped[str]
    source_name: Mapped[str]
    storage_key: Mapped[str | None]
    url: Mapped[str | None]
    language: Mapped[str]
    policy: Mapped[str]
    is_dry_run: Mapped[bool]
    is_confirmed: Mapped[bool] = mapped_column(default=False)
    is_not_modified: Mapped[bool] = mapped_column(default=False)
    format: Mapped[str | None]
    prepared_key: Mapped[str | None]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    left_out: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    encoding: Mapped[str | None]
    delimiter: Mapped[str | None]
    header: Mapped[list[str] | None]
    unknown_columns: Mapped[list[str] | None]
    bytes: Mapped[int | None]
    rows: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    excluded: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    missing: Mapped[int] = mapped_column(default=0)
    column_fill: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    findings: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    seconds: Mapped[float] = mapped_column(default=0.0)
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # Only the page of one import shows them.
    differences: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True), deferred=True)
    undone_at: Mapped[datetime | None]
    undo_job_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class FeedRowError(Base):
    """A row that was not imported: its cells as in the file, and all that is wrong with it.

    ``errors`` is a list of objects with column, code, value and params.
    """

    __tablename__ = "feed_row_errors"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR
    __verbs__ = "SID"
    __table_args__ = (
        ForeignKeyConstraint(
            ["vendor_id", "import_id"], ["feed_imports.vendor_id", "feed_imports.id"], ondelete="CASCADE"
        ),
    )

    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    external_id: Mapped[str | None]
    cells: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    errors: Mapped[list[Any]]


class FeedImportSeen(Base):
    """The ids a running import has met: so the second row of an id is found in a later part of the file too, and at the
    end what the feed has no longer. ``line`` is below zero while no row of the id could be read.

    Rows live as long as the run. No foreign key, which would be checked for each of them, and no log: a run that finds
    them gone after a crash of the database begins again.
    """

    __tablename__ = "feed_import_seen"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(Integer)


class FeedChange(Base):
    """What a row was before an import changed it, so that the import can be undone.

    ``product_before`` and ``text_before`` hold the fields that were changed, ``staged_before`` the row of the feed;
    null where there was none. Without ``product_id`` nothing but the feed's row was touched. Rows that an import added
    are found by ``MarketplaceProduct.first_import_id``.
    """

    __tablename__ = "feed_changes"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR
    __table_args__ = (
        ForeignKeyConstraint(
            ["vendor_id", "import_id"], ["feed_imports.vendor_id", "feed_imports.id"], ondelete="CASCADE"
        ),
    )

    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[UUID | None]
    product_before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    text_before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    staged_before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
