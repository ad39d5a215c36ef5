"""Somebody on the way to a shop of their own."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import KEEP, Base, Keyed, Personal, TableScope, Versioned


class SignUp(Keyed, Versioned, Base):
    """What was typed so far, until ``expires_at``; the mailed link leads back to it and proves the address.

    ``claim``: the shop of a marketplace that is theirs, as they say.
    Once ``finished_at``, it only says which shop (``vendor_code``) came of it.
    """

    __tablename__ = "sign_ups"
    __personal__ = Personal(
        dict.fromkeys(
            ("email", "name", "company", "tax_number"), KEEP("asks for an account; deleted after days")
        )
    )
    __impersonal__ = (
        "language",
        "interval",
        "password_hash",
        "shop_name",
        "shop_code",
        "vendor_code",
        "claim",
    )
    __scope__ = TableScope.IDENTITY
    __table_args__ = (CheckConstraint("interval IN ('month', 'year')", name="interval"),)

    email: Mapped[str]
    language: Mapped[str]
    tier_id: Mapped[UUID] = mapped_column(ForeignKey("subscription_tiers.id"))
    interval: Mapped[str]
    name: Mapped[str | None]
    password_hash: Mapped[str | None]
    company: Mapped[str | None]
    tax_number: Mapped[str | None]
    shop_name: Mapped[str | None]
    shop_code: Mapped[str | None]
    claim: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    vendor_code: Mapped[str | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
