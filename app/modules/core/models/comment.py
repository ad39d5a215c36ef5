"""What people write about records."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import ERASE, Base, Keyed, Personal, TableScope


class RecordComment(Keyed, Base):
    """One comment on the record with the public id ``target``. What the operator writes, vendors do not see."""

    __tablename__ = "record_comments"
    __personal__ = Personal({"text": ERASE}, mentions=("text",), targets=("target",))
    __impersonal__ = ("target",)
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __verbs__ = "SIU"  # emptied when a person is erased
    __table_args__ = (Index("ix_record_comments_target_id", "target", "id"),)

    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    target: Mapped[str]
    author_id: Mapped[UUID]
    text: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
