"""Count and sort by price without reading the products themselves."""

import sqlalchemy as sa
from alembic import op

revision = "catalog_0002"
down_revision = "catalog_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "ix_products_vendor_id_price_cents",
        "products",
        ["vendor_id", "price_cents", "id"],
        postgresql_where=sa.text("archived_at IS NULL"),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_index("ix_products_vendor_id_price_cents")
