"""The ledger as operators look at it: figures of queues, worker processes, failures, the last tick of each schedule.

All functions read in the caller's session and see what its scope sees. Each finds its rows by one of the ledger's
partial indexes, so that it costs what is going on and not what is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from celery import current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.observability import HealthStatus
from app.tasks.canary import CANARY, CanaryAge

MOST_FAILURES = 1000
_RECENT = timedelta(hours=1)
_SEEN = timedelta(minutes=10)

_QUEUED = text(
    f"""
    SELECT queue, count(*) FILTER (WHERE run_after <= :now) AS due, count(*) FILTER (WHERE run_after > :now) AS later,
        extract(epoch FROM cast(:now AS timestamptz) - min(run_after) FILTER (WHERE run_after <= :now)) AS oldest
    FROM jobs WHERE state = 'queued' AND waiting_reason IS NULL AND task <> '{CANARY}' GROUP BY queue
    """
)
_WAITING = text(
    """
    SELECT queue, count(*) AS waiting FROM (
        SELECT queue FROM jobs WHERE state = 'queued' AND waiting_reason = 'module off'
        UNION ALL
        SELECT queue FROM jobs
        WHERE state IN ('queued', 'running') AND ordering_key IS NOT NULL AND waiting_reason = 'order'
    ) held GROUP BY queue
    """
)
_RUNNING = text(
    """
    SELECT jobs.queue, count(*) AS running FROM job_runs JOIN jobs ON jobs.id = job_runs.job_id
    WHERE job_runs.ended_at IS NULL GROUP BY jobs.queue
    """
)
_ENDED = text(
    f"""
    SELECT queue, count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
        count(*) FILTER (WHERE state = 'failed') AS failed
    FROM jobs WHERE finished_at > :since AND task <> '{CANARY}' GROUP BY queue
    """
)
# As `canary.ages`: since when nothing has come through.
_CANARIES = text(
    f"""
    SELECT queue, extract(epoch FROM cast(:now AS timestamptz) - coalesce(
        min(created_at) FILTER (WHERE state <> 'succeeded'), max(finished_at))) AS age
    FROM jobs WHERE task = '{CANARY}' AND queue = ANY(:queues) GROUP BY queue ORDER BY queue
    """
)
_WORKERS = text(
    """
    SELECT worker, max(seen) AS seen, min(started_at) AS first, count(*) AS runs FROM (
        SELECT runs.worker, coalesce(runs.ended_at, runs.heartbeat_at) AS seen, runs.started_at
        FROM jobs JOIN job_runs runs ON runs.job_id = jobs.id WHERE jobs.finished_at > :since
        UNION ALL
        SELECT worker, heartbeat_at, started_at FROM job_runs WHERE ended_at IS NULL
    ) seen_runs GROUP BY worker ORDER BY worker
    """
)
_OPEN_RUNS = text(
    """
    SELECT runs.worker, runs.job_id, jobs.task, jobs.queue, runs.started_at
    FROM job_runs runs JOIN jobs ON jobs.id = runs.job_id WHERE runs.ended_at IS NULL ORDER BY runs.started_at
    """
)
_FAILURES = text(
    "SELECT count(*) FROM (SELECT FROM jobs WHERE state = 'failed' AND finished_at > :since LIMIT :most) failures"
)
_TICKS = text(
    """
    SELECT wanted.schedule, tick.due_at, tick.job_id, jobs.state, jobs.finished_at, jobs.started_at
    FROM unnest(cast(:names AS text[])) AS wanted (schedule)
    CROSS JOIN LATERAL (
        SELECT due_at, job_id FROM ticks WHERE ticks.schedule = wanted.schedule ORDER BY due_at DESC LIMIT 1
    ) tick LEFT JOIN jobs ON jobs.id = tick.job_id
    """
)
_LATEST_TICKS = text(
    """
    SELECT ticks.schedule, ticks.due_at, ticks.job_id, jobs.state, jobs.finished_at, jobs.started_at
    FROM ticks LEFT JOIN jobs ON jobs.id = ticks.job_id
    WHERE ticks.schedule = :name ORDER BY ticks.due_at DESC LIMIT :most
    """
)
_DATABASE_BYTES = text("SELECT pg_database_size(current_database())")


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """A queue: jobs whose time has come and how many seconds the oldest of them waits, jobs for later, jobs that wait
    for another or for a module, running ones, what ended in the last hour, and the canary (None: it never had one)."""

    name: str
    due: int
    oldest_seconds: float | None
    later: int
    waiting: int
    running: int
    succeeded: int
    failed: int
    canary: CanaryAge | None


@dataclass(frozen=True, slots=True)
class Work:
    """A run that goes on."""

    job_id: UUID
    task: str
    queue: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A process (host:pid) that ran something in the last ten minutes: its last sign of life, the first run that is
    known of that time, how many runs, and what it works on now."""

    name: str
    seen_at: datetime
    first_at: datetime
    runs: int
    work: tuple[Work, ...]


