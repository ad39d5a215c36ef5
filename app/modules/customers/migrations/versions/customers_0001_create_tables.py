"""Create the tables of customers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "customers_0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "customers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_norm", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("company_name", sa.Text(), nullable=True),
        sa.Column("vat_number", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("blocked_reason", sa.Text(), nullable=True),
        sa.Column("source_channel", sa.Text(), nullable=False),
        sa.Column("orders_count", sa.BigInteger(), nullable=False),
        sa.Column("spent_cents", sa.BigInteger(), nullable=False),
        sa.Column("first_order_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_order_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("search_vector", postgresql.TSVECTOR(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('inactive', 'active', 'blocked')", name=op.f("ck_customers_status")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "merged_into_id"],
            ["customers.vendor_id", "customers.id"],
            name=op.f("fk_customers_vendor_id_merged_into_id_customers"),
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=op.f("fk_customers_vendor_id_vendors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_customers_vendor_id_id")),
    )
    op.create_index("ix_customers_email_norm", "customers", ["email_norm"], unique=False)
    op.create_index(
        "ix_customers_search",
        "customers",
        ["vendor_id", "search_vector"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_index(
        "ix_customers_vendor_id_created_at", "customers", ["vendor_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_customers_vendor_id_last_order_at",
        "customers",
        ["vendor_id", "last_order_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_customers_vendor_id_spent_cents", "customers", ["vendor_id", "spent_cents", "id"], unique=False
    )
    op.create_index(
        "uq_customers_vendor_id_email_norm",
        "customers",
        ["vendor_id", "email_norm"],
        unique=True,
        postgresql_where=sa.text("merged_into_id IS NULL"),
    )
    op.create_table(
        "customer_addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("company", sa.Text(), nullable=True),
        sa.Column("line1", sa.Text(), nullable=True),
        sa.Column("line2", sa.Text(), nullable=True),
        sa.Column("postcode", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("is_shipping_default", sa.Boolean(), nullable=False),
        sa.Column("is_billing_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "customer_id"],
            ["customers.vendor_id", "customers.id"],
            name=op.f("fk_customer_addresses_vendor_id_customer_id_customers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_addresses")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_customer_addresses_vendor_id_id")),
    )
    op.create_index(
        "ix_customer_addresses_vendor_id_customer_id",
        "customer_addresses",
        ["vendor_id", "customer_id"],
        unique=False,
    )
    op.create_index(
        "uq_customer_addresses_billing",
        "customer_addresses",
        ["vendor_id", "customer_id"],
        unique=True,
        postgresql_where=sa.text("is_billing_default"),
    )
    op.create_index(
        "uq_customer_addresses_shipping",
        "customer_addresses",
        ["vendor_id", "customer_id"],
        unique=True,
        postgresql_where=sa.text("is_shipping_default"),
    )
    op.create_table(
        "customer_consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("is_granted", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "customer_id"],
            ["customers.vendor_id", "customers.id"],
            name=op.f("fk_customer_consents_vendor_id_customer_id_customers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_consents")),
    )
    op.create_index(
        "ix_customer_consents_vendor_id_customer_id",
        "customer_consents",
        ["vendor_id", "customer_id", "id"],
        unique=False,
    )
    op.create_table(
        "customer_data_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("storage_key", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('export', 'erase')", name=op.f("ck_customer_data_requests_kind")),
        sa.CheckConstraint(
            "state IN ('waiting', 'agreed', 'refused')", name=op.f("ck_customer_data_requests_state")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "customer_id"],
            ["customers.vendor_id", "customers.id"],
            name=op.f("fk_customer_data_requests_vendor_id_customer_id_customers"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_customer_data_requests_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_data_requests")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_customer_data_requests_vendor_id_id")),
    )
    op.create_index(
        "ix_customer_data_requests_vendor_id_customer_id",
        "customer_data_requests",
        ["vendor_id", "customer_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("customer_data_requests")
    op.drop_table("customer_consents")
    op.drop_table("customer_addresses")
    op.drop_table("customers")
