"""The worker's side: take jobs of a queue and run them, in a worker process or in the caller's own."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from celery import shared_task
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import SYSTEM, independent_write, unit_of_work
from app.core.errors import AppError
from app.core.observability import count_job
from app.core.tracing import continued, trace_id_of
from app.tasks import leases, wakeups
from app.tasks import watchdog as _watchdog  # noqa: F401  looks after each worker
from app.tasks.canary import CANARY, come_through
from app.tasks.claim import claim
from app.tasks.errors import JobCancelledError, JobHeldError, StaleRunError
from app.tasks.ledger import (
    Failure,
    Success,
    complete_together,
    fail,
    give_back,
    left_successes,
    mark_cancelled,
)
from app.tasks.models import JobState
from app.tasks.ports import ClaimedJob, framework
from app.tasks.transactions import brief_work

log = structlog.get_logger(__name__)

LONG_RUNNING = "long_running"
BATCH = 8  # jobs claimed at once; of the queue for long work one, so that no job waits behind an hour's
_BATCH_SECONDS = 1.0  # then the jobs of a batch that were not begun go back, for workers that are idle
_KEEP_SECONDS = 0.05  # then the successes of a batch's quick jobs are written, also while a slow one runs
_SLICE_JOBS = 50
_SLICE_SECONDS = 10.0
_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 0.1, 1.0  # others may add work meanwhile, or move the clock


@shared_task(name=wakeups.TAKE, acks_late=False, ignore_result=True)  # type: ignore[untyped-decorator]
def take(queue: str) -> None:
    """Run what is claimable on a queue, for a slice of time; when more is left, wake a worker again."""
    if run_slice(queue):
        wakeups.send(queue)


def run_slice(queue: str) -> bool:
    """Run jobs of a queue until none is claimable (False) or the slice is used up (True)."""
    end, left = time.monotonic() + _SLICE_SECONDS, _SLICE_JOBS
    while left > 0 and time.monotonic() < end:
        framework().refresh()  # what is due, says the business clock
        jobs = claim(queue, 1 if queue == LONG_RUNNING else min(BATCH, left), leases.worker_name())
        if not jobs:
            return False
        left -= len(jobs)
        _run_batch(jobs)
    return True


def run_until_idle(queues: Sequence[str], *, timeout_seconds: float) -> bool:
    """Run jobs here, as a worker would, until none of the queues has one that is due within the time.

    For commands, where no worker may be running. False: the time was over first.
    """
    end = time.monotonic() + timeout_seconds
    while (left := end - time.monotonic()) > 0:
        has_more = [run_slice(queue) for queue in queues]
        if any(has_more):
            continue
        due_in = _seconds_until_due(queues)
        if due_in is None or due_in > left:
            return True
        time.sleep(min(max(_LOOK_SECONDS, due_in), _LONGEST_LOOK_SECONDS))
    return False


_DUE = text(
    "SELECT min(run_after) FROM jobs WHERE queue = ANY(:queues) AND state = 'queued' AND waiting_reason IS NULL"
)


def _seconds_until_due(queues: Sequence[str]) -> float | None:
    """Negative for what is due already; None when nothing waits for its time."""
    with unit_of_work(SYSTEM) as session:
        due_at = session.execute(_DUE, {"queues": list(queues)}).scalar_one()
    return None if due_at is None else float((due_at - clock.now()).total_seconds())


def _run_batch(jobs: Sequence[ClaimedJob]) -> None:
    leases.hold(jobs)
    waiting, kept = deque(jobs), _Kept()
    end = time.monotonic() + _BATCH_SECONDS
    try:
        while waiting and (len(waiting) == len(jobs) or time.monotonic() < end):
            _run(waiting.popleft(), kept)
    finally:
        kept.write()
        leases.let_go(jobs)
        if waiting:
            _give_back(waiting)


class _Kept:
    """Successes of a batch that have nothing else to commit, written by one statement.

    That is at the batch's end, or earlier by a timer. Killed before, their jobs run again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._successes: list[tuple[Success, float]] = []
        self._timer: threading.Timer | None = None

    def add(self, success: Success, seconds: float) -> None:
        """Keep the success of a run that took so long."""
        with self._lock:
            self._successes.append((success, seconds))
            if len(self._successes) == 1:
                self._timer = threading.Timer(_KEEP_SECONDS, self.write)
                self._timer.daemon = True
                self._timer.start()

    def write(self) -> None:
        """Write what is kept; afterwards nobody is writing any more. Never raises an ordinary exception."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            kept, self._successes = self._successes, []
            if kept:
                states = _complete([success for success, _ in kept])
                for success, seconds in kept:
                    _close(success.job, states[success.job.id], seconds)


def _complete(successes: Sequence[Success]) -> dict[UUID, str]:
    """Record successes; returns the states that the jobs, or their lost runs, are in."""
    try:
        with brief_work() as session:
            completed = complete_together(session, successes)
    except Exception as error:
        first, *others = successes
        if not others:
            return {first.job.id: _record_failure(first.job, error)}
        # One has a result that cannot be stored, or its row is locked: that shall not harm the others.
        return {job_id: state for each in successes for job_id, state in _complete([each]).items()}
    stale = [success.job for success in successes if success.job.id not in completed]
    for job in stale:
        log.warning("job_run_stale", job_id=str(job.id), task=job.task)
    return dict.fromkeys(completed, JobState.SUCCEEDED.value) | {job.id: "lost" for job in stale}


def _give_back(jobs: Sequence[ClaimedJob]) -> None:
    with unit_of_work(SYSTEM) as session:
        for job in jobs:
            give_back(session, job)
    wakeups.send(jobs[0].queue)


def _run(job: ClaimedJob, kept: _Kept) -> None:
    started = time.monotonic()
    left: list[Success] = []
    marker = left_successes.set(left)
    try:
        with structlog.contextvars.bound_contextvars(**_ids(job)), continued(job.traceparent):
            state = _outcome(job)
    finally:
        left_successes.reset(marker)
    seconds = time.monotonic() - started
    if left:
        kept.add(left[0], seconds)
    else:
        _close(job, state, seconds)


def _ids(job: ClaimedJob) -> dict[str, str]:
    """What stands on every line of a job's log."""
    found = {"job_id": str(job.id), "task": job.task, "vendor_id": str(job.vendor_id)}
    came_of = {"request_id": job.request_id, "trace_id": trace_id_of(job.traceparent)}
    return found | {name: value for name, value in came_of.items() if value is not None}


