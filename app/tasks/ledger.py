"""Writing the ledger: new jobs, progress and every way a run can end.

All functions work in the caller's transaction. Those that take a ``ClaimedJob`` write only while its token is the
job's current one and raise StaleRunError otherwise: that is the fence against workers that were given up. They lock
the job's row, so the caller commits at once; PostgreSQL ends the session of one that freezes before it does.
"""

import hashlib
import random
import time
import traceback
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple, TypedDict, cast
from uuid import UUID

import orjson
from sqlalchemy import Table, TextClause, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import AppError, ConfigurationError, RateLimitedError, UnavailableError
from app.core.ids import new_id
from app.core.logging import bound, mask
from app.core.tracing import present_trace
from app.tasks.errors import JobNotFoundError, JobStateError, StaleRunError
from app.tasks.models import PLATFORM_LANE, Job, JobState
from app.tasks.ports import ClaimedJob
from app.tasks.transactions import END_WHEN_FROZEN

_MAX_MESSAGE_CHARS = 2000
_MAX_DELAY_SECONDS = 300.0
# Errors that may be over later; a configuration may be put right, or be that of an older release still running.
_LATER = (UnavailableError, RateLimitedError, ConfigurationError)
_JOBS = cast(Table, Job.__table__)


class JobRef(NamedTuple):
    """A job in the ledger; ``created`` is False when an unfinished one with the same unique key was there."""

    id: UUID
    created: bool


