"""A vendor's connections to marketplaces."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import NOT_PERSONAL, Base, Keyed, VendorOwned, Versioned

LEAST_INTERVAL, USUAL_INTERVAL, MOST_INTERVAL = 60, 180, 3600


class Connection(Keyed, VendorOwned, Versioned, Base):
    """A vendor's link to a marketplace through a connector, whose code is the channel of the orders.

    ``check_…`` is the last test: its outcome, and what was found (kind, name and detail of each). ``failures`` counts
    the syncs in a row that failed. ``feed_changed_at``: what the marketplace should be told has changed since.
    ``history_read`` counts the orders that the last import of the past looked at. ``parked_told_at`` and
    ``refused_told_at``: when the shop's people were last told of such. ``options``: what its connector keeps of it that
    is no secret. ``listings_walk``: where the reading of what is offered goes on, and what it has seen.
    """

    __tablename__ = "connections"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "connector"),
        CheckConstraint(
            f"interval_seconds BETWEEN {LEAST_INTERVAL} AND {MOST_INTERVAL}", name="interval_seconds"
        ),
        CheckConstraint(
            "check_outcome IN "
            "('ok', 'not_configured', 'unreachable', 'bad_key', 'missing_role', 'schema_drift')",
            name="check_outcome",
        ),
        Index(
            "ix_connections_next_sync_at", "next_sync_at", postgresql_where=text("next_sync_at IS NOT NULL")
        ),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    connector: Mapped[str]
    is_on: Mapped[bool] = mapped_column(default=True)
    interval_seconds: Mapped[int] = mapped_column(SmallInteger, default=USUAL_INTERVAL)
    connected_at: Mapped[datetime] = mapped_column(default=clock.now)
    checked_at: Mapped[datetime | None]
    check_outcome: Mapped[str | None]
    check_detail: Mapped[str] = mapped_column(default="")
    check_findings: Mapped[list[Any]] = mapped_column(default=list)
    check_job_id: Mapped[UUID | None]
    synced_at: Mapped[datetime | None]
    next_sync_at: Mapped[datetime | None]
    sync_job_id: Mapped[UUID | None]
    failures: Mapped[int] = mapped_column(Integer, default=0)
    feed_changed_at: Mapped[datetime | None]
    history_job_id: Mapped[UUID | None]
    history_done_at: Mapped[datetime | None]
    history_read: Mapped[int] = mapped_column(default=0)
    parked_told_at: Mapped[datetime | None]
    refused_told_at: Mapped[datetime | None]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    listings_walk: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), deferred=True)
