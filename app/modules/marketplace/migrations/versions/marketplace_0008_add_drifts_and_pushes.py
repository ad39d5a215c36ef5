"""Keep what a marketplace offers other than it was told, and which files were written for a change."""

import sqlalchemy as sa
from alembic import op

revision = "marketplace_0008"
down_revision = "marketplace_0007"


def upgrade() -> None:
    """Create the table and add the column; files of before were written for other reasons."""
    op.create_table(
        "drifts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("article", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("ours", sa.BigInteger(), nullable=True),
        sa.Column("theirs", sa.BigInteger(), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('price', 'availability', 'missing_there', 'unknown_here')", name=op.f("ck_drifts_kind")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "connection_id"],
            ["connections.vendor_id", "connections.id"],
            name=op.f("fk_drifts_vendor_id_connection_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drifts")),
        sa.UniqueConstraint(
            "vendor_id",
            "connection_id",
            "kind",
            "article",
            name=op.f("uq_drifts_vendor_id_connection_id_kind_article"),
        ),
    )
    op.add_column(
        "feed_exports", sa.Column("is_push", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.alter_column("feed_exports", "is_push", server_default=None)


def downgrade() -> None:
    """Take them away."""
    op.drop_column("feed_exports", "is_push")
    op.drop_table("drifts")