def _close(job: ClaimedJob, state: str, seconds: float) -> None:
    leases.let_go([job])
    count_job(job.task, state, seconds)


def _outcome(job: ClaimedJob) -> str:
    """Run a job and see to it that its end is recorded or left; returns its state.

    Never raises an ordinary exception.
    """
    try:
        if job.task == CANARY:
            come_through(job)
        else:
            framework().execute(job)
        return JobState.SUCCEEDED
    except JobHeldError as error:
        held = (error.code, error.message)
        return _record(job, lambda session: mark_cancelled(session, job, *held), JobState.CANCELLED)
    except JobCancelledError:
        return _record(job, lambda session: mark_cancelled(session, job), JobState.CANCELLED)
    except StaleRunError as error:
        log.warning("job_run_stale", reason=str(error))
        return "lost"
    except Exception as error:
        return _record_failure(job, error)


def _record_failure(job: ClaimedJob, error: Exception) -> str:
    failure = Failure.of(error)
    if isinstance(error, AppError):
        log.info("job_refused", job_id=str(job.id), code=error.code, reason=str(error))
    else:
        log.exception(
            "job_failed",
            job_id=str(job.id),
            code=failure.code,
            digest=failure.digest,
            attempt=job.attempt,
        )
    return _record(job, lambda session: fail(session, job, failure), JobState.FAILED)


def _record(job: ClaimedJob, write: Callable[[Session], str | None], state: str) -> str:
    try:
        with independent_write(SYSTEM) as session:
            return write(session) or state
    except StaleRunError as error:
        log.warning("job_run_stale", reason=str(error))
    except Exception:
        log.exception(
            "job_end_not_recorded", job_id=str(job.id)
        )  # the reaper ends the run when its lease is over
    return "lost"
