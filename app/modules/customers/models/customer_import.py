"""Files of customers: what they say row by row, until it is taken over or thrown away."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from app.core.tables import ERASE, Base, Keyed, Personal, TableScope, VendorOwned, Versioned


class CustomerImport(Keyed, VendorOwned, Versioned, Base):
    """A file of customers. ``ignored``: columns that mean nothing here; the counts are of rows."""

    __tablename__ = "customer_imports"
    __personal__ = Personal({})
    __impersonal__ = ("name", "status", "ignored")
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        CheckConstraint("status IN ('open', 'applied', 'discarded')", name="status"),
        Index("ix_customer_imports_vendor_id_created_at", "vendor_id", "created_at", "id"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    name: Mapped[str]
    status: Mapped[str] = mapped_column(default="open")
    ignored: Mapped[list[str]] = mapped_column(ARRAY(Text()), default=list)
    user_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    rows: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None]


class CustomerImportLine(Base):
    """What one row says; emptied when the import is closed, so that only the line and what is wrong with it stay."""

    __tablename__ = "customer_import_lines"
    __scope__ = TableScope.VENDOR
    __personal__ = Personal({"email_norm": ERASE, "given": ERASE}, mentions=("email_norm", "given"))
    __impersonal__ = ("effect", "fault", "column_name")
    __table_args__ = (
        ForeignKeyConstraint(
            ["vendor_id", "import_id"],
            ["customer_imports.vendor_id", "customer_imports.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("effect IN ('new', 'changed', 'same', 'refused')", name="effect"),
        CheckConstraint("(effect = 'refused') = (fault IS NOT NULL)", name="fault"),
    )

    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    email_norm: Mapped[str | None]
    given: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    effect: Mapped[str]
    fault: Mapped[str | None]
    column_name: Mapped[str | None]
