"""Create the tables of payments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "payments_0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "payment_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("key_hint", sa.Text(), nullable=True),
        sa.Column("has_webhook_secret", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("check_outcome", sa.Text(), nullable=True),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("check_job_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "check_outcome IN ('ok', 'refused', 'unreachable', 'incomplete')",
            name=op.f("ck_payment_accounts_check_outcome"),
        ),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_payment_accounts_mode")),
        sa.CheckConstraint(
            "provider IN ('stripe', 'bank_transfer', 'cash', 'sandbox')",
            name=op.f("ck_payment_accounts_provider"),
        ),
        sa.CheckConstraint(
            "(vendor_id IS NULL) <> (platform_id IS NULL)", name=op.f("ck_payment_accounts_owner")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_payment_accounts_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_accounts")),
        sa.UniqueConstraint(
            "vendor_id",
            "platform_id",
            "provider",
            name=op.f("uq_payment_accounts_vendor_id_platform_id_provider"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "payment_secrets",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("name IN ('api_key', 'webhook_secret')", name=op.f("ck_payment_secrets_name")),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["payment_accounts.id"],
            name=op.f("fk_payment_secrets_account_id_payment_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "name", name=op.f("pk_payment_secrets")),
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("intent_ref", sa.Text(), nullable=True),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("customer_email", sa.Text(), nullable=True),
        sa.Column("return_url", sa.Text(), nullable=False),
        sa.Column("is_captured_at_once", sa.Boolean(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("captured_cents", sa.BigInteger(), nullable=False),
        sa.Column("refunded_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("redirect_url", sa.Text(), nullable=True),
        sa.Column("instructions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(state = 'captured') = (captured_cents > 0)", name=op.f("ck_payments_captured_state")
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_payments_currency")),
        sa.CheckConstraint("payee IN ('platform', 'vendor')", name=op.f("ck_payments_payee")),
        sa.CheckConstraint(
            "provider IN ('stripe', 'bank_transfer', 'cash', 'sandbox')", name=op.f("ck_payments_provider")
        ),
        sa.CheckConstraint(
            "state IN ('created', 'pending', 'authorised', 'captured', 'failed', 'cancelled')",
            name=op.f("ck_payments_state"),
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_payments_amount")),
        sa.CheckConstraint(
            "captured_cents >= 0 AND captured_cents <= amount_cents", name=op.f("ck_payments_captured")
        ),
        sa.CheckConstraint(
            "refunded_cents >= 0 AND refunded_cents <= captured_cents", name=op.f("ck_payments_refunded")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["payment_accounts.id"], name=op.f("fk_payments_account_id_payment_accounts")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=op.f("fk_payments_vendor_id_vendors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_payments_vendor_id_id")),
        sa.UniqueConstraint("vendor_id", "reference", name=op.f("uq_payments_vendor_id_reference")),
    )
    op.create_index("ix_payments_created_at", "payments", ["created_at"], unique=False)
    op.create_index(
        "ix_payments_open",
        "payments",
        ["read_at"],
        unique=False,
        postgresql_where=sa.text("provider = 'stripe' AND state IN ('pending', 'authorised')"),
    )
    op.create_index(
        "ix_payments_vendor_id_subject", "payments", ["vendor_id", "subject_type", "subject_id"], unique=False
    )
    op.create_table(
        "payment_refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'succeeded', 'failed')", name=op.f("ck_payment_refunds_state")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_payment_refunds_amount")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "payment_id"],
            ["payments.vendor_id", "payments.id"],
            name=op.f("fk_payment_refunds_vendor_id_payment_id_payments"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_refunds")),
        sa.UniqueConstraint(
            "vendor_id",
            "payment_id",
            "reference",
            name=op.f("uq_payment_refunds_vendor_id_payment_id_reference"),
        ),
    )
    op.create_table(
        "incoming_webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["payment_accounts.id"],
            name=op.f("fk_incoming_webhooks_account_id_payment_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_incoming_webhooks_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming_webhooks")),
        sa.UniqueConstraint(
            "account_id",
            "provider",
            "external_id",
            name=op.f("uq_incoming_webhooks_account_id_provider_external_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_incoming_webhooks_object_id", "incoming_webhooks", ["object_id"], unique=False)
    op.create_index(
        "ix_incoming_webhooks_open",
        "incoming_webhooks",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("processed_at IS NULL"),
    )
    op.create_index("ix_incoming_webhooks_received_at", "incoming_webhooks", ["received_at"], unique=False)


def downgrade() -> None:
    """Remove them."""
    op.drop_table("incoming_webhooks")
    op.drop_table("payment_refunds")
    op.drop_table("payments")
    op.drop_table("payment_secrets")
    op.drop_table("payment_accounts")
