"""Connect vendors to marketplaces: connections, orders as they are said there, what is told, and the calls."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "marketplace_0006"
down_revision = "marketplace_0005"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "connections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("interval_seconds", sa.SmallInteger(), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("check_outcome", sa.Text(), nullable=True),
        sa.Column("check_detail", sa.Text(), nullable=False),
        sa.Column("check_findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("check_job_id", sa.Uuid(), nullable=True),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sync_job_id", sa.Uuid(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("feed_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("history_job_id", sa.Uuid(), nullable=True),
        sa.Column("history_done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("history_read", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "check_outcome IN ('ok', 'not_configured', 'unreachable', 'bad_key', 'missing_role', 'schema_drift')",
            name=op.f("ck_connections_check_outcome"),
        ),
        sa.CheckConstraint(
            "interval_seconds BETWEEN 60 AND 3600", name=op.f("ck_connections_interval_seconds")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=op.f("fk_connections_vendor_id_vendors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("vendor_id", "connector", name=op.f("uq_connections_vendor_id_connector")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_connections_vendor_id_id")),
    )
    op.create_index(
        "ix_connections_next_sync_at",
        "connections",
        ["next_sync_at"],
        unique=False,
        postgresql_where=sa.text("next_sync_at IS NOT NULL"),
    )
    op.create_table(
        "channel_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("http_status", sa.SmallInteger(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "connection_id"],
            ["connections.vendor_id", "connections.id"],
            name=op.f("fk_channel_calls_vendor_id_connection_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_calls")),
    )
    op.create_index("ix_channel_calls_at", "channel_calls", ["at"], unique=False)
    op.create_index(
        "ix_channel_calls_connection_id", "channel_calls", ["vendor_id", "connection_id", "id"], unique=False
    )
    op.create_table(
        "external_orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("units", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("fault_detail", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("drift", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "connection_id"],
            ["connections.vendor_id", "connections.id"],
            name=op.f("fk_external_orders_vendor_id_connection_id_connections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "order_id"],
            ["orders.vendor_id", "orders.id"],
            name=op.f("fk_external_orders_vendor_id_order_id_orders"),
            ondelete="SET NULL (order_id)",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_orders")),
        sa.UniqueConstraint(
            "vendor_id",
            "connection_id",
            "external_id",
            name=op.f("uq_external_orders_vendor_id_connection_id_external_id"),
        ),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_external_orders_vendor_id_id")),
    )
    op.create_index(
        "ix_external_orders_open",
        "external_orders",
        ["vendor_id", "connection_id", "id"],
        unique=False,
        postgresql_where=sa.text("is_open"),
    )
    op.create_index(
        "ix_external_orders_parked",
        "external_orders",
        ["vendor_id", "connection_id", "id"],
        unique=False,
        postgresql_where=sa.text("fault IS NOT NULL"),
    )
    op.create_index(
        "ix_external_orders_vendor_id_order_id", "external_orders", ["vendor_id", "order_id"], unique=False
    )
    op.create_table(
        "outgoing_acts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dedupe", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error_code", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name=op.f("ck_outgoing_acts_done_at")),
        sa.CheckConstraint("kind IN ('decide', 'track', 'return')", name=op.f("ck_outgoing_acts_kind")),
        sa.CheckConstraint("state IN ('waiting', 'done', 'refused')", name=op.f("ck_outgoing_acts_state")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "connection_id"],
            ["connections.vendor_id", "connections.id"],
            name=op.f("fk_outgoing_acts_vendor_id_connection_id_connections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "order_id"],
            ["orders.vendor_id", "orders.id"],
            name=op.f("fk_outgoing_acts_vendor_id_order_id_orders"),
            ondelete="SET NULL (order_id)",
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "record_id"],
            ["external_orders.vendor_id", "external_orders.id"],
            name=op.f("fk_outgoing_acts_vendor_id_record_id_external_orders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_acts")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_outgoing_acts_vendor_id_id")),
        sa.UniqueConstraint(
            "vendor_id",
            "record_id",
            "kind",
            "dedupe",
            name=op.f("uq_outgoing_acts_vendor_id_record_id_kind_dedupe"),
        ),
    )
    op.create_index(
        "ix_outgoing_acts_connection_id", "outgoing_acts", ["vendor_id", "connection_id", "id"], unique=False
    )
    op.create_index(
        "ix_outgoing_acts_open",
        "outgoing_acts",
        ["vendor_id", "connection_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state <> 'done'"),
    )
    op.create_index("ix_outgoing_acts_order_id", "outgoing_acts", ["vendor_id", "order_id"], unique=False)


def downgrade() -> None:
    """Remove them with what they hold; the orders themselves stay."""
    op.drop_table("channel_calls")
    op.drop_table("outgoing_acts")
    op.drop_table("external_orders")
    op.drop_table("connections")
