"""Create the tables of catalog."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "catalog_0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "products",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(collation="C"), nullable=False),
        sa.Column("gtin", sa.Text(), nullable=True),
        sa.Column("mpn", sa.Text(), nullable=True),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("availability", sa.Text(), nullable=True),
        sa.Column("availability_date", sa.Date(), nullable=True),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("sale_price_cents", sa.BigInteger(), nullable=True),
        sa.Column("sale_starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sale_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("image_link", sa.Text(), nullable=True),
        sa.Column("additional_image_links", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("item_group_id", sa.Text(), nullable=True),
        sa.Column("product_type", sa.Text(), nullable=True),
        sa.Column("google_category", sa.Text(), nullable=True),
        sa.Column("color", sa.Text(), nullable=True),
        sa.Column("size", sa.Text(), nullable=True),
        sa.Column("gender", sa.Text(), nullable=True),
        sa.Column("age_group", sa.Text(), nullable=True),
        sa.Column("material", sa.Text(), nullable=True),
        sa.Column("pattern", sa.Text(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edited_fields", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "availability IN ('in_stock', 'out_of_stock', 'preorder', 'backorder')",
            name=op.f("ck_products_availability"),
        ),
        sa.CheckConstraint("gtin ~ '^[0-9]{14}$'", name=op.f("ck_products_gtin")),
        sa.CheckConstraint("price_cents >= 0 AND sale_price_cents >= 0", name=op.f("ck_products_prices")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=op.f("fk_products_vendor_id_vendors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_products_vendor_id_id")),
        sa.UniqueConstraint("vendor_id", "sku", name=op.f("uq_products_vendor_id_sku")),
    )
    op.create_index(
        "ix_products_vendor_id_gtin",
        "products",
        ["vendor_id", "gtin"],
        unique=False,
        postgresql_where=sa.text("gtin IS NOT NULL"),
    )
    op.create_table(
        "product_translations",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("edited_fields", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("search_vector", postgresql.TSVECTOR(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "product_id"],
            ["products.vendor_id", "products.id"],
            name=op.f("fk_product_translations_vendor_id_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("vendor_id", "product_id", "language", name=op.f("pk_product_translations")),
    )
    op.create_index(
        "ix_product_translations_search",
        "product_translations",
        ["vendor_id", "search_vector"],
        unique=False,
        postgresql_using="gin",
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("product_translations")
    op.drop_table("products")
