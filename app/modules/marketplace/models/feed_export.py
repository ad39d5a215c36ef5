"""Exports of the catalogue that somebody asked for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import Base, Keyed, VendorOwned


class FeedExport(Keyed, VendorOwned, Base):
    """One export in one language. Its state and progress are its job's; the file is there once it has a key."""

    __tablename__ = "feed_exports"
    __table_args__ = (UniqueConstraint("vendor_id", "id"),)

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    job_id: Mapped[UUID | None]
    language: Mapped[str]
    file_name: Mapped[str]
    storage_key: Mapped[str | None]
    rows: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
