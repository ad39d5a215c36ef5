"""Create the tables of framework."""

import sqlalchemy as sa
from alembic import op

revision = "framework_0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "installed_modules",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=True),
        sa.Column("installed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_installed_modules")),
    )
    op.create_table(
        "platform_modules",
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("module_code", sa.Text(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform_id", "module_code", name=op.f("pk_platform_modules")),
    )
    op.create_table(
        "system_state",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("clock_offset_seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_state")),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("system_state")
    op.drop_table("platform_modules")
    op.drop_table("installed_modules")
