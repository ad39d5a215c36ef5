"""Create notices of withdrawal."""

import sqlalchemy as sa
from alembic import op

revision = "orders_0004"
down_revision = "orders_0003"
branch_labels = None
depends_on = None


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["vendor_id", column],
        [f"{target}.vendor_id", f"{target}.id"],
        name=op.f(f"fk_{table}_vendor_id_{column}_{target}"),
        ondelete="CASCADE",
    )


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "withdrawals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("number", "source", "status")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("message", "refusal")),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("goods_received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "source IN ('email', 'letter', 'phone', 'counter', 'channel')", name=op.f("ck_withdrawals_source")
        ),
        sa.CheckConstraint(
            "status IN ('open', 'approved', 'received', 'refunded', 'refused')",
            name=op.f("ck_withdrawals_status"),
        ),
        sa.CheckConstraint(
            "(status = 'refused') = (refusal IS NOT NULL)", name=op.f("ck_withdrawals_refusal")
        ),
        _key("withdrawals", "order_id", "orders"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawals")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_withdrawals_vendor_id_id")),
        sa.UniqueConstraint("vendor_id", "number", name=op.f("uq_withdrawals_vendor_id_number")),
    )
    op.create_index(
        "ix_withdrawals_vendor_id_status", "withdrawals", ["vendor_id", "status", "received_at", "id"]
    )
    op.create_index("ix_withdrawals_vendor_id_order_id", "withdrawals", ["vendor_id", "order_id"])
    op.create_table(
        "withdrawal_lines",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("vendor_id", "withdrawal_id", "line_id")),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_withdrawal_lines_quantity")),
        _key("withdrawal_lines", "line_id", "order_lines"),
        _key("withdrawal_lines", "withdrawal_id", "withdrawals"),
        sa.PrimaryKeyConstraint("vendor_id", "withdrawal_id", "line_id", name=op.f("pk_withdrawal_lines")),
    )
    op.create_index("ix_withdrawal_lines_vendor_id_line_id", "withdrawal_lines", ["vendor_id", "line_id"])


def downgrade() -> None:
    """Remove them."""
    op.drop_table("withdrawal_lines")
    op.drop_table("withdrawals")