class JobOptions(TypedDict, total=False):
    """How a job is to be run, besides what it does.

    ``queue``: else the task's. ``priority``: higher first within a vendor. ``run_after``: business time, else now.
    ``ordering_key``: jobs of one key run one after the other. ``unique_key``: at most one unfinished job of a key.
    ``max_attempts``: else the task's. ``parent_id``: the job this one is part of. ``cause``: user, schedule, event or
    message. ``created_by``: the user. ``module``: on whose behalf it runs, else the task's owner.
    """

    module: str
    queue: str
    priority: int
    run_after: datetime
    ordering_key: str | None
    unique_key: str | None
    max_attempts: int
    parent_id: UUID | None
    cause: str | None
    created_by: UUID | None


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, fit for people; ``digest`` finds the traceback in the logs and groups equal ones."""

    code: str
    message: str
    digest: str
    is_final: bool

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """An AppError is an answer and final, unless it says "later"; anything else may go away by itself."""
        frames = traceback.extract_tb(error.__traceback__)
        places = "\n".join(f"{frame.filename}:{frame.name}:{frame.lineno}" for frame in frames)
        digest = hashlib.sha256(f"{type(error).__name__}\n{places}".encode()).hexdigest()[:12]
        code = error.code if isinstance(error, AppError) else f"tasks.{type(error).__name__}"
        message = str(error) if isinstance(error, AppError) else f"{type(error).__name__}: {error}"
        return cls(
            code,
            str(mask(message))[:_MAX_MESSAGE_CHARS],
            digest,
            isinstance(error, AppError) and not isinstance(error, _LATER),
        )


def enqueue(
    session: Session, task: str, *, args: dict[str, Any], vendor_id: UUID | None, options: JobOptions
) -> JobRef:
    """Insert a job, or find the unfinished one with the same unique key.

    ``options`` must have queue, module and max_attempts. Raises JobStateError when that other job may not be read.
    """
    values: dict[str, Any] = {"id": new_id(), "task": task, "args": args, "vendor_id": vendor_id, **options}
    values |= {"request_id": bound("request_id"), "traceparent": present_trace()}
    for _ in range(_DUPLICATE_TRIES):
        # No RETURNING: it needs the right to read, which admins of some platforms lack for platform jobs.
        insertion = insert(_JOBS).values(values).on_conflict_do_nothing()
        inserted = session.connection().execute(insertion, execution_options={"preserve_rowcount": True})
        if inserted.rowcount == 1:
            return JobRef(values["id"], created=True)
        found = session.execute(_SAME, {"vendor_id": vendor_id, "unique_key": options.get("unique_key")})
        existing = found.scalar_one_or_none()
        if existing is not None:
            return JobRef(existing, created=False)
    raise JobStateError(f"An equal job of {task} is unfinished and may not be seen from here.")


_DUPLICATE_TRIES = 3  # the job in the way may end between our two statements
_SAME = text(
    f"""
    SELECT id FROM jobs WHERE lane = coalesce(:vendor_id, '{PLATFORM_LANE}'::uuid) AND unique_key = :unique_key
    AND state IN ('queued', 'running')
    """
).bindparams(bindparam("vendor_id", type_=Uuid()))


# Where a job goes when its run ended without an answer.
_NEXT = """CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
                WHEN attempts < max_attempts THEN 'queued' ELSE 'failed' END"""


# An error of an earlier attempt stands in that attempt's run; a job that succeeded has none.
_HEALED = "error_code = NULL, error_message = NULL, error_digest = NULL"


def complete(session: Session, job: ClaimedJob, result: Any) -> None:
    """The job has succeeded; ``result`` is JSON. In the same transaction as the last of its effect."""
    _end(session, job, "'succeeded'", f"result = cast(:result AS jsonb), {_HEALED}", result=_json(result))


@dataclass(frozen=True, slots=True)
class Success:
    """A run that succeeded and has nothing to commit; ``result`` is JSON text, ``ended`` by the monotonic clock."""

    job: ClaimedJob
    result: str
    finished_at: datetime
    ended: float

    @classmethod
    def of(cls, job: ClaimedJob, result: Any) -> "Success":
        """The job has succeeded now. Raises TypeError for a result that is not JSON."""
        return cls(job, _json(result), clock.system_now(), time.monotonic())


# Where a run that has nothing to commit may leave its success, for `complete_together`; None: it completes itself.
left_successes: ContextVar[list[Success] | None] = ContextVar("left_successes", default=None)


def complete_together(session: Session, successes: Sequence[Success]) -> set[UUID]:
    """Complete runs whose jobs have no ordering key, by one statement; returns the jobs whose run was still theirs."""
    now = time.monotonic()
    values = {
        "ids": [success.job.id for success in successes],
        "tokens": [success.job.token for success in successes],
        "results": [success.result for success in successes],
        "finished": [success.finished_at for success in successes],
        "waited": [now - success.ended for success in successes],
    }
    return set(session.execute(_COMPLETE_TOGETHER, values).scalars())


_COMPLETE_TOGETHER = text(
    f"""
    WITH given AS (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:tokens AS bigint[]), CAST(:results AS text[]),
            CAST(:finished AS timestamptz[]), CAST(:waited AS double precision[])
        ) AS success (id, token, result, finished_at, waited)
    ), ended AS (
        UPDATE jobs SET state = 'succeeded', result = CAST(given.result AS jsonb), {_HEALED},
            finished_at = given.finished_at
        FROM given WHERE jobs.id = given.id AND jobs.token = given.token AND jobs.state = 'running'
        RETURNING jobs.id, jobs.token, given.waited
    ), run AS (
        UPDATE job_runs SET ended_at = clock_timestamp() - make_interval(secs => ended.waited), outcome = 'succeeded'
        FROM ended WHERE job_runs.job_id = ended.id AND job_runs.token = ended.token
    )
    SELECT id FROM ended
    """
)


def mark_cancelled(
    session: Session, job: ClaimedJob, code: str | None = None, message: str | None = None
) -> None:
    """The run has ended because a cancel was asked for, or for the reason of this code."""
    reason = (
        "waiting_reason = NULL, error_code = coalesce(CAST(:code AS text), error_code), "
        "error_message = coalesce(CAST(:message AS text), error_message)"
    )
    _end(session, job, "'cancelled'", reason, code=code, message=message)


def fail(session: Session, job: ClaimedJob, failure: Failure) -> str:
    """The run has failed: the job goes back to the queue with a delay, or ends; returns its new state."""
    return _end(
        session,
        job,
        "'failed'" if failure.is_final else _NEXT,
        "run_after = :retry_at, error_code = :code, error_message = :message, error_digest = :digest",
        retry_at=clock.now() + _delay(job.attempt),
        code=failure.code,
        message=failure.message,
        digest=failure.digest,
    )


def lose(session: Session, job: ClaimedJob) -> str:
    """The run's lease is over: the job is queued again, or ends at its limit; returns its new state."""
    lost = "error_code = 'tasks.worker_lost', error_message = 'The worker stopped answering.', error_digest = NULL"
    return _end(session, job, _NEXT, lost, outcome="lost")


def give_back(session: Session, job: ClaimedJob) -> None:
    """The job was claimed but not begun: as if it had not been claimed."""
    _end(session, job, "'queued'", "attempts = attempts - 1", outcome="released")


def _end(
    session: Session,
    job: ClaimedJob,
    state: str,
    assignments: str,
    *,
    outcome: str | None = None,
    **values: Any,
) -> str:
    """End a run under the fence: set the job's ``state`` (SQL) and more; returns the state it has now."""
    identity = {"id": job.id, "token": job.token, "outcome": outcome, "now": clock.system_now()}
    row = session.execute(_end_statement(state, assignments), identity | values).one_or_none()
    if row is None:
        raise StaleRunError(f"Job {job.id} is no longer run {job.token}'s.")
    if row.state != JobState.QUEUED and job.ordering_key:
        release_next(session, row.lane, job.ordering_key)
    return str(row.state)


@cache  # a handful of them
def _end_statement(state: str, assignments: str) -> TextClause:
    return text(
        f"""
        WITH ended AS (
            UPDATE jobs SET state = {state}, {assignments},
                finished_at = CASE {state} WHEN 'queued' THEN NULL ELSE cast(:now AS timestamptz) END
            WHERE id = :id AND token = :token AND state = 'running'
            RETURNING id, token, state, lane
        ), run AS (
            UPDATE job_runs SET ended_at = clock_timestamp(), outcome = coalesce(
                :outcome, CASE ended.state WHEN 'queued' THEN 'retried' ELSE ended.state END)
            FROM ended WHERE job_runs.job_id = ended.id AND job_runs.token = ended.token
        )
        SELECT state, lane, {END_WHEN_FROZEN} FROM ended
        """
    )


