"""What the feeds say, before it becomes the catalogue."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, TableScope, Timestamped


class MarketplaceProduct(Timestamped, Base):
    """The last row of one id in the feed of one language.

    ``raw`` has its cells by column, ``row_hash`` is over these and the feed's columns: an equal hash means that there
    is nothing to do.
    """

    __tablename__ = "marketplace_products"
    __scope__ = TableScope.VENDOR

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)
    marketplace: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    raw: Mapped[dict[str, Any]]
    row_hash: Mapped[bytes]
    title: Mapped[str]
    price_cents: Mapped[int]
    currency: Mapped[str]
    gtin: Mapped[str | None]
    availability: Mapped[str | None]
    import_id: Mapped[UUID]
