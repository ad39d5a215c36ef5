"""Who may sign in, and where they belong. Only the identity role reads these tables."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import Base, Keyed, TableScope, Versioned


class User(Keyed, Versioned, Base):
    """A person of the operator or of a company. Customers of shops are not users."""

    __tablename__ = "users"
    __scope__ = TableScope.IDENTITY

    email: Mapped[str]
    email_norm: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    is_super_admin: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str | None]
    theme: Mapped[str | None]
    last_sign_in_at: Mapped[datetime | None]


class Membership(Keyed, Versioned, Base):
    """What ties a user to exactly one of: a platform (admin), a company (owner), a vendor (team member with a role)."""

    __tablename__ = "memberships"
    __scope__ = TableScope.IDENTITY
    __table_args__ = (
        CheckConstraint("num_nonnulls(platform_id, company_id, vendor_id) = 1", name="one_place"),
        CheckConstraint("(vendor_id IS NULL) = (role_id IS NULL)", name="role_of_team_member"),
        ForeignKeyConstraint(["vendor_id", "role_id"], ["roles.vendor_id", "roles.id"]),
        Index(
            "uq_memberships_place",
            "user_id",
            "platform_id",
            "company_id",
            "vendor_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    platform_id: Mapped[UUID | None] = mapped_column(ForeignKey("platforms.id"))
    company_id: Mapped[UUID | None] = mapped_column(ForeignKey("companies.id"))
    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"))
    role_id: Mapped[UUID | None]


class UserSession(Keyed, Base):
    """A signed-in browser in one area. The token itself is only in the cookie."""

    __tablename__ = "user_sessions"
    __scope__ = TableScope.IDENTITY

    token_hash: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    area: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=clock.system_now)
    seen_at: Mapped[datetime] = mapped_column(default=clock.system_now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]


class SignInGuard(Base):
    """Failed sign-ins of one e-mail address, whether or not somebody has it."""

    __tablename__ = "sign_in_guards"
    __scope__ = TableScope.IDENTITY

    email_norm: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=clock.system_now, onupdate=clock.system_now)
