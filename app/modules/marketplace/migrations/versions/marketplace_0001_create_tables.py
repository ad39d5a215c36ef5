"""Create the tables of marketplace."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "marketplace_0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "feed_import_seen",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("vendor_id", "import_id", "external_id", name=op.f("pk_feed_import_seen")),
    )
    op.create_table(
        "feed_imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("is_dry_run", sa.Boolean(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=True),
        sa.Column("delimiter", sa.Text(), nullable=True),
        sa.Column("header", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("unknown_columns", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("unchanged", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("problem", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "policy IN ('skip-bad-rows', 'all-or-nothing')", name=op.f("ck_feed_imports_policy")
        ),
        sa.CheckConstraint("source_kind IN ('upload', 'url')", name=op.f("ck_feed_imports_source_kind")),
        sa.CheckConstraint(
            "rows = created + updated + unchanged + failed", name=op.f("ck_feed_imports_counts")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_feed_imports_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_imports")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_feed_imports_vendor_id_id")),
    )
    op.create_table(
        "feed_settings",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("default_language", sa.Text(), nullable=False),
        sa.Column("feed_urls", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("default_tax_rate", sa.SmallInteger(), nullable=False),
        sa.Column("boost_sort", sa.Numeric(precision=3, scale=1), nullable=False),
        sa.Column("delivery_method", sa.Text(), nullable=False),
        sa.Column("preorder_days", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "delivery_method IN ('nationwide', 'package_delivery', 'self_collect')",
            name=op.f("ck_feed_settings_delivery_method"),
        ),
        sa.CheckConstraint("boost_sort BETWEEN 0 AND 10", name=op.f("ck_feed_settings_boost_sort")),
        sa.CheckConstraint(
            "default_tax_rate IN (0, 3, 8, 14, 17)", name=op.f("ck_feed_settings_default_tax_rate")
        ),
        sa.CheckConstraint("preorder_days >= 0", name=op.f("ck_feed_settings_preorder_days")),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_feed_settings_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("vendor_id", name=op.f("pk_feed_settings")),
    )
    op.create_table(
        "marketplace_products",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("raw", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("row_hash", sa.LargeBinary(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("gtin", sa.Text(), nullable=True),
        sa.Column("availability", sa.Text(), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_marketplace_products_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint(
            "vendor_id", "marketplace", "language", "external_id", name=op.f("pk_marketplace_products")
        ),
    )
    op.create_table(
        "feed_row_errors",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("cells", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("errors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "import_id"],
            ["feed_imports.vendor_id", "feed_imports.id"],
            name=op.f("fk_feed_row_errors_vendor_id_import_id_feed_imports"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("vendor_id", "import_id", "line", name=op.f("pk_feed_row_errors")),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("feed_row_errors")
    op.drop_table("marketplace_products")
    op.drop_table("feed_settings")
    op.drop_table("feed_imports")
    op.drop_table("feed_import_seen")
