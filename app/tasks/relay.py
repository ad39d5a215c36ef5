"""The relay: sees to it that claimable jobs have wake-ups and that waiting jobs do not wait for nothing.

Whatever the broker lost, and whatever became due by the clock alone, gets going from here. Sending a wake-up too many
costs one empty claim, so several relays may run.
"""

from collections.abc import Iterator
from datetime import timedelta

import structlog
from celery import current_app
from sqlalchemy import text

from app.core import clock
from app.tasks import wakeups
from app.tasks.ports import framework
from app.tasks.transactions import brief_work

log = structlog.get_logger(__name__)

MAX_OUTSTANDING = 8  # wake-ups per queue: enough for as many worker processes to start at once
_MAX_QUEUES = 50
_MODULE_OFF_DAYS = 30

_CLAIMABLE_QUEUES = text(
    """
    WITH RECURSIVE queues (queue, turn) AS (
        (SELECT queue, 1 FROM jobs WHERE state = 'queued' AND waiting_reason IS NULL ORDER BY queue LIMIT 1)
        UNION ALL
        SELECT following.queue, queues.turn + 1 FROM queues CROSS JOIN LATERAL (
            SELECT queue FROM jobs WHERE state = 'queued' AND waiting_reason IS NULL AND queue > queues.queue
            ORDER BY queue LIMIT 1
        ) following
        WHERE queues.turn < :max_queues
    )
    SELECT queue, (
        SELECT count(*) FROM (
            SELECT FROM jobs WHERE jobs.queue = queues.queue AND state = 'queued' AND waiting_reason IS NULL
            AND run_after <= :now LIMIT :max_jobs
        ) due
    ) AS jobs FROM queues
    """
)


def relay() -> int:
    """Bring the wake-ups of each queue with claimable jobs near the number of workers; returns how many were sent."""
    with brief_work() as session:
        rows = session.execute(
            _CLAIMABLE_QUEUES,
            {"now": clock.now(), "max_queues": _MAX_QUEUES, "max_jobs": MAX_OUTSTANDING},
        )
        claimable = {row.queue: row.jobs for row in rows if row.jobs}
    return sum(_missing_sent(claimable)) if claimable else 0


def _missing_sent(claimable: dict[str, int]) -> Iterator[int]:
    with current_app.connection_for_write() as connection:
        for queue, jobs in claimable.items():
            for _ in range(jobs - wakeups.outstanding(connection, queue)):
                if not wakeups.send(queue, connection):
                    return
                yield 1


# A job can be marked waiting in the moment in which the one before it ends; nobody would clear the mark.
_RELEASE_HEADS = text(
    """
    UPDATE jobs SET waiting_reason = NULL WHERE waiting_reason = 'order' AND state = 'queued' AND id IN (
        SELECT DISTINCT ON (lane, ordering_key) id FROM jobs
        WHERE state IN ('queued', 'running') AND ordering_key IS NOT NULL
        ORDER BY lane, ordering_key, (state = 'running') DESC, sequence
    )
    """
)
_OFF = text(
    "SELECT DISTINCT module, vendor_id, lane FROM jobs WHERE state = 'queued' AND waiting_reason = 'module off'"
)
_MODULE_IS_BACK = text(
    """
    UPDATE jobs SET waiting_reason = NULL
    WHERE state = 'queued' AND waiting_reason = 'module off' AND module = :module AND lane = :lane
    """
)
_GIVE_UP = text(
    """
    UPDATE jobs SET state = 'failed', finished_at = :now, waiting_reason = NULL, error_code = 'tasks.module_off',
        error_message = 'The module stayed switched off.'
    WHERE state = 'queued' AND waiting_reason = 'module off' AND created_at < :since
    """
)


def release_waiting() -> None:
    """Let jobs go whose reason to wait is over; fail those whose module stayed off for a month."""
    now = clock.system_now()
    with brief_work() as session:
        session.execute(_RELEASE_HEADS)
        for row in session.execute(_OFF).all():
            if framework().module_is_on(row.module, row.vendor_id):
                session.execute(_MODULE_IS_BACK, {"module": row.module, "lane": row.lane})
        session.execute(_GIVE_UP, {"now": now, "since": now - timedelta(days=_MODULE_OFF_DAYS)})
