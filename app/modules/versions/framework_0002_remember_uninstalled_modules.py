"""Remember which modules were uninstalled."""

import sqlalchemy as sa
from alembic import op

revision = "framework_0002"
down_revision = "framework_0001"


def upgrade() -> None:
    """Add the flag; what is there is installed."""
    op.add_column(
        "installed_modules", sa.Column("is_installed", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.alter_column("installed_modules", "is_installed", server_default=None)


def downgrade() -> None:
    """Remove it."""
    op.drop_column("installed_modules", "is_installed")
