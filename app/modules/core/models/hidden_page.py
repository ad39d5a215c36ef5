"""Which pages a platform leaves out of its menus."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import NOT_PERSONAL, Base, TableScope


class HiddenPage(Base):
    """A page that is not in the menus of a platform. Its address still works: this is order, not permission."""

    __tablename__ = "hidden_pages"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.PLATFORM
    __verbs__ = "SID"

    platform_id: Mapped[UUID] = mapped_column(ForeignKey("platforms.id"), primary_key=True)
    page_id: Mapped[str] = mapped_column(primary_key=True)
    hidden_by: Mapped[UUID | None]
    hidden_at: Mapped[datetime] = mapped_column(default=clock.now)
