"""Imports of feeds: what was asked for, what became of it, and the rows that failed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Integer, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import Base, Keyed, TableScope, VendorOwned


class FeedImport(Keyed, VendorOwned, Base):
    """One import. Its state and progress are its job's; ``problem`` names what stopped it (code and parameters)."""

    __tablename__ = "feed_imports"
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        CheckConstraint("source_kind IN ('upload', 'url')", name="source_kind"),
        CheckConstraint("policy IN ('skip-bad-rows', 'all-or-nothing')", name="policy"),
        CheckConstraint("rows = created + updated + unchanged + failed", name="counts"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    job_id: Mapped[UUID | None]
    source_kind: Mapped[str]
    source_name: Mapped[str]
    storage_key: Mapped[str | None]
    url: Mapped[str | None]
    language: Mapped[str]
    policy: Mapped[str]
    is_dry_run: Mapped[bool]
    encoding: Mapped[str | None]
    delimiter: Mapped[str | None]
    header: Mapped[list[str] | None]
    unknown_columns: Mapped[list[str] | None]
    bytes: Mapped[int | None]
    rows: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class FeedRowError(Base):
    """A row that was not imported: its cells as in the file, and all that is wrong with it.

    ``errors`` is a list of objects with column, code, value and params.
    """

    __tablename__ = "feed_row_errors"
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
    """The ids a running import has met, so that the second row of an id is found in a later part of the file too.

    Rows live as long as the run; no foreign key, which would be checked for each of them.
    """

    __tablename__ = "feed_import_seen"
    __scope__ = TableScope.VENDOR
    __verbs__ = "SID"

    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(Integer)
