"""Find canaries, lost runs and what is old quickly; keep what an operator decides about a schedule."""

import sqlalchemy as sa
from alembic import op

revision = "ledger_0002"
down_revision = "ledger_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("schedule_states", sa.Column("cron", sa.Text()))
    op.create_index("ix_jobs_canary", "jobs", ["queue"], postgresql_where=sa.text("task = 'wizamart.canary'"))
    op.create_index(
        "ix_jobs_finished", "jobs", ["finished_at"], postgresql_where=sa.text("finished_at IS NOT NULL")
    )
    op.create_index(
        "ix_job_runs_lost", "job_runs", ["ended_at"], postgresql_where=sa.text("outcome = 'lost'")
    )
    op.create_index("ix_ticks_job_id", "ticks", ["job_id"], postgresql_where=sa.text("job_id IS NOT NULL"))
    op.create_index("ix_ticks_made_at", "ticks", ["made_at"])


def downgrade() -> None:
    for index in (
        "ix_ticks_made_at",
        "ix_ticks_job_id",
        "ix_job_runs_lost",
        "ix_jobs_finished",
        "ix_jobs_canary",
    ):
        op.drop_index(index)
    op.drop_column("schedule_states", "cron")
