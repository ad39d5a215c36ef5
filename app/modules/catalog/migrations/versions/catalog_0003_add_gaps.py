"""Keep what products and texts lack, so that it can be counted without reading them."""

import sqlalchemy as sa
from alembic import op

revision = "catalog_0003"
down_revision = "catalog_0002"
branch_labels = None
depends_on = None

_PRODUCT_GAPS = (
    "CASE WHEN gtin IS NULL AND (COALESCE(attributes ->> 'identifier_exists'::text, ''::text) <> 'false'::text"
    " OR brand IS NULL OR mpn IS NULL) THEN 1 ELSE 0 END"
    " + CASE WHEN image_link IS NULL THEN 2 ELSE 0 END"
    " + CASE WHEN price_cents <= 0 THEN 4 ELSE 0 END"
    " + CASE WHEN availability IS NULL THEN 8 ELSE 0 END"
    " + CASE WHEN google_category IS NULL AND product_type IS NULL THEN 16 ELSE 0 END"
    " + CASE WHEN brand IS NULL THEN 32 ELSE 0 END"
    " + CASE WHEN (attributes ->> 'manufacturer_name'::text) IS NULL THEN 64 ELSE 0 END"
    " + CASE WHEN (attributes ->> 'manufacturer_address'::text) IS NULL THEN 128 ELSE 0 END"
    " + CASE WHEN (attributes ->> 'manufacturer_email'::text) IS NULL THEN 256 ELSE 0 END"
    " + CASE WHEN (attributes ->> 'manufacturer_address'::text) IS NOT NULL AND ((attributes ->>"
    " 'responsible_name'::text) IS NULL OR (attributes ->> 'responsible_address'::text) IS NULL OR (attributes"
    " ->> 'responsible_email'::text) IS NULL) THEN 512 ELSE 0 END"
    " + CASE WHEN (attributes ->> 'safety_warning'::text) IS NULL THEN 1024 ELSE 0 END"
)
_TEXT_GAPS = (
    "CASE WHEN length(title) < 15 OR length(title) > 150 THEN 1 ELSE 0 END"
    " + CASE WHEN description IS NULL THEN 2 ELSE 0 END"
    " + CASE WHEN COALESCE(length(description) < 50 OR length(description) > 5000, false) THEN 4 ELSE 0 END"
    " + CASE WHEN link IS NULL THEN 8 ELSE 0 END"
)


def upgrade() -> None:
    """Add the columns, which PostgreSQL fills, and the index that texts are counted in."""
    op.add_column(
        "products",
        sa.Column("gaps", sa.Integer(), sa.Computed(_PRODUCT_GAPS, persisted=True), nullable=False),
    )
    op.add_column(
        "product_translations",
        sa.Column("gaps", sa.Integer(), sa.Computed(_TEXT_GAPS, persisted=True), nullable=False),
    )
    op.create_index(
        "ix_product_translations_gaps",
        "product_translations",
        ["vendor_id", "language", "product_id"],
        postgresql_include=["gaps"],
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_product_translations_gaps")
    op.drop_column("product_translations", "gaps")
    op.drop_column("products", "gaps")
