"""Count what is on sale, and what it lacks, without reading the products themselves."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "catalog_0004"
down_revision = "catalog_0003"
branch_labels = None
depends_on = None

_INDEX = "ix_products_vendor_id_price_cents"


def _make_anew(**options: Any) -> None:
    op.drop_index(_INDEX)
    op.create_index(
        _INDEX,
        "products",
        ["vendor_id", "price_cents", "id"],
        postgresql_where=sa.text("archived_at IS NULL"),
        **options,
    )


def upgrade() -> None:
    """Keep both columns in the index."""
    _make_anew(postgresql_include=["is_active", "gaps"])


def downgrade() -> None:
    """Make it as it was."""
    _make_anew()
