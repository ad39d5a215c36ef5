"""Values of settings that somebody changed. What is not here has its declared default."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, TableScope, Versioned


class AdminSetting(Versioned, Base):
    """A setting of the whole installation. Every tenant's work may read it; only the operator writes it."""

    __tablename__ = "admin_settings"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.GLOBAL

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    changed_by: Mapped[UUID | None]


class VendorSetting(Versioned, Base):
    """A setting of one vendor."""

    __tablename__ = "vendor_settings"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    changed_by: Mapped[UUID | None]
