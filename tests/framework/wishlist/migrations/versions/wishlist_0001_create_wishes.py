"""Create the wishes."""

import sqlalchemy as sa
from alembic import op

revision = "wishlist_0001"
down_revision = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "wishes",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("vendor_id", "id"),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("wishes")
