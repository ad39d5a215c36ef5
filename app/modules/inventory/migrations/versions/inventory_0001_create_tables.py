"""Create the tables of inventory."""

import sqlalchemy as sa
from alembic import op

revision = "inventory_0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "stock_counts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('open', 'applied', 'discarded')", name=op.f("ck_stock_counts_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_counts")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_stock_counts_vendor_id_id")),
    )
    op.create_table(
        "stock_movements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("bin_location", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on_hand_change", sa.BigInteger(), nullable=False),
        sa.Column("reserved_change", sa.BigInteger(), nullable=False),
        sa.Column("on_hand_after", sa.BigInteger(), nullable=False),
        sa.Column("reserved_after", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("reference_type", sa.Text(), nullable=True),
        sa.Column("reference_id", sa.Uuid(), nullable=True),
        sa.Column("reference_label", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('reserve', 'release', 'fulfil', 'adjust', 'set', 'import', 'return', 'transfer', 'receive')",
            name=op.f("ck_stock_movements_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movements")),
    )
    op.create_index(
        "ix_stock_movements_vendor_id_at", "stock_movements", ["vendor_id", "at", "id"], unique=False
    )
    op.create_index(
        "ix_stock_movements_vendor_id_product_id",
        "stock_movements",
        ["vendor_id", "product_id", "at", "id"],
        unique=False,
    )
    op.create_table(
        "stock_reservations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("bin_location", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("fulfilled", sa.BigInteger(), nullable=False),
        sa.Column("released", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.Column("reference_label", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND fulfilled >= 0 AND released >= 0 AND returned >= 0 "
            "AND fulfilled + released <= quantity AND returned <= fulfilled",
            name=op.f("ck_stock_reservations_quantities"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_reservations")),
        sa.UniqueConstraint(
            "vendor_id",
            "order_id",
            "line_id",
            "warehouse_id",
            "bin_location",
            name=op.f("uq_stock_reservations_piece"),
        ),
    )
    op.create_index(
        "ix_stock_reservations_open",
        "stock_reservations",
        ["vendor_id", "product_id"],
        unique=False,
        postgresql_where=sa.text("fulfilled + released < quantity"),
    )
    op.create_table(
        "warehouses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=op.f("fk_warehouses_vendor_id_vendors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouses")),
        sa.UniqueConstraint("vendor_id", "code", name=op.f("uq_warehouses_vendor_id_code")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_warehouses_vendor_id_id")),
    )
    op.create_index(
        "uq_warehouses_vendor_id_default",
        "warehouses",
        ["vendor_id"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "incoming_stock",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("supplier", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND received >= 0 AND received <= quantity",
            name=op.f("ck_incoming_stock_quantities"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "product_id"],
            ["products.vendor_id", "products.id"],
            name=op.f("fk_incoming_stock_vendor_id_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "warehouse_id"],
            ["warehouses.vendor_id", "warehouses.id"],
            name=op.f("fk_incoming_stock_vendor_id_warehouse_id_warehouses"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming_stock")),
    )
    op.create_index(
        "ix_incoming_stock_vendor_id_product_id", "incoming_stock", ["vendor_id", "product_id"], unique=False
    )
    op.create_table(
        "inventory",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("bin_location", sa.Text(), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("0 <= reserved AND reserved <= on_hand", name=op.f("ck_inventory_reserved")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "product_id"],
            ["products.vendor_id", "products.id"],
            name=op.f("fk_inventory_vendor_id_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "warehouse_id"],
            ["warehouses.vendor_id", "warehouses.id"],
            name=op.f("fk_inventory_vendor_id_warehouse_id_warehouses"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_inventory_vendor_id_id")),
        sa.UniqueConstraint(
            "vendor_id", "product_id", "warehouse_id", "bin_location", name=op.f("uq_inventory_place")
        ),
    )
    op.create_index(
        "ix_inventory_vendor_id_warehouse_id", "inventory", ["vendor_id", "warehouse_id"], unique=False
    )
    op.create_table(
        "stock_alerts",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("low_stock_level", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "product_id"],
            ["products.vendor_id", "products.id"],
            name=op.f("fk_stock_alerts_vendor_id_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("vendor_id", "product_id", name=op.f("pk_stock_alerts")),
    )
    op.create_table(
        "stock_count_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("count_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("warehouse_id", sa.Uuid(), nullable=True),
        sa.Column("bin_location", sa.Text(), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=True),
        sa.Column("low_stock_level", sa.BigInteger(), nullable=True),
        sa.Column("before", sa.BigInteger(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "count_id"],
            ["stock_counts.vendor_id", "stock_counts.id"],
            name=op.f("fk_stock_count_lines_vendor_id_count_id_stock_counts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "product_id"],
            ["products.vendor_id", "products.id"],
            name=op.f("fk_stock_count_lines_vendor_id_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "warehouse_id"],
            ["warehouses.vendor_id", "warehouses.id"],
            name=op.f("fk_stock_count_lines_vendor_id_warehouse_id_warehouses"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_count_lines")),
        sa.UniqueConstraint(
            "vendor_id", "count_id", "line", name=op.f("uq_stock_count_lines_vendor_id_count_id_line")
        ),
    )
    op.create_table(
        "stock_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("low_stock_level", sa.BigInteger(), nullable=True),
        sa.Column("kept_back", sa.BigInteger(), nullable=True),
        sa.Column("most_listed", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("channel IS NULL OR low_stock_level IS NULL", name=op.f("ck_stock_rules_channel")),
        sa.CheckConstraint(
            "low_stock_level >= 0 AND kept_back >= 0 AND most_listed >= 0", name=op.f("ck_stock_rules_levels")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "product_id"],
            ["products.vendor_id", "products.id"],
            name=op.f("fk_stock_rules_vendor_id_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_rules")),
        sa.UniqueConstraint(
            "vendor_id",
            "product_id",
            "channel",
            name=op.f("uq_stock_rules_vendor_id_product_id_channel"),
            postgresql_nulls_not_distinct=True,
        ),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("stock_rules")
    op.drop_table("stock_count_lines")
    op.drop_table("stock_alerts")
    op.drop_table("inventory")
    op.drop_table("incoming_stock")
    op.drop_table("warehouses")
    op.drop_table("stock_reservations")
    op.drop_table("stock_movements")
    op.drop_table("stock_counts")
