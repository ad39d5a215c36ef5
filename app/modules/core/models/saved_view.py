"""Lists as people want to see them again."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import ERASE, Base, Keyed, Personal, TableScope, Versioned


class SavedView(Keyed, Versioned, Base):
    """A name for a list's query string. Colleagues see shared ones; only the owner changes them."""

    __tablename__ = "saved_views"
    __personal__ = Personal({"query": ERASE}, mentions=("query",))
    __impersonal__ = ("page_id", "name")
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __table_args__ = (
        Index(
            "uq_saved_views_name",
            "vendor_id",
            "page_id",
            "owner_id",
            "name",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    owner_id: Mapped[UUID]
    page_id: Mapped[str]
    name: Mapped[str]
    query: Mapped[str]
    is_shared: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool] = mapped_column(default=False)
