"""Keep what a connector needs that is no secret, how far its offers were read, and when people were told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "marketplace_0010"
down_revision = "marketplace_0009"

_TABLE, _TIMES = "connections", ("parked_told_at", "refused_told_at")


def upgrade() -> None:
    """Add the columns."""
    json = postgresql.JSONB(astext_type=sa.Text())
    for name in _TIMES:
        op.add_column(_TABLE, sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column(_TABLE, sa.Column("options", json, nullable=False, server_default="{}"))
    op.alter_column(_TABLE, "options", server_default=None)
    walk = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    op.add_column(_TABLE, sa.Column("listings_walk", walk, nullable=True))


def downgrade() -> None:
    """Drop them."""
    for name in (*_TIMES, "options", "listings_walk"):
        op.drop_column(_TABLE, name)
