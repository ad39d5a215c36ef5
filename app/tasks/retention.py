"""Retention: what ended long ago is removed, in small parts, so that the ledger stays small and beat quick."""

import time
from datetime import timedelta

from sqlalchemy import text

from app.core import clock
from app.core.config import get_settings
from app.tasks.transactions import brief_work

_EVERY_SECONDS = 60.0
_BATCH = 2000
_BATCHES_AT_ONCE = 5
_next_at = 0.0

# Runs and deliveries go with their job. A job with unfinished parts stays.
_JOBS = text(
    """
    DELETE FROM jobs WHERE id IN (
        SELECT id FROM jobs WHERE finished_at < :before
        AND NOT EXISTS (SELECT FROM jobs part WHERE part.parent_id = jobs.id AND part.finished_at IS NULL)
        ORDER BY finished_at LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    """
)
_TICKS = text(
    """
    DELETE FROM ticks WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM ticks WHERE made_at < :before ORDER BY made_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ))
    """
)


def remove_old() -> int:
    """Remove a few parts of what is older than the setting; returns how many jobs and ticks. Once a minute, else 0."""
    global _next_at
    if time.monotonic() < _next_at:
        return 0
    removed = 0
    for _ in range(_BATCHES_AT_ONCE):
        count = _remove_batch()
        removed += count
        if count < _BATCH:
            _next_at = time.monotonic() + _EVERY_SECONDS
            break
    return removed


def _remove_batch() -> int:
    values = {
        "before": clock.system_now() - timedelta(days=get_settings().job_retention_days),
        "batch": _BATCH,
    }
    with brief_work() as session:
        return sum(
            session.connection()
            .execute(statement, values, execution_options={"preserve_rowcount": True})
            .rowcount
            for statement in (_JOBS, _TICKS)
        )
