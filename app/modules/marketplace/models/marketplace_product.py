"""What the feeds say, before it becomes the catalogue."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.ids import new_id
from app.core.tables import Base, TableScope, Timestamped


class MarketplaceProduct(Timestamped, Base):
    """The last row of one id in the feed of one language.

    ``raw`` has its cells by column, ``row_hash`` is over these and the feed's columns: an equal hash means that there
    is nothing to do. ``id`` is for addresses: it stays while the row lives.
    """

    __tablename__ = "marketplace_products"
    __scope__ = TableScope.VENDOR
    __table_args__ = (
        UniqueConstraint(
            "vendor_id", "marketplace", "language", "external_id", name="uq_marketplace_products_row"
        ),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    marketplace: Mapped[str]
    language: Mapped[str]
    external_id: Mapped[str]
    raw: Mapped[dict[str, Any]]
    row_hash: Mapped[bytes]
    title: Mapped[str]
    price_cents: Mapped[int]
    currency: Mapped[str]
    gtin: Mapped[str | None]
    availability: Mapped[str | None]
    import_id: Mapped[UUID]
