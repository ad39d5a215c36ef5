"""Give the rows of feeds an id, and keep exports that people ask for."""

import sqlalchemy as sa
from alembic import op

revision = "marketplace_0002"
down_revision = "marketplace_0001"

_ROW = ["vendor_id", "marketplace", "language", "external_id"]
_ROW_KEY = "uq_marketplace_products_row"


def upgrade() -> None:
    """Add the id and create the table."""
    op.add_column("marketplace_products", sa.Column("id", sa.Uuid(), nullable=True))
    op.execute("UPDATE marketplace_products SET id = gen_random_uuid()")
    op.alter_column("marketplace_products", "id", nullable=False)
    op.drop_constraint(op.f("pk_marketplace_products"), "marketplace_products", type_="primary")
    op.create_primary_key(op.f("pk_marketplace_products"), "marketplace_products", ["vendor_id", "id"])
    op.create_unique_constraint(_ROW_KEY, "marketplace_products", _ROW)
    op.create_table(
        "feed_exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_feed_exports_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_exports")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_feed_exports_vendor_id_id")),
    )


def downgrade() -> None:
    """Take both away."""
    op.drop_table("feed_exports")
    op.drop_constraint(op.f("pk_marketplace_products"), "marketplace_products", type_="primary")
    op.drop_constraint(_ROW_KEY, "marketplace_products", type_="unique")
    op.create_primary_key(op.f("pk_marketplace_products"), "marketplace_products", _ROW)
    op.drop_column("marketplace_products", "id")
