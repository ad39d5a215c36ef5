"""Create the tables of billing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "billing_0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "addons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("feature_code", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stripe_product_id", sa.Text(), nullable=True),
        sa.Column("stripe_price_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("interval IN ('month', 'year')", name=op.f("ck_addons_interval")),
        sa.CheckConstraint("price_cents >= 0 AND amount >= 0", name=op.f("ck_addons_amounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addons")),
        sa.UniqueConstraint("platform_id", "code", name=op.f("uq_addons_platform_id_code")),
    )
    op.create_table(
        "subscription_tiers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("order_index", sa.BigInteger(), nullable=False),
        sa.Column("monthly_cents", sa.BigInteger(), nullable=False),
        sa.Column("annual_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stripe_product_id", sa.Text(), nullable=True),
        sa.Column("stripe_monthly_price_id", sa.Text(), nullable=True),
        sa.Column("stripe_annual_price_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "code ~ '^[a-z0-9][a-z0-9_-]{1,31}$'", name=op.f("ck_subscription_tiers_code_form")
        ),
        sa.CheckConstraint(
            "monthly_cents >= 0 AND annual_cents >= 0", name=op.f("ck_subscription_tiers_prices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_tiers")),
        sa.UniqueConstraint("platform_id", "code", name=op.f("uq_subscription_tiers_platform_id_code")),
    )
    op.create_table(
        "tier_limits",
        sa.Column("tier_id", sa.Uuid(), nullable=False),
        sa.Column("feature_code", sa.Text(), nullable=False),
        sa.Column("limit_value", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("limit_value >= 0", name=op.f("ck_tier_limits_limit_value")),
        sa.ForeignKeyConstraint(
            ["tier_id"], ["subscription_tiers.id"], name=op.f("fk_tier_limits_tier_id_subscription_tiers")
        ),
        sa.PrimaryKeyConstraint("tier_id", "feature_code", name=op.f("pk_tier_limits")),
    )
    op.create_table(
        "billing_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("result_url", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('checkout', 'portal', 'change', 'cancel', 'reactivate', 'addon', 'pay')",
            name=op.f("ck_billing_requests_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_billing_requests_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_requests")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_billing_requests_vendor_id_id")),
    )
    op.create_table(
        "limit_overrides",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("feature_code", sa.Text(), nullable=False),
        sa.Column("limit_value", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("limit_value >= 0", name=op.f("ck_limit_overrides_limit_value")),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_limit_overrides_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_overrides")),
        sa.UniqueConstraint(
            "vendor_id", "feature_code", name=op.f("uq_limit_overrides_vendor_id_feature_code")
        ),
    )
    op.create_table(
        "subscription_addons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("addon_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stripe_item_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_subscription_addons_quantity")),
        sa.ForeignKeyConstraint(
            ["addon_id"], ["addons.id"], name=op.f("fk_subscription_addons_addon_id_addons")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_subscription_addons_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_addons")),
        sa.UniqueConstraint("vendor_id", "addon_id", name=op.f("uq_subscription_addons_vendor_id_addon_id")),
    )
    op.create_table(
        "subscription_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_value", sa.Text(), nullable=True),
        sa.Column("to_value", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "source IN ('user', 'task', 'stripe')", name=op.f("ck_subscription_changes_source")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_subscription_changes_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_changes")),
    )
    op.create_index(
        "ix_subscription_changes_vendor_id_id", "subscription_changes", ["vendor_id", "id"], unique=False
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("trial_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("anchor_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("past_due_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_tier_id", sa.Uuid(), nullable=True),
        sa.Column("next_interval", sa.Text(), nullable=True),
        sa.Column("has_payment_method", sa.Boolean(), nullable=False),
        sa.Column("stripe_customer_id", sa.Text(), nullable=True),
        sa.Column("stripe_subscription_id", sa.Text(), nullable=True),
        sa.Column("stripe_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("interval IN ('month', 'year')", name=op.f("ck_subscriptions_interval")),
        sa.CheckConstraint("next_interval IN ('month', 'year')", name=op.f("ck_subscriptions_next_interval")),
        sa.CheckConstraint(
            "status <> 'cancelled' OR cancelled_at IS NOT NULL", name=op.f("ck_subscriptions_cancelled")
        ),
        sa.CheckConstraint(
            "status <> 'past_due' OR past_due_since IS NOT NULL", name=op.f("ck_subscriptions_past_due")
        ),
        sa.CheckConstraint(
            "status <> 'trial' OR trial_ends_at IS NOT NULL", name=op.f("ck_subscriptions_trial")
        ),
        sa.CheckConstraint(
            "status IN ('trial', 'active', 'past_due', 'cancelled', 'expired')",
            name=op.f("ck_subscriptions_status"),
        ),
        sa.CheckConstraint("period_start < period_end", name=op.f("ck_subscriptions_period")),
        sa.ForeignKeyConstraint(
            ["next_tier_id"],
            ["subscription_tiers.id"],
            name=op.f("fk_subscriptions_next_tier_id_subscription_tiers"),
        ),
        sa.ForeignKeyConstraint(
            ["tier_id"], ["subscription_tiers.id"], name=op.f("fk_subscriptions_tier_id_subscription_tiers")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_subscriptions_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_subscriptions_vendor_id_id")),
        sa.UniqueConstraint("vendor_id", name=op.f("uq_subscriptions_vendor_id")),
    )
    op.create_index(
        "ix_subscriptions_status_period_end", "subscriptions", ["status", "period_end"], unique=False
    )
    op.create_index(
        "ix_subscriptions_stripe_customer_id", "subscriptions", ["stripe_customer_id"], unique=False
    )
    op.create_index(
        "ix_subscriptions_stripe_subscription_id", "subscriptions", ["stripe_subscription_id"], unique=False
    )
    op.create_table(
        "usage_counters",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("feature_code", sa.Text(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_usage_counters_used")),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_usage_counters_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("vendor_id", "feature_code", name=op.f("pk_usage_counters")),
    )
    op.create_table(
        "billing_invoices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("tax_cents", sa.BigInteger(), nullable=False),
        sa.Column("paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("stripe_invoice_id", sa.Text(), nullable=True),
        sa.Column("hosted_url", sa.Text(), nullable=True),
        sa.Column("pdf_url", sa.Text(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('cycle', 'proration', 'addon', 'manual')", name=op.f("ck_billing_invoices_kind")
        ),
        sa.CheckConstraint(
            "status <> 'paid' OR paid_at IS NOT NULL", name=op.f("ck_billing_invoices_paid_at")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'open', 'paid', 'void', 'uncollectible')",
            name=op.f("ck_billing_invoices_status"),
        ),
        sa.CheckConstraint("paid_cents >= 0", name=op.f("ck_billing_invoices_paid_cents")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "subscription_id"],
            ["subscriptions.vendor_id", "subscriptions.id"],
            name=op.f("fk_billing_invoices_vendor_id_subscription_id_subscriptions"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_billing_invoices_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_invoices")),
        sa.UniqueConstraint(
            "vendor_id", "stripe_invoice_id", name=op.f("uq_billing_invoices_vendor_id_stripe_invoice_id")
        ),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_billing_invoices_vendor_id_id")),
        sa.UniqueConstraint("vendor_id", "number", name=op.f("uq_billing_invoices_vendor_id_number")),
    )
    op.create_index(
        "ix_billing_invoices_vendor_id_issued_at",
        "billing_invoices",
        ["vendor_id", "issued_at"],
        unique=False,
    )
    op.create_index(
        "ix_billing_invoices_stripe_invoice_id", "billing_invoices", ["stripe_invoice_id"], unique=False
    )
    op.create_index(
        "uq_billing_invoices_cycle",
        "billing_invoices",
        ["vendor_id", "subscription_id", "period_start", "kind"],
        unique=True,
        postgresql_where=sa.text("kind = 'cycle'"),
    )
    op.create_table(
        "sync_differences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("local_value", sa.Text(), nullable=True),
        sa.Column("remote_value", sa.Text(), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["vendor_id", "subscription_id"],
            ["subscriptions.vendor_id", "subscriptions.id"],
            name=op.f("fk_sync_differences_vendor_id_subscription_id_subscriptions"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_sync_differences_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_differences")),
    )
    op.create_index(
        "uq_sync_differences_open",
        "sync_differences",
        ["vendor_id", "subscription_id", "field"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("sync_differences")
    op.drop_table("billing_invoices")
    op.drop_table("usage_counters")
    op.drop_table("subscriptions")
    op.drop_table("subscription_changes")
    op.drop_table("subscription_addons")
    op.drop_table("limit_overrides")
    op.drop_table("billing_requests")
    op.drop_table("tier_limits")
    op.drop_table("subscription_tiers")
    op.drop_table("addons")
