"""Second step, recovery codes, invitations, domains, acting as a vendor, holds with a reason."""

import sqlalchemy as sa
from alembic import op

revision = "tenancy_0002"
down_revision = "tenancy_0001"

_SUSPENDABLE = ("companies", "platforms", "vendors")


def upgrade() -> None:
    """Add tables, columns and indexes; every role may open its own profile."""
    op.add_column("platforms", sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.alter_column("platforms", "is_active", server_default=None)
    for table in _SUSPENDABLE:
        op.add_column(table, sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
        op.add_column(table, sa.Column("suspended_reason", sa.Text(), nullable=True))
    _extend_users()
    op.create_table(
        "domains",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=op.f("fk_domains_vendor_id_vendors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domains")),
        sa.UniqueConstraint("host", name=op.f("uq_domains_host")),
    )
    op.create_index(op.f("ix_domains_vendor_id"), "domains", ["vendor_id"])
    _create_invitations()
    op.create_index(
        "ix_audit_log_target_id",
        "audit_log",
        ["target", "id"],
        postgresql_where=sa.text("target IS NOT NULL"),
    )
    op.create_index(op.f("ix_memberships_company_id"), "memberships", ["company_id"])
    op.create_index(op.f("ix_memberships_vendor_id"), "memberships", ["vendor_id"])
    op.execute("UPDATE roles SET permissions = array_append(permissions, 'tenancy.vendor_profile.view')")


def _extend_users() -> None:
    op.add_column("users", sa.Column("time_zone", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("has_shortcuts", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.alter_column("users", "has_shortcuts", server_default=None)
    op.add_column("users", sa.Column("totp_secret", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("totp_step", sa.BigInteger(), nullable=True))
    op.add_column("user_sessions", sa.Column("acting_admin_id", sa.Uuid(), nullable=True))
    op.add_column("user_sessions", sa.Column("acting_vendor_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_user_sessions_acting_admin_id_users"),
        "user_sessions",
        "users",
        ["acting_admin_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_foreign_key(
        op.f("fk_user_sessions_acting_vendor_id_vendors"),
        "user_sessions",
        "vendors",
        ["acting_vendor_id"],
        ["id"],
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"])


def _create_invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_norm", sa.Text(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=True),
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column("role_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("sends", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(platform_id, company_id, role_id) = 1", name=op.f("ck_invitations_one_place")
        ),
        sa.CheckConstraint(
            "role_id IS NULL OR vendor_id IS NOT NULL", name=op.f("ck_invitations_role_of_vendor")
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_invitations_company_id_companies")
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], name=op.f("fk_invitations_platform_id_platforms")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=op.f("fk_invitations_vendor_id_vendors")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "role_id"],
            ["roles.vendor_id", "roles.id"],
            name=op.f("fk_invitations_vendor_id_role_id_roles"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
    )
    op.create_index(op.f("ix_invitations_email_norm"), "invitations", ["email_norm"])
    op.create_index("ix_invitations_vendor_id_id", "invitations", ["vendor_id", "id"])


def downgrade() -> None:
    """Take them away again."""
    op.execute("UPDATE roles SET permissions = array_remove(permissions, 'tenancy.vendor_profile.view')")
    op.drop_index(op.f("ix_memberships_vendor_id"), "memberships")
    op.drop_index(op.f("ix_memberships_company_id"), "memberships")
    op.drop_index("ix_audit_log_target_id", "audit_log")
    for table in ("invitations", "domains", "recovery_codes"):
        op.drop_table(table)
    for column in ("acting_vendor_id", "acting_admin_id"):
        op.drop_column("user_sessions", column)
    for column in ("totp_step", "totp_confirmed_at", "totp_secret", "has_shortcuts", "time_zone"):
        op.drop_column("users", column)
    for table in _SUSPENDABLE:
        op.drop_column(table, "suspended_reason")
        op.drop_column(table, "suspended_at")
    op.drop_column("platforms", "is_active")
