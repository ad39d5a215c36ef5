"""Invoices and credit notes. What is issued never changes: the database refuses it.

Amounts are cents of the document's currency and positive; a credit note takes them away.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import KEEP, NOT_PERSONAL, Base, Keyed, Personal, TableScope, VendorOwned, Versioned

_OF_DOCUMENT = (["vendor_id", "document_id"], ["documents.vendor_id", "documents.id"])
_CATEGORIES = "'S', 'Z', 'E', 'AE', 'K', 'G', 'O'"


class NumberSeries(Base):
    """How many documents of a kind a vendor has issued in a year; counted under the row's lock: no gaps."""

    __tablename__ = "number_series"
    __scope__ = TableScope.VENDOR
    __verbs__ = "SIU"
    __personal__ = NOT_PERSONAL

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last_number: Mapped[int]


class Document(Keyed, VendorOwned, Versioned, Base):
    """A document with everything it says, as it was then. Drafts have no number.

    ``corrects_id``: the invoice that a credit note corrects. ``mentions``: sentences the law asks for, in ``language``.
    ``pdf_key`` and the like: stored files and the SHA-256 of each. ``job_id``: the job that issues it; ``failure``: why
    a draft was not issued.
    """

    __tablename__ = "documents"
    __personal__ = Personal({"buyer": KEEP("books: invoices are kept for ten years")}, subject="order_id")
    __impersonal__ = (
        *("kind", "status", "number", "order_number", "currency", "language", "regime", "seller", "mentions"),
        *("issued_on", "supplied_on", "due_on", "ship_country", "reason", "footer", "failure"),
        *("pdf_key", "pdf_sha256", "cii_key", "cii_sha256", "ubl_key", "ubl_sha256"),
    )
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "kind", "number"),
        ForeignKeyConstraint(["vendor_id", "order_id"], ["orders.vendor_id", "orders.id"]),
        ForeignKeyConstraint(["vendor_id", "refund_id"], ["refunds.vendor_id", "refunds.id"]),
        ForeignKeyConstraint(["vendor_id", "corrects_id"], ["documents.vendor_id", "documents.id"]),
        CheckConstraint("kind IN ('invoice', 'credit_note')", name="kind"),
        CheckConstraint("status IN ('draft', 'issued')", name="status"),
        CheckConstraint(
            "(status = 'issued') = (number IS NOT NULL AND issued_on IS NOT NULL AND pdf_key IS NOT NULL)",
            name="issued",
        ),
        CheckConstraint("(kind = 'credit_note') = (corrects_id IS NOT NULL)", name="corrects"),
        CheckConstraint("gross_cents = net_cents + vat_cents AND gross_cents >= 0", name="totals"),
        CheckConstraint("paid_cents BETWEEN 0 AND gross_cents", name="paid_cents"),
        Index(
            "uq_documents_invoice",
            "vendor_id",
            "order_id",
            unique=True,
            postgresql_where=text("kind = 'invoice'"),
        ),
        Index(
            "uq_documents_refund",
            "vendor_id",
            "refund_id",
            unique=True,
            postgresql_where=text("refund_id IS NOT NULL"),
        ),
        Index("ix_documents_vendor_id_issued_on", "vendor_id", "issued_on", "id"),
        Index("ix_documents_vendor_id_order_id", "vendor_id", "order_id"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(default="draft")
    number: Mapped[str | None]
    order_id: Mapped[UUID]
    order_number: Mapped[str]
    refund_id: Mapped[UUID | None]
    corrects_id: Mapped[UUID | None]
    issued_on: Mapped[date | None]
    supplied_on: Mapped[date]
    due_on: Mapped[date | None]
    language: Mapped[str]
    currency: Mapped[str]
    seller: Mapped[dict[str, Any]]
    buyer: Mapped[dict[str, Any]]
    regime: Mapped[str]
    ship_country: Mapped[str]
    is_simplified: Mapped[bool]
    mentions: Mapped[list[str]]
    footer: Mapped[str | None]
    reason: Mapped[str | None]
    net_cents: Mapped[int]
    vat_cents: Mapped[int]
    gross_cents: Mapped[int]
    paid_cents: Mapped[int] = mapped_column(default=0)
    pdf_key: Mapped[str | None]
    pdf_sha256: Mapped[str | None]
    cii_key: Mapped[str | None]
    cii_sha256: Mapped[str | None]
    ubl_key: Mapped[str | None]
    ubl_sha256: Mapped[str | None]
    job_id: Mapped[UUID | None]
    failure: Mapped[str | None]
    issued_at: Mapped[datetime | None]


class DocumentLine(Base):
    """So many of one thing. ``discount_cents`` (gross) is off ``quantity`` times ``unit_price_cents`` (gross)."""

    __tablename__ = "document_lines"
    __scope__ = TableScope.VENDOR
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        ForeignKeyConstraint(*_OF_DOCUMENT, ondelete="CASCADE"),
        ForeignKeyConstraint(["vendor_id", "order_line_id"], ["order_lines.vendor_id", "order_lines.id"]),
        CheckConstraint(f"tax_category IN ({_CATEGORIES})", name="tax_category"),
        CheckConstraint("gross_cents = net_cents + vat_cents", name="gross_cents"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_document_lines_vendor_id_order_line_id", "vendor_id", "order_line_id"),
    )

    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    order_line_id: Mapped[UUID]
    title: Mapped[str]
    sku: Mapped[str | None]
    gtin: Mapped[str | None]
    quantity: Mapped[int]
    unit_price_cents: Mapped[int]
    discount_cents: Mapped[int]
    gross_cents: Mapped[int]
    net_cents: Mapped[int]
    vat_cents: Mapped[int]
    tax_rate_bp: Mapped[int]
    tax_category: Mapped[str]


class DocumentTax(Base):
    """The sum of a document's lines of one category and rate (basis points)."""

    __tablename__ = "document_taxes"
    __scope__ = TableScope.VENDOR
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        ForeignKeyConstraint(*_OF_DOCUMENT, ondelete="CASCADE"),
        CheckConstraint(f"tax_category IN ({_CATEGORIES})", name="tax_category"),
    )

    vendor_id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    tax_category: Mapped[str] = mapped_column(primary_key=True)
    tax_rate_bp: Mapped[int] = mapped_column(primary_key=True)
    net_cents: Mapped[int]
    vat_cents: Mapped[int]


class DocumentExport(Keyed, VendorOwned, Base):
    """A month's documents in one archive, made by a job; the file is there once it has a key."""

    __tablename__ = "document_exports"
    __personal__ = NOT_PERSONAL
    __table_args__ = (UniqueConstraint("vendor_id", "id"),)

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    job_id: Mapped[UUID | None]
    month: Mapped[date]
    documents: Mapped[int] = mapped_column(default=0)
    storage_key: Mapped[str | None]
    bytes: Mapped[int | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
