"""Say of each product how it is taxed, and what kind of thing it is."""

import sqlalchemy as sa
from alembic import op

revision = "catalog_0006"
down_revision = "catalog_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Goods of the standard rate, until somebody says otherwise."""
    for name, default, values in (
        ("tax_class", "standard", "'standard', 'intermediate', 'reduced', 'super_reduced', 'zero'"),
        ("kind", "physical", "'physical', 'digital', 'service', 'subscription'"),
    ):
        op.add_column("products", sa.Column(name, sa.Text(), server_default=default, nullable=False))
        op.create_check_constraint(op.f(f"ck_products_{name}"), "products", f"{name} IN ({values})")


def downgrade() -> None:
    """Forget it."""
    op.drop_column("products", "kind")
    op.drop_column("products", "tax_class")
