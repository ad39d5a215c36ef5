"""What does not work between the platform and others."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import ERASE, Base, Keyed, Personal, TableScope


class ProblemRecord(Keyed, Base):
    """One thing that fails, of a vendor or of the platform. ``count`` is how often, ``first_at`` since when, with no
    more than an hour between two of them. It is open while it is neither dismissed nor cleared."""

    __tablename__ = "problems"
    __personal__ = Personal({"params": ERASE, "detail": ERASE}, mentions=("params", "detail"))
    __impersonal__ = ("key", "message_key", "url")
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __table_args__ = (
        CheckConstraint("count > 0 AND critical_after > 0", name="counts"),
        Index("uq_problems_key", "vendor_id", "key", unique=True, postgresql_nulls_not_distinct=True),
    )

    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    key: Mapped[str]
    message_key: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    detail: Mapped[str] = mapped_column(default="")
    url: Mapped[str | None]
    count: Mapped[int] = mapped_column(default=1)
    critical_after: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    dismissed_at: Mapped[datetime | None]
    dismissed_by: Mapped[UUID | None]
    cleared_at: Mapped[datetime | None]
