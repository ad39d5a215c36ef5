"""Tables of the ledger: the only record of background work.

States of a job are few and fixed; finer words are its ``phase`` or labels in its ``result``. The columns that
claims look at (state, run_after, keys) are written by ``ledger.py`` and ``claim.py`` only.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    desc,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import ERASE, NOT_PERSONAL, Base, Keyed, Personal, TableScope

# The place of the platform's own jobs among the vendors when turns are taken.
PLATFORM_LANE = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_ACTIVE = "state IN ('queued', 'running')"


class JobState(StrEnum):
    """Where a job is in its life; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Waiting(StrEnum):
    """Why a queued job is passed over although its time has come; cleared by whoever removes the reason."""

    ORDER = "order"
    MODULE_OFF = "module off"


class Job(Keyed, Base):
    """One piece of background work. Jobs of one ``ordering_key`` run strictly one after the other, by ``sequence``.

    ``lane`` is the vendor, or a fixed value for the platform's jobs. ``token`` counts claims and fences off
    workers that lost theirs. ``run_after`` is business time, the other times are system time. ``request_id`` and
    ``traceparent`` lead to the request that the job came of.
    """

    __tablename__ = "jobs"
    __personal__ = Personal(
        dict.fromkeys(("args", "message", "checkpoint", "result", "error_message"), ERASE),
        mentions=("args", "message", "checkpoint", "result", "error_message"),
    )
    __impersonal__ = (
        "module",
        "task",
        "queue",
        "ordering_key",
        "unique_key",
        "state",
        "waiting_reason",
        "phase",
        "error_code",
        "error_digest",
        "cause",
        "request_id",
        "traceparent",
    )
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __verbs__ = "SIUD"
    __table_args__ = (
        UniqueConstraint("vendor_id", "id"),
        CheckConstraint("state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="state"),
        Index(
            "ix_jobs_claim",
            "queue",
            "lane",
            desc("priority"),
            "sequence",
            "run_after",
            postgresql_where=text("state = 'queued' AND waiting_reason IS NULL"),
        ),
        Index(
            "ix_jobs_order",
            "lane",
            "ordering_key",
            "sequence",
            postgresql_where=text(f"{_ACTIVE} AND ordering_key IS NOT NULL"),
        ),
        Index(
            "uq_jobs_running_order",
            "lane",
            "ordering_key",
            unique=True,
            postgresql_where=text("state = 'running' AND ordering_key IS NOT NULL"),
        ),
        Index(
            "uq_jobs_unique_key",
            "lane",
            "unique_key",
            unique=True,
            postgresql_where=text(f"{_ACTIVE} AND unique_key IS NOT NULL"),
        ),
        Index(
            "ix_jobs_waiting",
            "module",
            "lane",
            postgresql_where=text("state = 'queued' AND waiting_reason = 'module off'"),
        ),
        Index("ix_jobs_failed", "lane", "id", postgresql_where=text("state = 'failed'")),
        Index("ix_jobs_parent_id", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index("ix_jobs_canary", "queue", postgresql_where=text("task = 'wizamart.canary'")),
        Index("ix_jobs_finished", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    )

    sequence: Mapped[int] = mapped_column(Identity())
    vendor_id: Mapped[UUID | None]
    lane: Mapped[UUID] = mapped_column(
        Computed(f"coalesce(vendor_id, '{PLATFORM_LANE}'::uuid)", persisted=True)
    )
    module: Mapped[str]
    task: Mapped[str]
    queue: Mapped[str]
    priority: Mapped[int] = mapped_column(SmallInteger, default=0)
    run_after: Mapped[datetime] = mapped_column(default=clock.now)
    ordering_key: Mapped[str | None]
    unique_key: Mapped[str | None]
    args: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=JobState.QUEUED.value)
    waiting_reason: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    max_attempts: Mapped[int] = mapped_column(SmallInteger)
    token: Mapped[int] = mapped_column(default=0)
    cancel_requested_at: Mapped[datetime | None]
    progress_done: Mapped[int | None]
    progress_total: Mapped[int | None]
    phase: Mapped[str | None]
    message: Mapped[str | None]
    checkpoint: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    result: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    error_digest: Mapped[str | None]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    cause: Mapped[str | None]
    created_by: Mapped[UUID | None]
    request_id: Mapped[str | None]
    traceparent: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.system_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class JobRun(Base):
    """One attempt at a job: who runs it and until when we believe that. Leases are in the database's own time."""

    __tablename__ = "job_runs"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __verbs__ = "SIU"
    __table_args__ = (
        CheckConstraint(
            "outcome IN ('succeeded', 'failed', 'retried', 'cancelled', 'lost', 'released')", name="outcome"
        ),
        Index("ix_job_runs_lease", "leased_until", postgresql_where=text("ended_at IS NULL")),
        Index("ix_job_runs_lost", "ended_at", postgresql_where=text("outcome = 'lost'")),
    )

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    token: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    vendor_id: Mapped[UUID | None]
    attempt: Mapped[int] = mapped_column(SmallInteger)
    worker: Mapped[str]
    backend_pid: Mapped[int | None]
    leased_until: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


class Delivery(Keyed, Base):
    """One event for one handler; ``handler`` is the code of the listening module. Its job says how it went."""

    __tablename__ = "deliveries"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.VENDOR_OR_PLATFORM
    __verbs__ = "SI"
    __table_args__ = (
        UniqueConstraint("event_id", "handler"),
        Index("ix_deliveries_job_id", "job_id"),
    )

    vendor_id: Mapped[UUID | None]
    event_id: Mapped[UUID]
    event: Mapped[str]
    handler: Mapped[str]
    aggregate: Mapped[str]
    payload: Mapped[dict[str, Any]]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=clock.system_now)


class Tick(Base):
    """One due time of one schedule, made once however many beats run. No job: the former run was unfinished."""

    __tablename__ = "ticks"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.GLOBAL
    __verbs__ = "SIUD"
    __table_args__ = (
        Index("ix_ticks_job_id", "job_id", postgresql_where=text("job_id IS NOT NULL")),
        Index("ix_ticks_made_at", "made_at"),
    )

    schedule: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    made_by: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(default=clock.system_now)


class ScheduleState(Base):
    """How far a schedule has come (business time), and what the operator decided: paused, another ``cron``."""

    __tablename__ = "schedule_states"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.GLOBAL
    __verbs__ = "SIU"

    name: Mapped[str] = mapped_column(primary_key=True)
    considered_until: Mapped[datetime]
    is_paused: Mapped[bool] = mapped_column(default=False)
    cron: Mapped[str | None]
