"""Create invoices, credit notes, their settings, and the VAT rates of the member states."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "orders_0002"
down_revision = "orders_0001"
branch_labels = None
depends_on = None

# Per cent by state and category; "@" gives the day from which a rate holds, without it: as far back as we look.
_RATES = """
AT standard 20; intermediate 13; reduced 10
BE standard 21; intermediate 12; reduced 6
BG standard 20; reduced 9
CY standard 19; intermediate 9; reduced 5; super_reduced 3
CZ standard 21; reduced 12@2024-01-01
DE standard 19,16@2020-07-01,19@2021-01-01; reduced 7,5@2020-07-01,7@2021-01-01
DK standard 25
EE standard 20,22@2024-01-01,24@2025-07-01; intermediate 13@2025-01-01; reduced 9
ES standard 21; intermediate 10; reduced 4
FI standard 24,25.5@2024-09-01; intermediate 14,13.5@2026-01-01; reduced 10
FR standard 20; intermediate 10; reduced 5.5; super_reduced 2.1
GR standard 23,24@2016-06-01; intermediate 13; reduced 6
HR standard 25; intermediate 13; reduced 5
HU standard 27; intermediate 18; reduced 5
IE standard 23,21@2020-09-01,23@2021-03-01; intermediate 13.5; reduced 9; super_reduced 4.8
IT standard 22; intermediate 10; reduced 5; super_reduced 4
LT standard 21; intermediate 9,12@2026-01-01; reduced 5
LU standard 17,16@2023-01-01,17@2024-01-01; intermediate 14,13@2023-01-01,14@2024-01-01
LU reduced 8,7@2023-01-01,8@2024-01-01; super_reduced 3
LV standard 21; intermediate 12; reduced 5
MT standard 18; intermediate 7; reduced 5
NL standard 21; reduced 6,9@2019-01-01
PL standard 23; intermediate 8; reduced 5
PT standard 23; intermediate 13; reduced 6
RO standard 20,19@2017-01-01,21@2025-08-01; reduced 9,11@2025-08-01
SE standard 25; intermediate 12; reduced 6
SI standard 22; intermediate 9.5; reduced 5@2020-01-01
SK standard 20,23@2025-01-01; intermediate 10,19@2025-01-01; reduced 5@2025-01-01
"""
_SINCE = "2016-01-01"
_SOURCE = "Council Directive 2006/112/EC, rates notified by the member states"

_VAT_RATES = sa.table(
    "vat_rates",
    sa.column("country", sa.Text()),
    sa.column("category", sa.Text()),
    sa.column("valid_from", sa.Date()),
    sa.column("valid_to", sa.Date()),
    sa.column("rate_bp", sa.BigInteger()),
    sa.column("source", sa.Text()),
)

_KEEP_ISSUED = """
CREATE FUNCTION keep_issued_documents() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    IF OLD.status = 'issued' THEN
        RAISE EXCEPTION 'an issued document never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""
