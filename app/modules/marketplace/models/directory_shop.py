"""The shops of marketplaces, as their directories show them to everybody, and who of ours they are."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import KEEP, Base, Keyed, Personal, TableScope, Versioned
from app.modules.tenancy.contracts import VENDOR_ANCHOR


class ListedShop(Keyed, Versioned, Base):
    """A shop of a marketplace. ``connector``: whose. ``changes``: what the latest sync that changed it found, field to
    before and after. ``vendor_id``: which of our vendors it is, as the operator confirmed; ``claimed_by``: which says
    that it is. One that the directory no longer shows keeps its row, with ``gone_at``."""

    __tablename__ = "directory_shops"
    __personal__ = Personal(
        dict.fromkeys(
            ("name", "company_name", "email", "phone", "street", "changes"),
            KEEP("the marketplace shows it to everybody"),
        )
    )
    __impersonal__ = (
        "connector",
        "external_id",
        "slug",
        "homepage",
        "postcode",
        "city",
        "country",
        "claim_note",
    )
    __scope__ = TableScope.GLOBAL
    __table_args__ = (
        UniqueConstraint("connector", "external_id"),
        Index(
            "uq_directory_shops_vendor",
            "connector",
            "vendor_id",
            unique=True,
            postgresql_where=text("vendor_id IS NOT NULL"),
        ),
        CheckConstraint("octet_length(changes::text) <= 16384", name="changes"),
    )

    connector: Mapped[str]
    external_id: Mapped[str]
    slug: Mapped[str]
    name: Mapped[str]
    company_name: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    homepage: Mapped[str | None]
    street: Mapped[str | None]
    postcode: Mapped[str | None]
    city: Mapped[str | None]
    country: Mapped[str | None]
    is_open: Mapped[bool] = mapped_column(default=True)
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    seen_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey(VENDOR_ANCHOR, ondelete="SET NULL"))
    matched_at: Mapped[datetime | None]
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey(VENDOR_ANCHOR, ondelete="SET NULL"))
    claimed_at: Mapped[datetime | None]
    claim_note: Mapped[str | None]
    invited_at: Mapped[datetime | None]
