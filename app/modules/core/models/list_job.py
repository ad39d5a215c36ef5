"""Work on more rows of a list than one request does."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Uuid

from app.core import clock
from app.core.tables import ERASE, Base, Keyed, Personal, TableScope


class Problem(TypedDict):
    """Rows that an action left out for one reason: how many, and the ids of the first of them."""

    count: int
    ids: list[str]


class ListJob(Keyed, Base):
    """An export or a bulk action; its state and progress are its job's. Without ``ids`` it is about all rows of the
    list's ``query``. ``reach``: the platforms, vendors and companies of an operator who does not see all of them."""

    __tablename__ = "list_jobs"
    __personal__ = Personal({"query": ERASE}, mentions=("query",))
    __impersonal__ = (
        "kind",
        "area",
        "page_id",
        "action",
        "ids",
        "language",
        "reach",
        "storage_key",
        "file_name",
        "problems",
    )
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __table_args__ = (
        CheckConstraint("kind IN ('export', 'bulk')", name="kind"),
        CheckConstraint("(kind = 'bulk') = (action IS NOT NULL)", name="action"),
        Index("ix_list_jobs_vendor_id_id", "vendor_id", "id"),
        Index("ix_list_jobs_created_at", "created_at"),
    )

    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    kind: Mapped[str]
    area: Mapped[str]
    page_id: Mapped[str]
    action: Mapped[str | None]
    query: Mapped[str]
    ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    language: Mapped[str]
    reach: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    job_id: Mapped[UUID | None]
    storage_key: Mapped[str | None]
    file_name: Mapped[str | None]
    done: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    problems: Mapped[dict[str, Problem]] = mapped_column(JSONB, default=dict)  # by the error's text key
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
