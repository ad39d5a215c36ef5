"""Let answers to exceptions be undone and assigned, orders of blocked buyers be held, and documents be mailed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "orders_0003"
down_revision = "orders_0002"
branch_labels = None
depends_on = None

_HELD = "ck_orders_held_for"


def _hold(reasons: str) -> None:
    op.drop_constraint(op.f(_HELD), "orders", type_="check")
    op.create_check_constraint(op.f(_HELD), "orders", f"held_for IN ({reasons})")


def upgrade() -> None:
    """Add columns, and a further reason to hold an order."""
    _hold("'plan', 'buyer'")
    op.add_column(
        "order_exceptions", sa.Column("former", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column("order_exceptions", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("order_exceptions", sa.Column("assigned_to", sa.Uuid(), nullable=True))
    op.add_column(
        "invoice_settings", sa.Column("is_mailed", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    """Remove them. Orders of blocked buyers are held no longer."""
    op.drop_column("invoice_settings", "is_mailed")
    for name in ("assigned_to", "undone_at", "former"):
        op.drop_column("order_exceptions", name)
    op.execute("UPDATE orders SET held_for = NULL WHERE held_for = 'buyer'")
    _hold("'plan'")
