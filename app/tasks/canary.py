"""Canaries: a tiny job per queue and minute. As long as they come through, the queue is served.

"The worker's process is there" proves nothing: one that lost its broker can live for days and take no work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from celery import current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.observability import HealthResult, HealthStatus
from app.tasks.ledger import JobOptions, complete, enqueue
from app.tasks.ports import ClaimedJob
from app.tasks.transactions import brief_work
from app.tasks.wakeups import wake_after_commit

CANARY = "wizamart.canary"
EVERY_SECONDS = 60
# Two in a row did not come through; a queue that was never served is not spoken of.
DEGRADED_SECONDS, FAILED_SECONDS = 2 * EVERY_SECONDS, 5 * EVERY_SECONDS
_PRIORITY = 100
_ATTEMPTS = 10
_ALWAYS_DUE = datetime(2000, 1, 1, tzinfo=UTC)  # also when the business clock is moved back

_FORGET = text(f"DELETE FROM jobs WHERE task = '{CANARY}' AND queue = :queue AND finished_at IS NOT NULL")
_NEWEST = text(
    f"SELECT queue, max(created_at) AS made_at FROM jobs WHERE task = '{CANARY}' AND queue = ANY(:queues) "
    "GROUP BY queue"
)
# From when the first one set out that has not come through; else from the end of the last one: while the whole platform
# stood still, none was on its way. A queue that Celery no longer knows is nobody's to serve.
_AGES = text(
    f"""
    SELECT queue, extract(epoch FROM cast(:now AS timestamptz) - coalesce(
            min(created_at) FILTER (WHERE state <> 'succeeded'), max(finished_at))) AS age
    FROM jobs WHERE task = '{CANARY}' AND queue = ANY(:queues) GROUP BY queue ORDER BY queue
    """
)
_OVERDUE = text(
    f"""
    SELECT queue FROM jobs WHERE task = '{CANARY}' AND state = 'queued' AND queue = ANY(:queues)
    AND created_at < cast(:now AS timestamptz) - make_interval(secs => {DEGRADED_SECONDS})
    """
)


@dataclass(frozen=True, slots=True)
class CanaryAge:
    """Seconds for which nothing has come through a queue, although a canary was or should have been on its way."""

    queue: str
    seconds: float

    @property
    def status(self) -> HealthStatus:
        """What that says of the queue."""
        if self.seconds >= FAILED_SECONDS:
            return HealthStatus.FAILED
        return HealthStatus.DEGRADED if self.seconds >= DEGRADED_SECONDS else HealthStatus.OK


def make_canaries() -> int:
    """Make the canaries that are due, of every queue that Celery knows; returns how many. Any number may try."""
    queues, now = _queues(), clock.system_now()
    with brief_work() as session:
        made_at = {row.queue: row.made_at for row in session.execute(_NEWEST, {"queues": queues})}
        due = [
            queue
            for queue in queues
            if queue not in made_at or (now - made_at[queue]).total_seconds() >= EVERY_SECONDS
        ]
        return sum(_make(session, queue) for queue in due)


def _queues() -> list[str]:
    return sorted(queue.name for queue in current_app.conf.task_queues)


def _make(session: Session, queue: str) -> bool:
    """One canary, unless the former is still on its way: then that one's age tells."""
    options: JobOptions = {
        "queue": queue,
        "module": "tasks",
        "priority": _PRIORITY,
        "max_attempts": _ATTEMPTS,
        "run_after": _ALWAYS_DUE,
        "unique_key": f"{CANARY}:{queue}",
        "cause": "schedule",
    }
    ref = enqueue(session, CANARY, args={}, vendor_id=None, options=options)
    if ref.created:
        wake_after_commit(session, queue)
    return ref.created


def come_through(job: ClaimedJob) -> None:
    """The canary's whole work: its end takes the place of the former one's."""
    with brief_work() as session:
        session.execute(_FORGET, {"queue": job.queue})
        complete(session, job, None)


def ages() -> list[CanaryAge]:
    """For how long nothing has come through, for each queue that ever had a canary."""
    with brief_work() as session:
        rows = session.execute(_AGES, {"now": clock.system_now(), "queues": _queues()}).all()
    return [CanaryAge(row.queue, round(float(row.age), 1)) for row in rows]


def overdue(queues: Sequence[str]) -> list[str]:
    """Those queues whose canary waits for twice its time although a worker could take it."""
    with brief_work() as session:
        found = session.execute(_OVERDUE, {"queues": list(queues), "now": clock.system_now()})
        return sorted(found.scalars())


def check_queues() -> HealthResult:
    """Health of background work: the worst queue decides."""
    found = ages()
    if not found:
        return HealthResult(HealthStatus.OK, "health.queues.none")
    oldest = max(found, key=lambda age: age.seconds)
    details = {age.queue: f"{age.status} ({age.seconds:.0f} s)" for age in found}
    if oldest.status is HealthStatus.OK:
        return HealthResult(HealthStatus.OK, "health.queues.served", {"count": len(found)}, details)
    stuck = {"queue": oldest.queue, "seconds": round(oldest.seconds)}
    return HealthResult(oldest.status, "health.queues.stuck", stuck, details)
