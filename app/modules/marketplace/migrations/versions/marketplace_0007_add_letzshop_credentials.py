"""Keep the keys of the Letzshop API, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "marketplace_0007"
down_revision = "marketplace_0006"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "letzshop_credentials",
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("shop_slug", sa.Text(), nullable=True),
        sa.Column("rotations", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
            name=op.f("fk_letzshop_credentials_connection_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_letzshop_credentials")),
    )


def downgrade() -> None:
    """Remove it; the keys have to be typed again."""
    op.drop_table("letzshop_credentials")
