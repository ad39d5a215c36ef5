"""Claiming: which queued jobs a worker may run next.

Vendors take turns. Within a vendor's turn higher priority goes first, then age. Each turn is found by walking the
partial index ``ix_jobs_claim`` from vendor to vendor, so the cost depends on the size of the batch, neither on the
number of finished jobs nor on how many one vendor has queued. Each worker process goes round by itself, from where it
was last.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core import clock
from app.tasks.models import Waiting
from app.tasks.ports import ClaimedJob, framework
from app.tasks.transactions import brief_work

LEASE_SECONDS = 15
_MAX_ROUNDS = 20  # of marking jobs that must wait, within one claim
_TRIES = 3
_FIRST = UUID(int=0)
_last_lane: dict[str, UUID] = {}

# Literals, not parameters: the planner must see that the partial index covers them.
_CLAIMABLE = "queue = :queue AND state = 'queued' AND waiting_reason IS NULL AND run_after <= :now"


def _walk(name: str, bounds: str) -> str:
    return f"""
    {name} (lane, turn) AS (
        (SELECT lane, 1 FROM jobs WHERE {_CLAIMABLE} AND {bounds} ORDER BY lane LIMIT 1)
        UNION ALL
        SELECT following.lane, {name}.turn + 1 FROM {name} CROSS JOIN LATERAL (
            SELECT lane FROM jobs WHERE {_CLAIMABLE} AND {bounds} AND lane > {name}.lane ORDER BY lane LIMIT 1
        ) following
        WHERE {name}.turn < :batch
    )"""


_PICK = text(
    f"""
    WITH RECURSIVE {_walk("onward", "lane > :last_lane")}, {_walk("around", "lane <= :last_lane")},
    turns AS MATERIALIZED (
        SELECT lane, row_number() OVER () AS turn
        FROM (SELECT lane FROM onward UNION ALL SELECT lane FROM around LIMIT :batch) found
    )
    SELECT picked.*, turns.turn FROM turns CROSS JOIN LATERAL (
        SELECT id, vendor_id, module, lane, ordering_key FROM jobs
        WHERE {_CLAIMABLE} AND jobs.lane = turns.lane
        ORDER BY priority DESC, sequence LIMIT greatest(1, :batch / (SELECT count(*) FROM turns))
        FOR NO KEY UPDATE SKIP LOCKED
    ) picked
    """
)

_OUT_OF_ORDER = text(
    """
    SELECT mine.id FROM jobs mine WHERE mine.id = ANY(:ids) AND EXISTS (
        SELECT FROM jobs other
        WHERE other.lane = mine.lane AND other.ordering_key = mine.ordering_key AND other.ordering_key IS NOT NULL
          AND other.state IN ('queued', 'running') AND (other.state = 'running' OR other.sequence < mine.sequence)
    )
    """
)

_WAIT = text("UPDATE jobs SET waiting_reason = :reason WHERE id = ANY(:ids)")

_START = text(
    f"""
    WITH started AS (
        UPDATE jobs SET state = 'running', token = token + 1, attempts = attempts + 1, started_at = :at
        WHERE id = ANY(:ids) RETURNING *
    ), runs AS (
        INSERT INTO job_runs (job_id, token, vendor_id, attempt, worker, leased_until, heartbeat_at, started_at)
        SELECT id, token, vendor_id, attempts, :worker, clock_timestamp() + interval '{LEASE_SECONDS} s',
               clock_timestamp(), clock_timestamp()
        FROM started
    )
    SELECT * FROM started
    """
)


def claim(queue: str, batch: int, worker: str) -> list[ClaimedJob]:
    """Take up to ``batch`` jobs of a queue for ``worker``, in the order in which to run them; empty: nothing to do.

    Jobs that must wait for an earlier one of their ordering key, or whose module is off for their vendor, are marked
    and left.
    """
    for attempt in range(_TRIES):
        try:
            with brief_work() as session:
                return _claim(session, queue, batch, worker)
        except IntegrityError:
            # Two workers saw different heads of one ordering key; the index let one of them through.
            if attempt == _TRIES - 1:
                raise
    return []


def _claim(session: Session, queue: str, batch: int, worker: str) -> list[ClaimedJob]:
    for _ in range(_MAX_ROUNDS):
        picked = session.execute(
            _PICK,
            {
                "queue": queue,
                "batch": batch,
                "now": clock.now(),
                "last_lane": _last_lane.get(queue, _FIRST),
            },
        ).all()
        if not picked:
            return []
        _last_lane[queue] = max(picked, key=lambda row: row.turn).lane
        ready = _without_waiting(session, picked)
        if ready:
            return _start(session, ready, worker)
    return []


def _without_waiting(session: Session, picked: Sequence[Row[Any]]) -> list[UUID]:
    """The picked jobs that may run, the vendors' turns interleaved; the others are marked."""
    is_on = framework().module_is_on
    off = {row.id for row in picked if not is_on(row.module, row.vendor_id)}
    keyed = [row.id for row in picked if row.ordering_key and row.id not in off]
    early = set(session.execute(_OUT_OF_ORDER, {"ids": keyed}).scalars()) if keyed else set()
    for reason, ids in ((Waiting.MODULE_OFF, off), (Waiting.ORDER, early)):
        if ids:
            session.execute(_WAIT, {"reason": reason, "ids": list(ids)})
    taken: dict[UUID, int] = {}
    ranked = []
    for row in picked:
        if row.id not in off and row.id not in early:
            taken[row.lane] = taken.get(row.lane, 0) + 1
            ranked.append((taken[row.lane], row.turn, row.id))
    return [job_id for _, _, job_id in sorted(ranked)]


def _start(session: Session, ids: list[UUID], worker: str) -> list[ClaimedJob]:
    rows = session.execute(_START, {"ids": ids, "worker": worker, "at": clock.system_now()})
    started = {row.id: as_claimed(row) for row in rows}
    return [started[job_id] for job_id in ids]


def as_claimed(row: Row[Any]) -> ClaimedJob:
    """A row of ``jobs`` as the run that its token belongs to."""
    return ClaimedJob(
        id=row.id,
        token=row.token,
        vendor_id=row.vendor_id,
        module=row.module,
        task=row.task,
        queue=row.queue,
        args=row.args,
        attempt=row.attempts,
        checkpoint=row.checkpoint,
        ordering_key=row.ordering_key,
        created_by=row.created_by,
        request_id=row.request_id,
        traceparent=row.traceparent,
    )
