"""Who is separated from whom: platforms, companies, vendors, and the hosts that lead to vendors."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import KEEP, NOT_PERSONAL, Base, Keyed, Personal, TableScope, Versioned


class Suspendable:
    """What the operator can put on hold, with a reason that the people concerned may read."""

    is_active: Mapped[bool] = mapped_column(default=True, sort_order=80)
    suspended_at: Mapped[datetime | None] = mapped_column(sort_order=81)
    suspended_reason: Mapped[str | None] = mapped_column(sort_order=82)


class Platform(Keyed, Suspendable, Versioned, Base):
    """A business offering of the operator. Vendors belong to one or more; one on hold takes no new vendors."""

    __tablename__ = "platforms"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.PLATFORM
    __scope_column__ = "id"
    __identity_reads__ = True

    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class Company(Keyed, Suspendable, Versioned, Base):
    """A legal entity that owns vendors."""

    __tablename__ = "companies"
    __personal__ = Personal(
        dict.fromkeys(("name", "contact_email", "tax_number"), KEEP("party to a contract with the operator"))
    )
    __impersonal__ = ("suspended_reason",)
    __scope__ = TableScope.COMPANY
    __scope_column__ = "id"
    __identity_reads__ = True

    name: Mapped[str]
    contact_email: Mapped[str]
    tax_number: Mapped[str | None]


class Vendor(Keyed, Suspendable, Versioned, Base):
    """A shop. Its id is the anchor that tables of other modules point at."""

    __tablename__ = "vendors"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR
    __scope_column__ = "id"
    __identity_reads__ = True
    __table_args__ = (
        CheckConstraint("code ~ '^[A-Z0-9][A-Z0-9_-]{1,31}$'", name="code_form"),
        CheckConstraint("dashboard_language IN ('en', 'fr', 'de', 'lb')", name="dashboard_language"),
        UniqueConstraint("company_id", "id"),
    )

    company_id: Mapped[UUID] = mapped_column(ForeignKey("companies.id"))
    code: Mapped[str] = mapped_column(unique=True)
    subdomain: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    default_language: Mapped[str] = mapped_column(default="fr")
    dashboard_language: Mapped[str] = mapped_column(default="fr")


class VendorPlatform(Base):
    """A vendor's place on a platform."""

    __tablename__ = "vendor_platforms"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.PLATFORM
    __verbs__ = "SID"
    __identity_reads__ = True

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)
    platform_id: Mapped[UUID] = mapped_column(ForeignKey("platforms.id"), primary_key=True, index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Domain(Keyed, Versioned, Base):
    """A host name that leads to a vendor's shop once it is proved to be theirs. Several may claim one, one proves it.

    The name is lower case and in its ASCII form. ``token`` is what the host has to show; it is no secret.
    """

    __tablename__ = "domains"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __identity_reads__ = True
    __table_args__ = (
        UniqueConstraint("vendor_id", "host"),
        Index(
            "uq_domains_verified_host", "host", unique=True, postgresql_where=text("verified_at IS NOT NULL")
        ),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    host: Mapped[str]
    token: Mapped[str]
    checked_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    failure: Mapped[str | None]


class Role(Keyed, Versioned, Base):
    """A vendor's name for a set of permissions."""

    __tablename__ = "roles"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR
    __identity_reads__ = True
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        UniqueConstraint("vendor_id", "name"),
        ForeignKeyConstraint(["vendor_id"], ["vendors.id"]),
    )

    vendor_id: Mapped[UUID]
    name: Mapped[str]
    permissions: Mapped[list[str]]
