"""Rates of VAT, and what a vendor says of its own taxes and invoices."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, Keyed, TableScope, VendorOwned, Versioned

_CLASSES = "'standard', 'intermediate', 'reduced', 'super_reduced', 'zero'"


class VatRate(Base):
    """A rate of a state (basis points) from a day on, to the last day it holds; None: until it is changed."""

    __tablename__ = "vat_rates"
    __scope__ = TableScope.GLOBAL
    __personal__ = NOT_PERSONAL
    __table_args__ = (CheckConstraint("rate_bp >= 0 AND valid_to >= valid_from", name="values"),)

    country: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_to: Mapped[date | None]
    rate_bp: Mapped[int]
    source: Mapped[str]


class TaxClassRate(Keyed, VendorOwned, Versioned, Base):
    """What a vendor charges in another state for its goods of a class, instead of what is suggested."""

    __tablename__ = "tax_class_rates"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "country", "tax_class"),
        CheckConstraint(f"tax_class IN ({_CLASSES})", name="tax_class"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        CheckConstraint("rate_bp BETWEEN 0 AND 5000", name="rate_bp"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    country: Mapped[str]
    tax_class: Mapped[str]
    rate_bp: Mapped[int]


class InvoiceSettings(VendorOwned, Versioned, Base):
    """What a vendor's documents say of it, and how its sales are taxed. ``footers``: a text by language.

    ``oss_since``: first day on which the vendor declares its sales to consumers of other states by the One Stop Shop.
    ``issue_when``: whether invoices are issued by hand, when an order is confirmed, or when all of it is shipped.
    ``is_mailed``: whether buyers get what is issued by mail.
    """

    __tablename__ = "invoice_settings"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        CheckConstraint("issue_when IN ('manual', 'on_confirm', 'on_ship')", name="issue_when"),
        CheckConstraint("due_days BETWEEN 0 AND 365", name="due_days"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True, sort_order=-90)
    legal_name: Mapped[str] = mapped_column(default="")
    legal_form: Mapped[str | None]
    line1: Mapped[str] = mapped_column(default="")
    line2: Mapped[str | None]
    postcode: Mapped[str] = mapped_column(default="")
    city: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="LU")
    vat_number: Mapped[str | None]
    trade_register: Mapped[str | None]
    business_permit: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    iban: Mapped[str | None]
    bic: Mapped[str | None]
    prefix: Mapped[str] = mapped_column(default="")
    due_days: Mapped[int] = mapped_column(default=0)
    footers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    is_small_business: Mapped[bool] = mapped_column(default=False)
    oss_since: Mapped[date | None]
    issue_when: Mapped[str] = mapped_column(default="manual")
    is_mailed: Mapped[bool] = mapped_column(default=False, server_default=false())
