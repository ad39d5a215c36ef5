"""Create the job ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "ledger_0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_JSON = postgresql.JSONB()
_ACTIVE = "state IN ('queued', 'running')"
# Finished rows are many and never touched again: vacuum by what changed, not by the size of the table.
_OPTIONS = {
    "fillfactor": 85,
    "autovacuum_vacuum_scale_factor": 0.0,
    "autovacuum_vacuum_threshold": 5000,
    "autovacuum_analyze_scale_factor": 0.0,
    "autovacuum_analyze_threshold": 20000,
}


def upgrade() -> None:
    _create_jobs()
    _create_job_indexes()
    _create_job_runs()
    _create_deliveries()
    _create_schedule_tables()


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("vendor_id", sa.Uuid()),
        sa.Column(
            "lane",
            sa.Uuid(),
            sa.Computed("coalesce(vendor_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)", persisted=True),
            nullable=False,
        ),
        sa.Column("module", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("run_after", _MOMENT, nullable=False),
        sa.Column("ordering_key", sa.Text()),
        sa.Column("unique_key", sa.Text()),
        sa.Column("args", _JSON, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("waiting_reason", sa.Text()),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("max_attempts", sa.SmallInteger(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("cancel_requested_at", _MOMENT),
        sa.Column("progress_done", sa.BigInteger()),
        sa.Column("progress_total", sa.BigInteger()),
        sa.Column("phase", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.Column("checkpoint", _JSON),
        sa.Column("result", _JSON),
        sa.Column("error_code", sa.Text()),
        sa.Column("error_message", sa.Text()),
        sa.Column("error_digest", sa.Text()),
        sa.Column("parent_id", sa.Uuid()),
        sa.Column("cause", sa.Text()),
        sa.Column("created_by", sa.Uuid()),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("started_at", _MOMENT),
        sa.Column("finished_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("vendor_id", "id", name="uq_jobs_vendor_id_id"),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["jobs.id"], name="fk_jobs_parent_id_jobs", ondelete="SET NULL"
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        postgresql_with=_OPTIONS,
    )


def _create_job_indexes() -> None:
    op.create_index(
        "ix_jobs_claim",
        "jobs",
        ["queue", "lane", sa.text("priority DESC"), "sequence", "run_after"],
        postgresql_where=sa.text("state = 'queued' AND waiting_reason IS NULL"),
    )
    op.create_index(
        "ix_jobs_order",
        "jobs",
        ["lane", "ordering_key", "sequence"],
        postgresql_where=sa.text(f"{_ACTIVE} AND ordering_key IS NOT NULL"),
    )
    op.create_index(
        "uq_jobs_running_order",
        "jobs",
        ["lane", "ordering_key"],
        unique=True,
        postgresql_where=sa.text("state = 'running' AND ordering_key IS NOT NULL"),
    )
    op.create_index(
        "uq_jobs_unique_key",
        "jobs",
        ["lane", "unique_key"],
        unique=True,
        postgresql_where=sa.text(f"{_ACTIVE} AND unique_key IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        ["module", "lane"],
        postgresql_where=sa.text("state = 'queued' AND waiting_reason = 'module off'"),
    )
    op.create_index("ix_jobs_failed", "jobs", ["lane", "id"], postgresql_where=sa.text("state = 'failed'"))
    op.create_index(
        "ix_jobs_parent_id", "jobs", ["parent_id"], postgresql_where=sa.text("parent_id IS NOT NULL")
    )


def _create_job_runs() -> None:
    op.create_table(
        "job_runs",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vendor_id", sa.Uuid()),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("backend_pid", sa.BigInteger()),
        sa.Column("leased_until", _MOMENT, nullable=False),
        sa.Column("heartbeat_at", _MOMENT, nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.Column("outcome", sa.Text()),
        sa.PrimaryKeyConstraint("job_id", "token", name="pk_job_runs"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_runs_job_id_jobs", ondelete="CASCADE"),
        sa.CheckConstraint(
            "outcome IN ('succeeded', 'failed', 'retried', 'cancelled', 'lost', 'released')",
            name=op.f("ck_job_runs_outcome"),
        ),
        postgresql_with=_OPTIONS,
    )
    op.create_index(
        "ix_job_runs_lease", "job_runs", ["leased_until"], postgresql_where=sa.text("ended_at IS NULL")
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid()),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("aggregate", sa.Text(), nullable=False),
        sa.Column("payload", _JSON, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("event_id", "handler", name="uq_deliveries_event_id_handler"),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name="fk_deliveries_job_id_jobs", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_deliveries_job_id", "deliveries", ["job_id"])


def _create_schedule_tables() -> None:
    op.create_table(
        "ticks",
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("job_id", sa.Uuid()),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("schedule", "due_at", name="pk_ticks"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_ticks_job_id_jobs", ondelete="SET NULL"),
    )
    op.create_table(
        "schedule_states",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("considered_until", _MOMENT, nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_schedule_states"),
    )


def downgrade() -> None:
    for table in ("schedule_states", "ticks", "deliveries", "job_runs", "jobs"):
        op.drop_table(table)
