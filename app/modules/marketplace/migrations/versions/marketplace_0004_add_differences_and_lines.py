"""Keep what a trial would change, and where a row stood in its file."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "marketplace_0004"
down_revision = "marketplace_0003"

_LIMIT = "octet_length(differences::text) <= 65536"


def upgrade() -> None:
    """Add the columns; rows and imports of before have neither."""
    op.add_column("marketplace_products", sa.Column("line", sa.Integer(), nullable=True))
    op.add_column("feed_imports", sa.Column("differences", postgresql.JSONB(), nullable=True))
    op.create_check_constraint(op.f("ck_feed_imports_differences"), "feed_imports", _LIMIT)


def downgrade() -> None:
    """Take them away."""
    op.drop_constraint(op.f("ck_feed_imports_differences"), "feed_imports", type_="check")
    op.drop_column("feed_imports", "differences")
    op.drop_column("marketplace_products", "line")
