"""Who may sign in, and where they belong. Only the identity role reads these tables."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import KEEP, NOT_PERSONAL, Base, Keyed, Personal, TableScope, Versioned


class User(Keyed, Versioned, Base):
    """A person of the operator or of a company. Customers of shops are not users.

    ``is_on_all_platforms``: an operator of every platform, also of those to come; what they may do say their roles.
    ``totp_secret`` is sealed; it counts from ``totp_confirmed_at`` on. ``totp_step`` is the time step of the last
    code that was used: codes work once.
    """

    __tablename__ = "users"
    __personal__ = Personal(
        dict.fromkeys(
            ("email", "email_norm", "name"), KEEP("people who work with the platform: goes with the account")
        )
    )
    __impersonal__ = ("password_hash", "language", "theme", "time_zone", "totp_secret")
    __scope__ = TableScope.IDENTITY

    email: Mapped[str]
    email_norm: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    is_super_admin: Mapped[bool] = mapped_column(default=False)
    is_on_all_platforms: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str | None]
    theme: Mapped[str | None]
    time_zone: Mapped[str | None]
    has_shortcuts: Mapped[bool] = mapped_column(default=True)
    last_sign_in_at: Mapped[datetime | None]
    totp_secret: Mapped[str | None]
    totp_confirmed_at: Mapped[datetime | None]
    totp_step: Mapped[int | None]


class RecoveryCode(Keyed, Base):
    """Signs somebody in once who lost the device that shows their codes. Random enough for a plain hash."""

    __tablename__ = "recovery_codes"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.IDENTITY

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[bytes]
    used_at: Mapped[datetime | None]


class Membership(Keyed, Versioned, Base):
    """What ties a user to exactly one of: a platform (operator), a company (owner), a vendor (member with a role)."""

    __tablename__ = "memberships"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.IDENTITY
    __scope_column__ = "vendor_id"  # of team members, for the proofs; the identity role sees all
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
    company_id: Mapped[UUID | None] = mapped_column(ForeignKey("companies.id"), index=True)
    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"), index=True)
    role_id: Mapped[UUID | None]


class OperatorRole(Keyed, Versioned, Base):
    """The operator's name for a set of permissions of the admin area.

    One with a ``code`` is built in: what it allows is a rule of ``operator_role_service``, so that permissions of
    modules to come belong to it too.
    """

    __tablename__ = "operator_roles"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.IDENTITY

    code: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    permissions: Mapped[list[str]]


class OperatorRoleGrant(Base):
    """A role of an operator. Several add up; on which platforms they count say the user and their memberships."""

    __tablename__ = "operator_role_grants"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.IDENTITY
    __verbs__ = "SID"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[UUID] = mapped_column(ForeignKey("operator_roles.id"), primary_key=True, index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Invitation(Keyed, Versioned, Base):
    """Somebody asked to join exactly one place: a vendor's team (with a role), a company's owners, or the operator's
    people (with an operator's role) on one platform or on all.

    The mailed link carries the id and ``sends``: the link of an earlier mail stops working.
    """

    __tablename__ = "invitations"
    __personal__ = Personal(
        dict.fromkeys(
            ("email", "email_norm"), KEEP("people who work with the platform: goes with the account")
        )
    )
    __impersonal__ = ("language",)
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __identity_reads__ = True
    __table_args__ = (
        CheckConstraint("num_nonnulls(operator_role_id, company_id, role_id) = 1", name="one_place"),
        CheckConstraint("platform_id IS NULL OR operator_role_id IS NOT NULL", name="role_of_operator"),
        CheckConstraint("role_id IS NULL OR vendor_id IS NOT NULL", name="role_of_vendor"),
        ForeignKeyConstraint(["vendor_id", "role_id"], ["roles.vendor_id", "roles.id"]),
        Index("ix_invitations_vendor_id_id", "vendor_id", "id"),
    )

    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"))
    email: Mapped[str]
    email_norm: Mapped[str] = mapped_column(index=True)
    platform_id: Mapped[UUID | None] = mapped_column(ForeignKey("platforms.id"))
    company_id: Mapped[UUID | None] = mapped_column(ForeignKey("companies.id"))
    role_id: Mapped[UUID | None]
    operator_role_id: Mapped[UUID | None] = mapped_column(ForeignKey("operator_roles.id"))
    language: Mapped[str]
    invited_by: Mapped[UUID | None]
    sends: Mapped[int] = mapped_column(default=1)
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class UserSession(Keyed, Base):
    """A signed-in browser in one area. The token itself is only in the cookie.

    ``area`` "link" is a session that waits to be opened by a one-minute link. With ``acting_admin_id`` it is an admin
    who acts as the user, in the vendor ``acting_vendor_id`` only.
    """

    __tablename__ = "user_sessions"
    __personal__ = Personal(
        dict.fromkeys(("ip", "user_agent"), KEEP("people who work with the platform: goes with the account"))
    )
    __impersonal__ = ("token_hash", "area")
    __scope__ = TableScope.IDENTITY

    token_hash: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    area: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=clock.system_now)
    seen_at: Mapped[datetime] = mapped_column(default=clock.system_now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    acting_admin_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    acting_vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"))


class SignInGuard(Base):
    """Failed sign-ins of one e-mail address, whether or not somebody has it."""

    __tablename__ = "sign_in_guards"
    __personal__ = Personal({"email_norm": KEEP("guards accounts; forgotten after a day")})
    __scope__ = TableScope.IDENTITY

    email_norm: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=clock.system_now, onupdate=clock.system_now)