_KEEP_PARTS = """
CREATE FUNCTION keep_issued_parts() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
DECLARE
    document uuid := CASE TG_OP WHEN 'INSERT' THEN NEW.document_id ELSE OLD.document_id END;
BEGIN
    IF EXISTS (SELECT FROM documents WHERE id = document AND status = 'issued') THEN
        RAISE EXCEPTION 'an issued document never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""
_PARTS = ("document_lines", "document_taxes")


def upgrade() -> None:
    """Create the tables, refuse changes of what is issued, and write down the rates."""
    op.create_table(
        "vat_rates",
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("rate_bp", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("rate_bp >= 0 AND valid_to >= valid_from", name=op.f("ck_vat_rates_values")),
        sa.PrimaryKeyConstraint("country", "category", "valid_from", name=op.f("pk_vat_rates")),
    )
    op.create_table(
        "tax_class_rates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("tax_class", sa.Text(), nullable=False),
        sa.Column("rate_bp", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("ck_tax_class_rates_country")),
        sa.CheckConstraint(
            "tax_class IN ('standard', 'intermediate', 'reduced', 'super_reduced', 'zero')",
            name=op.f("ck_tax_class_rates_tax_class"),
        ),
        sa.CheckConstraint("rate_bp BETWEEN 0 AND 5000", name=op.f("ck_tax_class_rates_rate_bp")),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_tax_class_rates_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_class_rates")),
        sa.UniqueConstraint(
            "vendor_id", "country", "tax_class", name=op.f("uq_tax_class_rates_vendor_id_country_tax_class")
        ),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_tax_class_rates_vendor_id_id")),
    )
    op.create_table(
        "invoice_settings",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("legal_form", sa.Text(), nullable=True),
        sa.Column("line1", sa.Text(), nullable=False),
        sa.Column("line2", sa.Text(), nullable=True),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("vat_number", sa.Text(), nullable=True),
        sa.Column("trade_register", sa.Text(), nullable=True),
        sa.Column("business_permit", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("iban", sa.Text(), nullable=True),
        sa.Column("bic", sa.Text(), nullable=True),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("due_days", sa.BigInteger(), nullable=False),
        sa.Column("footers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_small_business", sa.Boolean(), nullable=False),
        sa.Column("oss_since", sa.Date(), nullable=True),
        sa.Column("issue_when", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("ck_invoice_settings_country")),
        sa.CheckConstraint(
            "issue_when IN ('manual', 'on_confirm', 'on_ship')", name=op.f("ck_invoice_settings_issue_when")
        ),
        sa.CheckConstraint("due_days BETWEEN 0 AND 365", name=op.f("ck_invoice_settings_due_days")),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_invoice_settings_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("vendor_id", name=op.f("pk_invoice_settings")),
    )
    op.create_table(
        "number_series",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_number_series_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("vendor_id", "kind", "year", name=op.f("pk_number_series")),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("supplied_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("seller", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("buyer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.Column("ship_country", sa.Text(), nullable=False),
        sa.Column("is_simplified", sa.Boolean(), nullable=False),
        sa.Column("mentions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("footer", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("net_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.Column("gross_cents", sa.BigInteger(), nullable=False),
        sa.Column("paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("pdf_key", sa.Text(), nullable=True),
        sa.Column("pdf_sha256", sa.Text(), nullable=True),
        sa.Column("cii_key", sa.Text(), nullable=True),
        sa.Column("cii_sha256", sa.Text(), nullable=True),
        sa.Column("ubl_key", sa.Text(), nullable=True),
        sa.Column("ubl_sha256", sa.Text(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'credit_note') = (corrects_id IS NOT NULL)", name=op.f("ck_documents_corrects")
        ),
        sa.CheckConstraint(
            "(status = 'issued') = (number IS NOT NULL AND issued_on IS NOT NULL AND pdf_key IS NOT NULL)",
            name=op.f("ck_documents_issued"),
        ),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name=op.f("ck_documents_kind")),
        sa.CheckConstraint("status IN ('draft', 'issued')", name=op.f("ck_documents_status")),
        sa.CheckConstraint(
            "gross_cents = net_cents + vat_cents AND gross_cents >= 0", name=op.f("ck_documents_totals")
        ),
        sa.CheckConstraint("paid_cents BETWEEN 0 AND gross_cents", name=op.f("ck_documents_paid_cents")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "corrects_id"],
            ["documents.vendor_id", "documents.id"],
            name=op.f("fk_documents_vendor_id_corrects_id_documents"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "order_id"],
            ["orders.vendor_id", "orders.id"],
            name=op.f("fk_documents_vendor_id_order_id_orders"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "refund_id"],
            ["refunds.vendor_id", "refunds.id"],
            name=op.f("fk_documents_vendor_id_refund_id_refunds"),
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name=op.f("fk_documents_vendor_id_vendors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_documents_vendor_id_id")),
        sa.UniqueConstraint("vendor_id", "kind", "number", name=op.f("uq_documents_vendor_id_kind_number")),
    )
    op.create_index(
        "ix_documents_vendor_id_issued_on", "documents", ["vendor_id", "issued_on", "id"], unique=False
    )
    op.create_index("ix_documents_vendor_id_order_id", "documents", ["vendor_id", "order_id"], unique=False)
    op.create_index(
        "uq_documents_invoice",
        "documents",
        ["vendor_id", "order_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'invoice'"),
    )
    op.create_index(
        "uq_documents_refund",
        "documents",
        ["vendor_id", "refund_id"],
        unique=True,
        postgresql_where=sa.text("refund_id IS NOT NULL"),
    )
    op.create_table(
        "document_lines",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("gtin", sa.Text(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_cents", sa.BigInteger(), nullable=False),
        sa.Column("discount_cents", sa.BigInteger(), nullable=False),
        sa.Column("gross_cents", sa.BigInteger(), nullable=False),
        sa.Column("net_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate_bp", sa.BigInteger(), nullable=False),
        sa.Column("tax_category", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "tax_category IN ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')",
            name=op.f("ck_document_lines_tax_category"),
        ),
        sa.CheckConstraint("gross_cents = net_cents + vat_cents", name=op.f("ck_document_lines_gross_cents")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_document_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "document_id"],
            ["documents.vendor_id", "documents.id"],
            name=op.f("fk_document_lines_vendor_id_document_id_documents"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "order_line_id"],
            ["order_lines.vendor_id", "order_lines.id"],
            name=op.f("fk_document_lines_vendor_id_order_line_id_order_lines"),
        ),
        sa.PrimaryKeyConstraint("vendor_id", "document_id", "position", name=op.f("pk_document_lines")),
    )
    op.create_index(
        "ix_document_lines_vendor_id_order_line_id",
        "document_lines",
        ["vendor_id", "order_line_id"],
        unique=False,
    )
    op.create_table(
        "document_taxes",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("tax_category", sa.Text(), nullable=False),
        sa.Column("tax_rate_bp", sa.BigInteger(), nullable=False),
        sa.Column("net_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "tax_category IN ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')",
            name=op.f("ck_document_taxes_tax_category"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "document_id"],
            ["documents.vendor_id", "documents.id"],
            name=op.f("fk_document_taxes_vendor_id_document_id_documents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "vendor_id", "document_id", "tax_category", "tax_rate_bp", name=op.f("pk_document_taxes")
        ),
    )
    op.create_table(
        "document_exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("documents", sa.BigInteger(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_document_exports_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_exports")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_document_exports_vendor_id_id")),
    )

    op.bulk_insert(_VAT_RATES, _rates())
    op.execute(_KEEP_ISSUED)
    op.execute(_KEEP_PARTS)
    op.execute(
        "CREATE TRIGGER keep_issued BEFORE UPDATE OR DELETE ON documents "
        "FOR EACH ROW EXECUTE FUNCTION keep_issued_documents()"
    )
    for table in _PARTS:
        op.execute(
            f"CREATE TRIGGER keep_issued BEFORE INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION keep_issued_parts()"
        )


def downgrade() -> None:
    """Remove them."""
    for table in (
        "document_exports",
        *_PARTS,
        "documents",
        "number_series",
        "invoice_settings",
        "tax_class_rates",
        "vat_rates",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION keep_issued_documents()")
    op.execute("DROP FUNCTION keep_issued_parts()")


def _rates() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for line in _RATES.strip().splitlines():
        country, _, kinds = line.partition(" ")
        for kind in kinds.split("; "):
            category, _, steps = kind.partition(" ")
            before: dict[str, Any] | None = None
            for step in steps.split(","):
                percent, _, day = step.partition("@")
                starts = date.fromisoformat(day or _SINCE)
                if before:
                    before["valid_to"] = starts - timedelta(days=1)
                before = {
                    "country": country,
                    "category": category,
                    "valid_from": starts,
                    "valid_to": None,
                    "rate_bp": int(Decimal(percent) * 100),
                    "source": _SOURCE,
                }
                rows.append(before)
    return rows
