"""Add what a vendor chose as the reason to cancel."""

import sqlalchemy as sa
from alembic import op

revision = "billing_0003"
down_revision = "billing_0002"


def upgrade() -> None:
    """Add the column."""
    op.add_column("subscriptions", sa.Column("cancel_feedback", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("subscriptions", "cancel_feedback")
