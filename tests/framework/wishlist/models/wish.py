"""Wishes."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from app.core.tables import NOT_PERSONAL, Base, Keyed, VendorOwned, Versioned


class Wish(Keyed, VendorOwned, Versioned, Base):
    """Something wished for."""

    __tablename__ = "wishes"
    __personal__ = NOT_PERSONAL
    __table_args__ = (UniqueConstraint("vendor_id", "id"),)

    text: Mapped[str]
