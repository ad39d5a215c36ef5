"""Keep the shops that the directories of marketplaces show."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "marketplace_0009"
down_revision = "marketplace_0008"

_TEXTS = ("company_name", "email", "phone", "homepage", "street", "postcode", "city", "country")
_TIMES = ("changed_at", "gone_at", "matched_at", "claimed_at", "invited_at")


def upgrade() -> None:
    """Create the table."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "directory_shops",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("connector", "external_id", "slug", "name")
        ),
        *(sa.Column(name, sa.Text(), nullable=True) for name in (*_TEXTS, "claim_note")),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.Column("seen_at", time, nullable=False),
        *(sa.Column(name, time, nullable=True) for name in _TIMES),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", time, nullable=False),
        sa.Column("updated_at", time, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("octet_length(changes::text) <= 16384", name=op.f("ck_directory_shops_changes")),
        sa.ForeignKeyConstraint(
            ["vendor_id"],
            ["vendors.id"],
            name=op.f("fk_directory_shops_vendor_id_vendors"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["claimed_by"],
            ["vendors.id"],
            name=op.f("fk_directory_shops_claimed_by_vendors"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_shops")),
        sa.UniqueConstraint(
            "connector", "external_id", name=op.f("uq_directory_shops_connector_external_id")
        ),
    )
    op.create_index(
        "uq_directory_shops_vendor",
        "directory_shops",
        ["connector", "vendor_id"],
        unique=True,
        postgresql_where=sa.text("vendor_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("directory_shops")
