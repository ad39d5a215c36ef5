"""Keys with which programs call the API."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import KEEP, Base, Keyed, Personal, TableScope, Versioned


class ApiKey(Keyed, Versioned, Base):
    """A key of one vendor, or of one admin (for the platforms that are theirs). The key itself is shown once.

    ``scopes`` are the permissions it was given, ``networks`` the addresses it may come from (none: any), ``start`` its
    first characters, by which people tell keys apart.
    """

    __tablename__ = "api_keys"
    __personal__ = Personal(
        {
            "name": KEEP("people who work with the platform: goes with the account"),
            "networks": KEEP("people who work with the platform: goes with the account"),
        }
    )
    __impersonal__ = ("start", "token_hash", "scopes")
    __scope__ = TableScope.IDENTITY
    __table_args__ = (CheckConstraint("num_nonnulls(vendor_id, user_id) = 1", name="one_holder"),)

    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"), index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    start: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    networks: Mapped[list[str]]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None]
