"""Roles of operators, and a main domain of each vendor."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "tenancy_0003"
down_revision = "tenancy_0002"

_BUILT_IN = (
    ("super_admin", "Super admin"),
    ("platform_admin", "Platform admin"),
    ("support", "Support"),
    ("developer", "Developer"),
)
_PLATFORM_ADMIN = "(SELECT id FROM operator_roles WHERE code = 'platform_admin')"


def upgrade() -> None:
    """Add tables and columns; who administers a platform keeps the rights they had, as a role."""
    op.create_table(
        "operator_roles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("permissions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_roles")),
        sa.UniqueConstraint("code", name=op.f("uq_operator_roles_code")),
        sa.UniqueConstraint("name", name=op.f("uq_operator_roles_name")),
    )
    op.create_table(
        "operator_role_grants",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["role_id"], ["operator_roles.id"], name=op.f("fk_operator_role_grants_role_id_operator_roles")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_operator_role_grants_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("pk_operator_role_grants")),
    )
    op.create_index(op.f("ix_operator_role_grants_role_id"), "operator_role_grants", ["role_id"])
    for code, name in _BUILT_IN:
        op.execute(
            sa.text(
                "INSERT INTO operator_roles (id, code, name, permissions, created_at, updated_at, version) "
                "VALUES (gen_random_uuid(), :code, :name, '{}', now(), now(), 1)"
            ).bindparams(code=code, name=name)
        )
    op.execute(
        "INSERT INTO operator_role_grants (user_id, role_id, created_at) "
        f"SELECT DISTINCT user_id, {_PLATFORM_ADMIN}, now() FROM memberships WHERE platform_id IS NOT NULL"
    )
    op.add_column(
        "users", sa.Column("is_on_all_platforms", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.alter_column("users", "is_on_all_platforms", server_default=None)
    _extend_invitations()
    _extend_domains()


def _extend_invitations() -> None:
    op.add_column("invitations", sa.Column("operator_role_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_invitations_operator_role_id_operator_roles"),
        "invitations",
        "operator_roles",
        ["operator_role_id"],
        ["id"],
    )
    op.execute(f"UPDATE invitations SET operator_role_id = {_PLATFORM_ADMIN} WHERE platform_id IS NOT NULL")
    op.drop_constraint(op.f("ck_invitations_one_place"), "invitations")
    op.create_check_constraint(
        op.f("ck_invitations_one_place"),
        "invitations",
        "num_nonnulls(operator_role_id, company_id, role_id) = 1",
    )
    op.create_check_constraint(
        op.f("ck_invitations_role_of_operator"),
        "invitations",
        "platform_id IS NULL OR operator_role_id IS NOT NULL",
    )


def _extend_domains() -> None:
    op.add_column("domains", sa.Column("is_primary", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("domains", "is_primary", server_default=None)
    op.create_check_constraint(
        op.f("ck_domains_primary_is_verified"), "domains", "NOT is_primary OR verified_at IS NOT NULL"
    )
    op.create_index(
        "uq_domains_primary", "domains", ["vendor_id"], unique=True, postgresql_where=sa.text("is_primary")
    )
    op.drop_constraint(op.f("uq_domains_host"), "domains")
    op.drop_index(op.f("ix_domains_vendor_id"), "domains")
    op.create_unique_constraint(op.f("uq_domains_vendor_id_host"), "domains", ["vendor_id", "host"])
    op.create_index(
        "uq_domains_verified_host",
        "domains",
        ["host"],
        unique=True,
        postgresql_where=sa.text("verified_at IS NOT NULL"),
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("uq_domains_verified_host", "domains")
    op.drop_constraint(op.f("uq_domains_vendor_id_host"), "domains")
    op.execute(
        "DELETE FROM domains d USING domains o WHERE o.host = d.host AND d.verified_at IS NULL "
        "AND (o.verified_at IS NOT NULL OR o.id < d.id)"
    )
    op.create_unique_constraint(op.f("uq_domains_host"), "domains", ["host"])
    op.create_index(op.f("ix_domains_vendor_id"), "domains", ["vendor_id"])
    op.drop_index("uq_domains_primary", "domains")
    op.drop_constraint(op.f("ck_domains_primary_is_verified"), "domains")
    op.drop_column("domains", "is_primary")
    op.drop_constraint(op.f("ck_invitations_role_of_operator"), "invitations")
    op.drop_constraint(op.f("ck_invitations_one_place"), "invitations")
    op.execute("DELETE FROM invitations WHERE operator_role_id IS NOT NULL AND platform_id IS NULL")
    op.create_check_constraint(
        op.f("ck_invitations_one_place"),
        "invitations",
        "num_nonnulls(platform_id, company_id, role_id) = 1",
    )
    op.drop_column("invitations", "operator_role_id")
    op.drop_column("users", "is_on_all_platforms")
    op.drop_table("operator_role_grants")
    op.drop_table("operator_roles")
