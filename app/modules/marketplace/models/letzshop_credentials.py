"""Keys of the Letzshop API."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import NOT_PERSONAL, Base, TableScope


class LetzshopCredential(Base):
    """The sealed API key of a connection; only the identity role reads it. ``hint`` is what people may see of it.

    ``rotations`` counts the keys that this one has replaced. ``shop_slug``: which of the key's shops is meant, where it
    may act for several.
    """

    __tablename__ = "letzshop_credentials"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.IDENTITY

    connection_id: Mapped[UUID] = mapped_column(
        ForeignKey("connections.id", ondelete="CASCADE"), primary_key=True
    )
    sealed: Mapped[str]
    key_id: Mapped[str]
    hint: Mapped[str]
    shop_slug: Mapped[str | None]
    rotations: Mapped[int] = mapped_column(default=0)
    set_at: Mapped[datetime] = mapped_column(default=clock.system_now)
