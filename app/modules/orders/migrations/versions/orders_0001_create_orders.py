"""Create orders and what belongs to them."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

revision = "orders_0001"
down_revision = None
branch_labels = None
depends_on = None


def _always(kind: TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _maybe(kind: TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=True) for name in names]


def _fresh() -> list[sa.Column[Any]]:
    return [
        *_always(sa.DateTime(timezone=True), "created_at", "updated_at"),
        *_always(sa.BigInteger(), "version"),
    ]


def _check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{name}"))


def _unique(name: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(name))


def _vendor(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_vendor_id_vendors")
    return sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=name)


def _key(table: str, column: str, target: str, then: str = "CASCADE") -> sa.ForeignKeyConstraint:
    """A key within the vendor, and what becomes of the row when the other one goes."""
    return sa.ForeignKeyConstraint(
        ["vendor_id", column],
        [f"{target}.vendor_id", f"{target}.id"],
        name=op.f(f"fk_{table}_vendor_id_{column}_{target}"),
        ondelete=then,
    )


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "orders",
        *_always(sa.Uuid(), "id", "vendor_id"),
        *_always(sa.Text(), "number", "channel"),
        *_maybe(sa.Text(), "external_id", "external_number"),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("buyer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        *_maybe(postgresql.JSONB(astext_type=sa.Text()), "shipping_address", "billing_address"),
        *_maybe(sa.Text(), "email_norm", "ship_country"),
        *_always(sa.Text(), "currency", "status", "regime"),
        *_always(
            sa.BigInteger(),
            "goods_cents",
            "discount_cents",
            "shipping_cents",
            "total_cents",
            "vat_cents",
            "cancelled_cents",
            "refunded_cents",
        ),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("payment_method", sa.Text(), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        *_maybe(
            sa.DateTime(timezone=True),
            "confirm_before",
            "confirmed_at",
            "shipped_at",
            "delivered_at",
            "cancelled_at",
        ),
        sa.Column("held_for", sa.Text(), nullable=True),
        sa.Column("pending_exceptions", sa.BigInteger(), nullable=False),
        sa.Column("customer_note", sa.Text(), nullable=True),
        sa.Column("search_vector", postgresql.TSVECTOR(), nullable=False),
        *_fresh(),
        _check("orders_held_for", "held_for IN ('plan')"),
        _check(
            "orders_status",
            "status IN ('pending', 'processing', 'partially_shipped', 'shipped', 'delivered', 'cancelled', 'refunded')",
        ),
        _check("orders_cancelled_cents", "cancelled_cents BETWEEN 0 AND total_cents"),
        _check("orders_discount_cents", "goods_cents >= discount_cents AND discount_cents >= 0"),
        _check("orders_pending_exceptions", "pending_exceptions >= 0"),
        _check("orders_refunded_cents", "refunded_cents BETWEEN 0 AND total_cents"),
        _check("orders_total_cents", "total_cents = goods_cents - discount_cents + shipping_cents"),
        _key("orders", "customer_id", "customers", "SET NULL (customer_id)"),
        _vendor("orders"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        _unique("uq_orders_vendor_id_id", "vendor_id", "id"),
        _unique("uq_orders_vendor_id_number", "vendor_id", "number"),
    )
    op.create_index(
        "ix_orders_exceptions",
        "orders",
        ["vendor_id", "placed_at", "id"],
        postgresql_where=sa.text("pending_exceptions > 0"),
    )
    op.create_index(
        "ix_orders_held", "orders", ["vendor_id", "id"], postgresql_where=sa.text("held_for IS NOT NULL")
    )
    op.create_index("ix_orders_search", "orders", ["vendor_id", "search_vector"], postgresql_using="gin")
    op.create_index("ix_orders_vendor_id_customer_id", "orders", ["vendor_id", "customer_id", "placed_at"])
    op.create_index("ix_orders_vendor_id_placed_at", "orders", ["vendor_id", "placed_at", "id"])
    op.create_index("ix_orders_vendor_id_status", "orders", ["vendor_id", "status", "placed_at", "id"])
    op.create_index(
        "uq_orders_external_id",
        "orders",
        ["vendor_id", "channel", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_table(
        "order_lines",
        *_always(sa.Uuid(), "id", "vendor_id", "order_id"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        *_maybe(sa.Text(), "sku", "gtin"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("image_link", sa.Text(), nullable=True),
        *_always(
            sa.BigInteger(),
            "quantity",
            "unit_price_cents",
            "discount_cents",
            "gross_cents",
            "net_cents",
            "vat_cents",
            "tax_rate_bp",
        ),
        sa.Column("tax_category", sa.Text(), nullable=False),
        sa.Column("tax_class", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("decline_reason", sa.Text(), nullable=True),
        *_always(
            sa.BigInteger(),
            "cancelled_quantity",
            "shipped_quantity",
            "returned_quantity",
            "refunded_quantity",
            "refunded_cents",
        ),
        sa.Column("external_unit_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        *_fresh(),
        _check("order_lines_decline_reason", "decision <> 'declined' OR decline_reason IS NOT NULL"),
        _check("order_lines_decision", "decision IN ('pending', 'confirmed', 'declined')"),
        _check("order_lines_kind", "kind IN ('product', 'shipping')"),
        _check("order_lines_tax_category", "tax_category IN ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')"),
        _check(
            "order_lines_quantities",
            "cancelled_quantity >= 0 AND shipped_quantity >= 0 AND cancelled_quantity + shipped_quantity <= quantity",
        ),
        _check("order_lines_vat_cents", "gross_cents = net_cents + vat_cents"),
        _check("order_lines_gross_cents", "gross_cents = quantity * unit_price_cents - discount_cents"),
        _check("order_lines_quantity", "quantity > 0"),
        _check("order_lines_refunded_cents", "refunded_cents BETWEEN 0 AND gross_cents"),
        _check("order_lines_refunded_quantity", "refunded_quantity BETWEEN 0 AND quantity"),
        _check("order_lines_returned_quantity", "returned_quantity BETWEEN 0 AND shipped_quantity"),
        _key("order_lines", "order_id", "orders"),
        _key("order_lines", "product_id", "products", "SET NULL (product_id)"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
        _unique("uq_order_lines_vendor_id_id", "vendor_id", "id"),
    )
    op.create_index("ix_order_lines_vendor_id_order_id", "order_lines", ["vendor_id", "order_id", "position"])
    op.create_index("ix_order_lines_vendor_id_product_id", "order_lines", ["vendor_id", "product_id"])
    op.create_table(
        "order_counters",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        _vendor("order_counters"),
        sa.PrimaryKeyConstraint("vendor_id", name=op.f("pk_order_counters")),
    )
    op.create_table(
        "order_history",
        *_always(sa.Uuid(), "id", "vendor_id", "order_id"),
        sa.Column("kind", sa.Text(), nullable=False),
        *_maybe(sa.Text(), "from_status", "to_status"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _check("order_history_source", "source IN ('user', 'api', 'channel', 'task')"),
        _key("order_history", "order_id", "orders"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_history")),
    )
    op.create_index("ix_order_history_vendor_id_order_id", "order_history", ["vendor_id", "order_id", "id"])
    op.create_table(
        "order_payloads",
        *_always(sa.Uuid(), "id", "vendor_id", "order_id"),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        _key("order_payloads", "order_id", "orders"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_payloads")),
        _unique("uq_order_payloads_vendor_id_id", "vendor_id", "id"),
        _unique("uq_order_payloads_vendor_id_order_id_revision", "vendor_id", "order_id", "revision"),
    )
    op.create_table(
        "order_proposals",
        *_always(sa.Uuid(), "id", "vendor_id", "order_id", "payload_id"),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        *_fresh(),
        _check("order_proposals_status", "status IN ('pending', 'accepted', 'rejected')"),
        _key("order_proposals", "order_id", "orders"),
        _key("order_proposals", "payload_id", "order_payloads"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_proposals")),
        _unique("uq_order_proposals_vendor_id_id", "vendor_id", "id"),
    )
    op.create_index(
        "uq_order_proposals_open",
        "order_proposals",
        ["vendor_id", "order_id"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "shipments",
        *_always(sa.Uuid(), "id", "vendor_id", "order_id"),
        *_always(sa.Text(), "number", "status"),
        *_maybe(sa.DateTime(timezone=True), "shipped_at", "delivered_at"),
        *_fresh(),
        _check("shipments_status", "status IN ('prepared', 'shipped', 'delivered', 'cancelled')"),
        _check("shipments_shipped_at", "status NOT IN ('shipped', 'delivered') OR shipped_at IS NOT NULL"),
        _key("shipments", "order_id", "orders"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipments")),
        _unique("uq_shipments_vendor_id_id", "vendor_id", "id"),
        _unique("uq_shipments_vendor_id_number", "vendor_id", "number"),
    )
    op.create_index("ix_shipments_vendor_id_order_id", "shipments", ["vendor_id", "order_id", "id"])
    op.create_index("ix_shipments_vendor_id_status", "shipments", ["vendor_id", "status", "id"])
    op.create_table(
        "shipment_lines",
        *_always(sa.Uuid(), "vendor_id", "shipment_id", "line_id"),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        _check("shipment_lines_quantity", "quantity > 0"),
        _key("shipment_lines", "line_id", "order_lines"),
        _key("shipment_lines", "shipment_id", "shipments"),
        sa.PrimaryKeyConstraint("vendor_id", "shipment_id", "line_id", name=op.f("pk_shipment_lines")),
    )
    op.create_index("ix_shipment_lines_vendor_id_line_id", "shipment_lines", ["vendor_id", "line_id"])
    op.create_table(
        "parcels",
        *_always(sa.Uuid(), "id", "vendor_id", "shipment_id"),
        sa.Column("carrier_code", sa.Text(), nullable=False),
        sa.Column("tracking_number", sa.Text(), nullable=True),
        *_fresh(),
        _key("parcels", "shipment_id", "shipments"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcels")),
    )
    op.create_index("ix_parcels_vendor_id_shipment_id", "parcels", ["vendor_id", "shipment_id", "id"])
    op.create_table(
        "carriers",
        *_always(sa.Uuid(), "id", "vendor_id"),
        *_always(sa.Text(), "code", "name"),
        sa.Column("tracking_url", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        *_fresh(),
        _vendor("carriers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carriers")),
        _unique("uq_carriers_vendor_id_code", "vendor_id", "code"),
        _unique("uq_carriers_vendor_id_id", "vendor_id", "id"),
    )
    op.create_table(
        "order_exceptions",
        *_always(sa.Uuid(), "id", "vendor_id", "order_id", "line_id"),
        sa.Column("kind", sa.Text(), nullable=False),
        *_maybe(sa.Text(), "match_kind", "match_value"),
        sa.Column("candidates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        *_fresh(),
        _check("order_exceptions_resolved_at", "(status = 'pending') = (resolved_at IS NULL)"),
        _check(
            "order_exceptions_kind",
            "kind IN ('product_not_found', 'gtin_mismatch', 'duplicate_gtin', 'out_of_stock')",
        ),
        _check("order_exceptions_match_kind", "match_kind IN ('gtin', 'sku')"),
        _check("order_exceptions_status", "status IN ('pending', 'resolved', 'ignored')"),
        _key("order_exceptions", "line_id", "order_lines"),
        _key("order_exceptions", "order_id", "orders"),
        _key("order_exceptions", "product_id", "products", "SET NULL (product_id)"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_exceptions")),
        _unique("uq_order_exceptions_vendor_id_id", "vendor_id", "id"),
    )
    op.create_index(
        "ix_order_exceptions_match",
        "order_exceptions",
        ["vendor_id", "match_kind", "match_value"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("ix_order_exceptions_vendor_id_order_id", "order_exceptions", ["vendor_id", "order_id"])
    op.create_index(
        "uq_order_exceptions_open",
        "order_exceptions",
        ["vendor_id", "line_id"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "product_matches",
        *_always(sa.Uuid(), "id", "vendor_id"),
        *_always(sa.Text(), "kind", "value"),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        *_fresh(),
        _check("product_matches_kind", "kind IN ('gtin', 'sku')"),
        _key("product_matches", "product_id", "products"),
        _vendor("product_matches"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_matches")),
        _unique("uq_product_matches_vendor_id_id", "vendor_id", "id"),
        _unique("uq_product_matches_vendor_id_kind_value", "vendor_id", "kind", "value"),
    )
    op.create_table(
        "refunds",
        *_always(sa.Uuid(), "id", "vendor_id", "order_id"),
        *_always(sa.Text(), "number", "reason", "method"),
        sa.Column("is_restocked", sa.Boolean(), nullable=False),
        *_always(sa.BigInteger(), "gross_cents", "vat_cents"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _check("refunds_method", "method IN ('original', 'bank_transfer', 'cash', 'voucher', 'channel')"),
        _check("refunds_source", "source IN ('user', 'api', 'channel', 'task')"),
        _check("refunds_gross_cents", "gross_cents > 0"),
        _key("refunds", "order_id", "orders"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        _unique("uq_refunds_vendor_id_id", "vendor_id", "id"),
        _unique("uq_refunds_vendor_id_number", "vendor_id", "number"),
    )
    op.create_index("ix_refunds_vendor_id_order_id", "refunds", ["vendor_id", "order_id", "id"])
    op.create_table(
        "refund_lines",
        *_always(sa.Uuid(), "vendor_id", "refund_id", "line_id"),
        *_always(sa.BigInteger(), "quantity", "gross_cents", "vat_cents"),
        _key("refund_lines", "line_id", "order_lines"),
        _key("refund_lines", "refund_id", "refunds"),
        sa.PrimaryKeyConstraint("vendor_id", "refund_id", "line_id", name=op.f("pk_refund_lines")),
    )
    op.create_index("ix_refund_lines_vendor_id_line_id", "refund_lines", ["vendor_id", "line_id"])


def downgrade() -> None:
    """Remove them."""
    for table in (
        *(
            "refund_lines",
            "refunds",
            "product_matches",
            "order_exceptions",
            "carriers",
            "parcels",
            "shipment_lines",
        ),
        *(
            "shipments",
            "order_proposals",
            "order_payloads",
            "order_history",
            "order_counters",
            "order_lines",
            "orders",
        ),
    ):
        op.drop_table(table)
