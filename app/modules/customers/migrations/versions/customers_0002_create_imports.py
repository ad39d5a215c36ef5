"""Create files of customers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "customers_0002"
down_revision = "customers_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "customer_imports",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "vendor_id")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "status")),
        sa.Column("ignored", postgresql.ARRAY(sa.Text()), nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in ("user_id", "job_id")),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("rows", "added", "changed", "refused")
        ),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "status IN ('open', 'applied', 'discarded')", name=op.f("ck_customer_imports_status")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendors.id"], name=op.f("fk_customer_imports_vendor_id_vendors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_imports")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_customer_imports_vendor_id_id")),
    )
    op.create_index(
        "ix_customer_imports_vendor_id_created_at", "customer_imports", ["vendor_id", "created_at", "id"]
    )
    op.create_table(
        "customer_import_lines",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("vendor_id", "import_id")),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("email_norm", sa.Text(), nullable=True),
        sa.Column("given", postgresql.JSONB(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("fault", "column_name")),
        sa.CheckConstraint(
            "effect IN ('new', 'changed', 'same', 'refused')", name=op.f("ck_customer_import_lines_effect")
        ),
        sa.CheckConstraint(
            "(effect = 'refused') = (fault IS NOT NULL)", name=op.f("ck_customer_import_lines_fault")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "import_id"],
            ["customer_imports.vendor_id", "customer_imports.id"],
            name=op.f("fk_customer_import_lines_vendor_id_import_id_customer_imports"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("vendor_id", "import_id", "line", name=op.f("pk_customer_import_lines")),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("customer_import_lines")
    op.drop_table("customer_imports")
