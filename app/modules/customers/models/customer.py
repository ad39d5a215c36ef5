"""Customers, their addresses and what they agreed to."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import ERASE, Base, Keyed, Personal, Search, VendorOwned, Versioned


class Customer(Keyed, VendorOwned, Versioned, Base):
    """A person or company that buys from a vendor. ``email_norm`` is what they are known by.

    One that was merged or erased stays as an empty record, so that orders and books can name it.
    """

    __tablename__ = "customers"
    __search__ = Search("search_vector")
    __personal__ = Personal(
        {
            "email": ERASE,
            "email_norm": ERASE,
            "first_name": ERASE,
            "last_name": ERASE,
            "company_name": ERASE,
            "vat_number": ERASE,
            "phone": ERASE,
            "blocked_reason": ERASE,
            "search_vector": ERASE,
        },
        subject="id",
        handles=("email", "email_norm", "phone"),
    )
    __impersonal__ = ("language", "status", "source_channel")
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        CheckConstraint("status IN ('inactive', 'active', 'blocked')", name="status"),
        ForeignKeyConstraint(["vendor_id", "merged_into_id"], ["customers.vendor_id", "customers.id"]),
        Index(
            "uq_customers_vendor_id_email_norm",
            "vendor_id",
            "email_norm",
            unique=True,
            postgresql_where=text("merged_into_id IS NULL"),
        ),
        Index("ix_customers_vendor_id_created_at", "vendor_id", "created_at", "id"),
        Index("ix_customers_vendor_id_last_order_at", "vendor_id", "last_order_at", "id"),
        Index("ix_customers_vendor_id_spent_cents", "vendor_id", "spent_cents", "id"),
        Index("ix_customers_search", "vendor_id", "search_vector", postgresql_using="gin"),
        Index("ix_customers_email_norm", "email_norm"),  # the operator looks across vendors
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    email: Mapped[str | None]
    email_norm: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    company_name: Mapped[str | None]
    vat_number: Mapped[str | None]
    phone: Mapped[str | None]
    language: Mapped[str]
    status: Mapped[str] = mapped_column(default="inactive")
    blocked_reason: Mapped[str | None]
    source_channel: Mapped[str]
    orders_count: Mapped[int] = mapped_column(default=0)
    spent_cents: Mapped[int] = mapped_column(default=0)
    first_order_at: Mapped[datetime | None]
    last_order_at: Mapped[datetime | None]
    merged_into_id: Mapped[UUID | None]
    erased_at: Mapped[datetime | None]
    search_vector: Mapped[Any] = mapped_column(TSVECTOR)


class CustomerAddress(Keyed, VendorOwned, Versioned, Base):
    """An entry of a customer's address book. At most one is the default for shipping, at most one for billing."""

    __tablename__ = "customer_addresses"
    __personal__ = Personal(
        dict.fromkeys(("name", "company", "line1", "line2", "postcode", "city", "country", "phone"), ERASE),
        subject="customer_id",
        handles=("phone",),
    )
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        ForeignKeyConstraint(["vendor_id", "customer_id"], ["customers.vendor_id", "customers.id"]),
        Index("ix_customer_addresses_vendor_id_customer_id", "vendor_id", "customer_id"),
        Index(
            "uq_customer_addresses_shipping",
            "vendor_id",
            "customer_id",
            unique=True,
            postgresql_where=text("is_shipping_default"),
        ),
        Index(
            "uq_customer_addresses_billing",
            "vendor_id",
            "customer_id",
            unique=True,
            postgresql_where=text("is_billing_default"),
        ),
    )

    customer_id: Mapped[UUID]
    name: Mapped[str | None]
    company: Mapped[str | None]
    line1: Mapped[str | None]
    line2: Mapped[str | None]
    postcode: Mapped[str | None]
    city: Mapped[str | None]
    country: Mapped[str | None]
    phone: Mapped[str | None]
    is_shipping_default: Mapped[bool] = mapped_column(default=False)
    is_billing_default: Mapped[bool] = mapped_column(default=False)


class CustomerConsent(Keyed, VendorOwned, Base):
    """That a customer agreed to something, or took it back: proof, so nothing is ever changed. The newest counts."""

    __tablename__ = "customer_consents"
    __verbs__ = "SI"
    __personal__ = Personal({}, subject="customer_id")
    __impersonal__ = ("purpose", "source")
    __table_args__ = (
        ForeignKeyConstraint(["vendor_id", "customer_id"], ["customers.vendor_id", "customers.id"]),
        Index("ix_customer_consents_vendor_id_customer_id", "vendor_id", "customer_id", "id"),
    )

    customer_id: Mapped[UUID]
    purpose: Mapped[str]
    is_granted: Mapped[bool]
    source: Mapped[str]
    user_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(default=clock.now)
