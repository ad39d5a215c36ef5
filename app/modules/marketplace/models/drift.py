"""What a marketplace offers other than it was told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, Keyed, VendorOwned
from app.modules.marketplace.enums import DriftKind


class Drift(Keyed, VendorOwned, Base):
    """A difference between the feed that was sent and what the marketplace offers, as the last check found it.

    ``article`` is the SKU, or the marketplace's id of what we do not have. ``ours`` and ``theirs`` are gross cents of a
    price, or 1 and 0 of an availability. ``found_at``: the first of the checks that found it; ``seen_at``: the last.
    """

    __tablename__ = "drifts"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "connection_id", "kind", "article"),
        CheckConstraint(
            f"kind IN ({', '.join(repr(kind.value) for kind in DriftKind)})",
            name="kind",
        ),
        ForeignKeyConstraint(
            ["vendor_id", "connection_id"], ["connections.vendor_id", "connections.id"], ondelete="CASCADE"
        ),
    )

    connection_id: Mapped[UUID]
    kind: Mapped[str]
    article: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    ours: Mapped[int | None]
    theirs: Mapped[int | None]
    found_at: Mapped[datetime]
    seen_at: Mapped[datetime]
