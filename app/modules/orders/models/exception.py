"""Lines that cannot be sent as they are, and what is remembered of how they were put right."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, Keyed, VendorOwned, Versioned
from app.modules.orders.enums import ExceptionKind, ExceptionStatus, MatchKind, among


class OrderException(Keyed, VendorOwned, Versioned, Base):
    """Why a line waits. Those with the same ``match_kind`` and ``match_value`` are put right together.

    ``candidates``: products that it could be, each with the reason; none is picked by the system while there are two.
    ``available``: how many there were, where stock is short. ``former``: what the line said before a product was
    chosen, to undo that; once undone (``undone_at``) only people answer it. ``assigned_to``: who of the operator
    sees to it.
    """

    __tablename__ = "order_exceptions"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        ForeignKeyConstraint(
            ["vendor_id", "order_id"], ["orders.vendor_id", "orders.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["vendor_id", "line_id"], ["order_lines.vendor_id", "order_lines.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["vendor_id", "product_id"],
            ["products.vendor_id", "products.id"],
            ondelete="SET NULL (product_id)",
        ),
        CheckConstraint(among("kind", ExceptionKind), name="kind"),
        CheckConstraint(among("status", ExceptionStatus), name="status"),
        CheckConstraint(among("match_kind", MatchKind), name="match_kind"),
        CheckConstraint("(status = 'pending') = (resolved_at IS NULL)", name="resolved_at"),
        Index(
            "uq_order_exceptions_open",
            "vendor_id",
            "line_id",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_order_exceptions_match",
            "vendor_id",
            "match_kind",
            "match_value",
            postgresql_where=text("status = 'pending'"),
        ),
        Index("ix_order_exceptions_vendor_id_order_id", "vendor_id", "order_id"),
    )

    order_id: Mapped[UUID]
    line_id: Mapped[UUID]
    kind: Mapped[str]
    match_kind: Mapped[str | None]
    match_value: Mapped[str | None]
    candidates: Mapped[list[Any]]
    available: Mapped[int | None]
    status: Mapped[str] = mapped_column(default=ExceptionStatus.PENDING)
    product_id: Mapped[UUID | None]
    resolved_at: Mapped[datetime | None]
    user_id: Mapped[UUID | None]
    former: Mapped[dict[str, Any] | None]
    undone_at: Mapped[datetime | None]
    assigned_to: Mapped[UUID | None]


class ProductMatch(Keyed, VendorOwned, Versioned, Base):
    """What somebody said a GTIN or SKU stands for, so that the same exception never comes back."""

    __tablename__ = "product_matches"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "kind", "value"),
        ForeignKeyConstraint(
            ["vendor_id", "product_id"], ["products.vendor_id", "products.id"], ondelete="CASCADE"
        ),
        CheckConstraint(among("kind", MatchKind), name="kind"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    kind: Mapped[str]
    value: Mapped[str]
    product_id: Mapped[UUID]
    user_id: Mapped[UUID | None]
