"""What the feeds say, before it becomes the catalogue."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.ids import new_id
from app.core.tables import NOT_PERSONAL, Base, TableScope, Timestamped


class MarketplaceProduct(Timestamped, Base):
    """The last row of one id in one feed.

    ``raw`` has its cells by our column names, before rules; ``row_hash`` is over the cells and all that decides what
    becomes of them: an equal hash means that there is nothing to do. ``id`` is for addresses: it stays while the row
    lives. ``first_import_id`` added the row, and ``made_product`` says that it made the product as well;
    ``import_id`` changed it last. ``missing_since``: the feed no longer has it. ``given`` has the bits of the fields
    that it has a value for (``catalog.contracts.KEPT_BITS``). ``line`` is where it stood in the file of ``import_id``;
    null for rows of before that was kept.
    """

    __tablename__ = "marketplace_products"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR
    __table_args__ = (
        UniqueConstraint("vendor_id", "feed_id", "external_id", name="uq_marketplace_products_row"),
    )

    # No foreign key, which would be checked for each row: the row-level policy lets a vendor write its own rows only.
    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    feed_id: Mapped[UUID]
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
    first_import_id: Mapped[UUID]
    made_product: Mapped[bool]
    import_id: Mapped[UUID]
    missing_since: Mapped[datetime | None]
    given: Mapped[int]
    line: Mapped[int | None] = mapped_column(Integer)
