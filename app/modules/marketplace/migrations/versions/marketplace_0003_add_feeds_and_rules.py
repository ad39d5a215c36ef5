"""Let a vendor have several feeds, with rules; keep what imports changed, and what exports differ by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "marketplace_0003"
down_revision = "marketplace_0002"

# One feed for each language that there were imports, rows or an address of.
_MAKE_FEEDS = """
    INSERT INTO feeds (id, vendor_id, name, language, format, url, mapping, default_currency, blank_cells, missing_rows,
                       policy, position, is_active, created_at, updated_at, version)
    SELECT gen_random_uuid(), vendor_id, 'Feed ' || language, language, 'auto', max(url), '{}', 'EUR', 'clear', 'keep',
           'skip-bad-rows', row_number() OVER (PARTITION BY vendor_id ORDER BY language), true, now(), now(), 1
    FROM (
        SELECT vendor_id, language, NULL AS url FROM feed_imports
        UNION SELECT vendor_id, language, NULL FROM marketplace_products
        UNION SELECT vendor_id, key, nullif(value, '') FROM feed_settings, jsonb_each_text(feed_urls)
    ) known
    GROUP BY vendor_id, language
"""
_ADDED = {
    "feed_exports": ("sha256", "excluded", "differences", "findings", "sent_at"),
    "feed_imports": (
        "feed_id",
        "is_confirmed",
        "is_not_modified",
        "format",
        "prepared_key",
        "etag",
        "last_modified",
        "left_out",
        "excluded",
        "missing",
        "column_fill",
        "findings",
        "undone_at",
        "undo_job_id",
    ),
    "feed_settings": ("field_order", "link_version"),
    "marketplace_products": ("feed_id", "first_import_id", "made_product", "missing_since", "given"),
}
_DEFAULTS = {
    "feed_exports": ("excluded",),
    "feed_imports": ("excluded", "missing", "is_confirmed", "is_not_modified"),
    "feed_settings": ("field_order", "link_version"),
    "marketplace_products": ("made_product", "given"),
}


def upgrade() -> None:
    """Create the tables; what there is becomes one feed for each language."""
    op.create_table(
        "feeds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("default_currency", sa.Text(), nullable=False),
        sa.Column("blank_cells", sa.Text(), nullable=False),
        sa.Column("missing_rows", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("every_hours", sa.SmallInteger(), nullable=True),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("last_import_id", sa.Uuid(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("blank_cells IN ('clear', 'keep')", name=op.f("ck_feeds_blank_cells")),
        sa.CheckConstraint(
            "format IN ('auto', 'google', 'shopify', 'woocommerce', 'table')", name=op.f("ck_feeds_format")
        ),
        sa.CheckConstraint("missing_rows IN ('keep', 'out_of_stock')", name=op.f("ck_feeds_missing_rows")),
        sa.CheckConstraint("policy IN ('skip-bad-rows', 'all-or-nothing')", name=op.f("ck_feeds_policy")),
        sa.CheckConstraint("every_hours BETWEEN 1 AND 168", name=op.f("ck_feeds_every_hours")),
        sa.CheckConstraint("every_hours IS NULL OR url IS NOT NULL", name=op.f("ck_feeds_schedule")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=op.f("fk_feeds_vendor_id_vendors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_feeds_vendor_id_id")),
        sa.UniqueConstraint("vendor_id", "name", name=op.f("uq_feeds_vendor_id_name")),
    )
    op.create_index(
        "ix_feeds_next_run_at",
        "feeds",
        ["next_run_at"],
        unique=False,
        postgresql_where=sa.text("next_run_at IS NOT NULL"),
    )
    op.create_table(
        "feed_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("conditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("action", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("match IN ('all', 'any')", name=op.f("ck_feed_rules_match")),
        sa.CheckConstraint("stage = 'export' OR language IS NULL", name=op.f("ck_feed_rules_language")),
        sa.CheckConstraint("stage = 'import' OR feed_id IS NULL", name=op.f("ck_feed_rules_feed")),
        sa.CheckConstraint("stage IN ('import', 'export')", name=op.f("ck_feed_rules_stage")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "feed_id"],
            ["feeds.vendor_id", "feeds.id"],
            name=op.f("fk_feed_rules_vendor_id_feed_id_feeds"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=op.f("fk_feed_rules_vendor_id_vendors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_rules")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_feed_rules_vendor_id_id")),
    )
    op.create_table(
        "feed_changes",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column(
            "product_before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("text_before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("staged_before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["vendor_id", "import_id"],
            ["feed_imports.vendor_id", "feed_imports.id"],
            name=op.f("fk_feed_changes_vendor_id_import_id_feed_imports"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("vendor_id", "import_id", "external_id", name=op.f("pk_feed_changes")),
    )
    op.add_column("feed_exports", sa.Column("sha256", sa.LargeBinary(), nullable=True))
    op.add_column("feed_exports", sa.Column("excluded", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column(
        "feed_exports",
        sa.Column("differences", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column(
        "feed_exports",
        sa.Column("findings", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column("feed_exports", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_feed_exports_sent",
        "feed_exports",
        ["vendor_id", "language", "sent_at"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )
    op.add_column("feed_imports", sa.Column("feed_id", sa.Uuid(), nullable=True))
    op.add_column(
        "feed_imports", sa.Column("is_confirmed", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column(
        "feed_imports",
        sa.Column("is_not_modified", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "marketplace_products", sa.Column("given", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("feed_imports", sa.Column("format", sa.Text(), nullable=True))
    op.add_column("feed_imports", sa.Column("prepared_key", sa.Text(), nullable=True))
    op.add_column("feed_imports", sa.Column("etag", sa.Text(), nullable=True))
    op.add_column("feed_imports", sa.Column("last_modified", sa.Text(), nullable=True))
    op.add_column(
        "feed_imports",
        sa.Column("left_out", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column("feed_imports", sa.Column("excluded", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("feed_imports", sa.Column("missing", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column(
        "feed_imports",
        sa.Column("column_fill", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column(
        "feed_imports",
        sa.Column("findings", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column("feed_imports", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("feed_imports", sa.Column("undo_job_id", sa.Uuid(), nullable=True))
    op.create_index("ix_feed_imports_feed_id", "feed_imports", ["vendor_id", "feed_id", "id"], unique=False)
    op.add_column(
        "feed_settings",
        sa.Column(
            "field_order", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default="{}"
        ),
    )
    op.add_column(
        "feed_settings", sa.Column("link_version", sa.SmallInteger(), nullable=False, server_default="1")
    )
    op.add_column("marketplace_products", sa.Column("feed_id", sa.Uuid(), nullable=True))
    op.add_column("marketplace_products", sa.Column("first_import_id", sa.Uuid(), nullable=True))
    op.add_column(
        "marketplace_products",
        sa.Column("made_product", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "marketplace_products", sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True)
    )
    op.drop_constraint(op.f("uq_marketplace_products_row"), "marketplace_products", type_="unique")
    op.create_unique_constraint(
        "uq_marketplace_products_row", "marketplace_products", ["vendor_id", "feed_id", "external_id"]
    )
    op.execute(_MAKE_FEEDS)
    for table in ("feed_imports", "marketplace_products"):
        op.execute(
            f"UPDATE {table} t SET feed_id = f.id FROM feeds f "
            "WHERE f.vendor_id = t.vendor_id AND f.language = t.language"
        )
        op.alter_column(table, "feed_id", nullable=False)
    op.execute("UPDATE marketplace_products SET first_import_id = import_id")
    op.alter_column("marketplace_products", "first_import_id", nullable=False)
    for table, columns in _DEFAULTS.items():
        for column in columns:
            op.alter_column(table, column, server_default=None)
    op.drop_constraint(op.f("ck_feed_imports_counts"), "feed_imports", type_="check")
    op.create_check_constraint(
        op.f("ck_feed_imports_counts"),
        "feed_imports",
        "rows = created + updated + unchanged + excluded + failed",
    )
    op.execute("ALTER TABLE feed_import_seen SET UNLOGGED")
    op.create_foreign_key(
        op.f("fk_feed_imports_vendor_id_feed_id_feeds"),
        "feed_imports",
        "feeds",
        ["vendor_id", "feed_id"],
        ["vendor_id", "id"],
        ondelete="CASCADE",
    )
    op.drop_column("feed_settings", "feed_urls")


def downgrade() -> None:
    """Remove them; only the addresses are kept. Of several feeds of a language, the rows of the first stay."""
    op.add_column(
        "feed_settings", sa.Column("feed_urls", postgresql.JSONB(), nullable=False, server_default="{}")
    )
    op.execute(
        "UPDATE feed_settings s SET feed_urls = urls.by_language FROM (SELECT vendor_id, "
        "jsonb_object_agg(language, url) AS by_language FROM feeds WHERE url IS NOT NULL GROUP BY vendor_id) urls "
        "WHERE urls.vendor_id = s.vendor_id"
    )
    op.alter_column("feed_settings", "feed_urls", server_default=None)
    op.execute("ALTER TABLE feed_import_seen SET LOGGED")
    op.drop_constraint(op.f("ck_feed_imports_counts"), "feed_imports", type_="check")
    op.execute("UPDATE feed_imports SET rows = rows - excluded")
    op.create_check_constraint(
        op.f("ck_feed_imports_counts"), "feed_imports", "rows = created + updated + unchanged + failed"
    )
    op.drop_constraint("uq_marketplace_products_row", "marketplace_products", type_="unique")
    op.execute(
        "DELETE FROM marketplace_products m USING feeds f, feeds g "
        "WHERE f.id = m.feed_id AND g.vendor_id = f.vendor_id AND g.language = f.language AND g.position < f.position"
    )
    op.create_unique_constraint(
        "uq_marketplace_products_row",
        "marketplace_products",
        ["vendor_id", "marketplace", "language", "external_id"],
    )
    op.drop_constraint(op.f("fk_feed_imports_vendor_id_feed_id_feeds"), "feed_imports", type_="foreignkey")
    op.drop_index("ix_feed_imports_feed_id", "feed_imports")
    op.drop_index("ix_feed_exports_sent", "feed_exports")
    for table, columns in _ADDED.items():
        for column in columns:
            op.drop_column(table, column)
    op.drop_table("feed_changes")
    op.drop_table("feed_rules")
    op.drop_table("feeds")
