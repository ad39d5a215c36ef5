"""Calls to marketplaces, for people who look for what went wrong."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import NOT_PERSONAL, Base, Keyed, VendorOwned


class ChannelCall(Keyed, VendorOwned, Base):
    """One call: what was asked, ``ok`` or the code of the error, and its time. Kept 14 days, at most 500 of each."""

    __tablename__ = "channel_calls"
    __personal__ = NOT_PERSONAL
    __verbs__ = "SID"
    __table_args__ = (
        ForeignKeyConstraint(
            ["vendor_id", "connection_id"], ["connections.vendor_id", "connections.id"], ondelete="CASCADE"
        ),
        Index("ix_channel_calls_connection_id", "vendor_id", "connection_id", "id"),
        Index("ix_channel_calls_at", "at"),
    )

    connection_id: Mapped[UUID]
    operation: Mapped[str]
    outcome: Mapped[str]
    http_status: Mapped[int | None] = mapped_column(SmallInteger)
    duration_ms: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(default=clock.system_now)
