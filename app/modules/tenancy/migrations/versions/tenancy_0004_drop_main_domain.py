"""No main domain any more: nothing was ever built on it."""

import sqlalchemy as sa
from alembic import op

revision = "tenancy_0004"
down_revision = "tenancy_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Remove the column with its index and constraint."""
    op.drop_index("uq_domains_primary", "domains")
    op.drop_constraint(op.f("ck_domains_primary_is_verified"), "domains")
    op.drop_column("domains", "is_primary")


def downgrade() -> None:
    """Bring them back; no host is the main one then."""
    op.add_column("domains", sa.Column("is_primary", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("domains", "is_primary", server_default=None)
    op.create_check_constraint(
        op.f("ck_domains_primary_is_verified"), "domains", "NOT is_primary OR verified_at IS NOT NULL"
    )
    op.create_index(
        "uq_domains_primary", "domains", ["vendor_id"], unique=True, postgresql_where=sa.text("is_primary")
    )
