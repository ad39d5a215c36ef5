"""Keep which shop of a marketplace somebody who signs up has already."""

import sqlalchemy as sa
from alembic import op

revision = "billing_0004"
down_revision = "billing_0003"


def upgrade() -> None:
    """Add the column."""
    op.add_column("sign_ups", sa.Column("claim", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("sign_ups", "claim")
