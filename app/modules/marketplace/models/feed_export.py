"""Exports of the catalogue that somebody asked for."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import NOT_PERSONAL, Base, Keyed, VendorOwned


class FeedExport(Keyed, VendorOwned, Base):
    """One export in one language. Its state and progress are its job's; the file is there once it has a key.

    ``sha256`` is of the file's bytes. ``differences`` counts what is new, changed and gone since the file that was sent
    last, and the cells emptied by column. A file that the guard objects to (``findings``) waits until somebody confirms
    it; ``sent_at`` is when it became the file that the signed address and the folder give. ``is_push``: written because
    something changed that a marketplace is to know at once; only the last of these is kept.
    """

    __tablename__ = "feed_exports"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        Index(
            "ix_feed_exports_sent",
            "vendor_id",
            "language",
            "sent_at",
            postgresql_where=text("sent_at IS NOT NULL"),
        ),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    job_id: Mapped[UUID | None]
    language: Mapped[str]
    file_name: Mapped[str]
    storage_key: Mapped[str | None]
    rows: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[bytes | None]
    bytes: Mapped[int | None]
    excluded: Mapped[int] = mapped_column(default=0)
    differences: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    findings: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    sent_at: Mapped[datetime | None]
    is_push: Mapped[bool] = mapped_column(default=False)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