@dataclass(frozen=True, slots=True)
class LastTick:
    """A due time of a schedule that got a tick; no job where the former run was unfinished, no state where the job is
    gone."""

    due_at: datetime
    job_id: UUID | None
    state: str | None
    started_at: datetime | None
    finished_at: datetime | None


def known_queues() -> list[str]:
    """All queues that Celery knows."""
    return sorted(queue.name for queue in current_app.conf.task_queues)


def canary_ages(session: Session) -> dict[str, CanaryAge]:
    """For how long nothing has come through, by queue; queues that never had a canary are left out."""
    rows = session.execute(_CANARIES, {"now": clock.system_now(), "queues": known_queues()})
    return {row.queue: CanaryAge(row.queue, round(float(row.age), 1)) for row in rows}


def late_queues(session: Session) -> list[CanaryAge]:
    """Queues that are not served as they should, the worst first."""
    late = [age for age in canary_ages(session).values() if age.status is not HealthStatus.OK]
    return sorted(late, key=lambda age: -age.seconds)


def queue_figures(session: Session) -> list[QueueFigures]:
    """Every queue that Celery knows or that has work, by name."""
    queued = {row.queue: row for row in session.execute(_QUEUED, {"now": clock.now()})}
    waiting = {row.queue: int(row.waiting) for row in session.execute(_WAITING)}
    running = {row.queue: int(row.running) for row in session.execute(_RUNNING)}
    since = clock.system_now() - _RECENT
    ended = {row.queue: row for row in session.execute(_ENDED, {"since": since})}
    canaries = canary_ages(session)
    names = sorted({*known_queues(), *queued, *waiting, *running, *ended})
    return [
        QueueFigures(
            name=name,
            due=queued[name].due if name in queued else 0,
            oldest_seconds=_seconds(queued[name].oldest) if name in queued else None,
            later=queued[name].later if name in queued else 0,
            waiting=waiting.get(name, 0),
            running=running.get(name, 0),
            succeeded=ended[name].succeeded if name in ended else 0,
            failed=ended[name].failed if name in ended else 0,
            canary=canaries.get(name),
        )
        for name in names
    ]


def worker_processes(session: Session) -> list[WorkerProcess]:
    """Processes that ran something lately, by name."""
    work: dict[str, list[Work]] = {}
    for row in session.execute(_OPEN_RUNS):
        work.setdefault(row.worker, []).append(Work(row.job_id, row.task, row.queue, row.started_at))
    rows = session.execute(_WORKERS, {"since": clock.system_now() - _SEEN})
    return [
        WorkerProcess(row.worker, row.seen, row.first, row.runs, tuple(work.get(row.worker, ())))
        for row in rows
    ]


def failed_lately(session: Session) -> int:
    """How many jobs failed in the last hour, counted no further than ``MOST_FAILURES``."""
    values = {"since": clock.system_now() - _RECENT, "most": MOST_FAILURES}
    return int(session.execute(_FAILURES, values).scalar_one())


def last_ticks(session: Session, names: Sequence[str]) -> dict[str, LastTick]:
    """The last tick of each schedule that had one."""
    rows = session.execute(_TICKS, {"names": list(names)})
    return {
        row.schedule: LastTick(row.due_at, row.job_id, row.state, row.started_at, row.finished_at)
        for row in rows
    }


def latest_ticks(session: Session, name: str, most: int) -> list[LastTick]:
    """The latest ticks of a schedule, the newest first."""
    rows = session.execute(_LATEST_TICKS, {"name": name, "most": most})
    return [LastTick(row.due_at, row.job_id, row.state, row.started_at, row.finished_at) for row in rows]


def database_bytes(session: Session) -> int:
    """How large the database is."""
    return int(session.execute(_DATABASE_BYTES).scalar_one())


def _seconds(value: object) -> float | None:
    return None if value is None else max(0.0, float(str(value)))