def release_next(session: Session, lane: UUID, ordering_key: str) -> None:
    """Let the next job of an ordering key be claimed, if it was seen waiting.

    A statement after the one that ended the former job, so that it sees marks made in the meantime.
    """
    session.execute(_RELEASE, {"lane": lane, "key": ordering_key})


_RELEASE = text(
    """
    UPDATE jobs SET waiting_reason = NULL WHERE waiting_reason = 'order' AND state = 'queued' AND id = (
        SELECT id FROM jobs WHERE lane = :lane AND ordering_key = :key AND state IN ('queued', 'running')
        ORDER BY sequence LIMIT 1
    )
    """
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is; None leaves what was written before."""

    done: int | None = None
    total: int | None = None
    phase: str | None = None
    message: str | None = None


def write_progress(session: Session, job: ClaimedJob, progress: Progress) -> bool:
    """Record progress; True when a cancel was asked for."""
    return _progress(session, job, progress, "checkpoint", None)


def write_checkpoint(session: Session, job: ClaimedJob, cursor: Any, progress: Progress) -> bool:
    """Record progress and where to go on after a crash (JSON); True when a cancel was asked for."""
    return _progress(session, job, progress, "cast(:cursor AS jsonb)", _json(cursor))


def _progress(session: Session, job: ClaimedJob, progress: Progress, source: str, cursor: str | None) -> bool:
    values = {"id": job.id, "token": job.token, "done": progress.done, "total": progress.total}
    values |= {"phase": progress.phase, "message": progress.message}
    if cursor is not None:
        values["cursor"] = cursor
    asked = session.execute(
        text(
            f"""
            UPDATE jobs SET checkpoint = {source}, progress_done = coalesce(:done, progress_done),
                progress_total = coalesce(:total, progress_total), phase = coalesce(:phase, phase),
                message = coalesce(:message, message)
            WHERE id = :id AND token = :token AND state = 'running'
            RETURNING cancel_requested_at IS NOT NULL, {END_WHEN_FROZEN}
            """
        ),
        values,
    ).scalar_one_or_none()
    if asked is None:
        raise StaleRunError(f"Job {job.id} is no longer run {job.token}'s.")
    return bool(asked)


def cancel(session: Session, job_id: UUID) -> str:
    """Cancel a queued job at once, ask a running one to stop at its next checkpoint; returns the state it is in now.

    Raises JobNotFoundError, and JobStateError for a job that has ended.
    """
    row = session.execute(_CANCEL, {"id": job_id, "now": clock.system_now()}).one_or_none()
    if row is None:
        raise _wrong_state(session, job_id, "cancelled")
    if row.state == JobState.CANCELLED and row.ordering_key:
        release_next(session, row.lane, row.ordering_key)
    return str(row.state)


_CANCEL = text(
    """
    UPDATE jobs SET cancel_requested_at = :now, waiting_reason = NULL,
        state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
        finished_at = CASE state WHEN 'queued' THEN :now END
    WHERE id = :id AND state IN ('queued', 'running') RETURNING state, lane, ordering_key
    """
)


def replay(session: Session, job_id: UUID) -> str:
    """Queue a failed or cancelled job again, from its checkpoint and with all its attempts; returns its queue.

    Raises JobNotFoundError, and JobStateError for a job in another state or while an equal one is unfinished.
    """
    try:
        with session.begin_nested():
            queue = session.execute(_REPLAY, {"id": job_id, "now": clock.now()}).scalar_one_or_none()
    except IntegrityError:
        raise JobStateError("An equal job is unfinished. Wait for it or cancel it.") from None
    if queue is None:
        raise _wrong_state(session, job_id, "run again")
    return str(queue)


_REPLAY = text(
    """
    UPDATE jobs SET state = 'queued', attempts = 0, run_after = :now, waiting_reason = NULL,
        cancel_requested_at = NULL, finished_at = NULL, error_code = NULL, error_message = NULL, error_digest = NULL
    WHERE id = :id AND state IN ('failed', 'cancelled') RETURNING queue
    """
)


def _wrong_state(session: Session, job_id: UUID, verb: str) -> AppError:
    state = session.execute(select(Job.state).where(Job.id == job_id)).scalar_one_or_none()
    if state is None:
        return JobNotFoundError()
    return JobStateError(f"A job that is {state} cannot be {verb}.")


def _delay(attempt: int) -> timedelta:
    """1 s, 4 s, 16 s … up to 5 minutes, each a quarter more or less so that failures do not come back together."""
    seconds = min(4.0 ** (attempt - 1), _MAX_DELAY_SECONDS)
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
