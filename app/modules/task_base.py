"""The base of all tasks: between Celery, which knows tasks by name, and the ledger, which runs jobs.

``delay()``, ``apply_async()`` and a message from outside only ever make a job. The runner calls ``execute`` with a
job that it claimed; there, and nowhere else outside the unit of work, a transaction is committed.
"""

import inspect
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, Literal, Unpack
from uuid import UUID

from celery import Task, current_app
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, SessionTransaction

from app.core.database import (
    SYSTEM,
    ScopedSession,
    SystemScope,
    TenantScope,
    engine,
    run_after_commit,
    unit_of_work,
)
from app.modules.gates import ReadOnlyError, find_closed
from app.modules.registry import owner_of
from app.modules.state import refresh
from app.modules.tasks import cron_of, discover_module_tasks, queue_of, scheduled_tasks
from app.modules.texts import load_texts
from app.tasks import leases, ledger
from app.tasks.dispatcher import dispatch
from app.tasks.errors import (
    JobCancelledError,
    JobHeldError,
    MissingTenantError,
    TimeLimitError,
    UnknownTaskError,
)
from app.tasks.ledger import JobOptions, JobRef, Progress, Success
from app.tasks.ports import ClaimedJob, Schedule, TaskInfo

# Longer, and what a run did outside of the database is recorded at once: it would be done again after a kill.
_QUICK_SECONDS = 0.02


class _JobSession(ScopedSession):
    """A job's session; the job's lease knows in which session of the database it works."""

    def __init__(self, job: ClaimedJob) -> None:
        super().__init__(engine(), _scope(job.vendor_id))
        self.job = job


@event.listens_for(_JobSession, "after_begin")
def _note_session(session: _JobSession, _transaction: SessionTransaction, connection: Connection) -> None:
    leases.note_session(session.job, connection.info["backend_pid"])


@dataclass(slots=True)
class _Run:
    job: ClaimedJob
    opened: _JobSession | None = None

    @property
    def session(self) -> _JobSession:
        """The job's session, made when it is first asked for: a run without has nothing to commit."""
        if self.opened is None:
            self.opened = _JobSession(self.job)
        return self.opened

    def commit(self) -> None:
        """Commit what was done so far and send what waited for that."""
        self.session.commit()
        run_after_commit(self.session)

    def rollback(self) -> None:
        """Undo what was done since the last commit, and send nothing of it."""
        if self.opened is not None:
            self.opened.rollback()
            self.opened.after_commit_calls.clear()

    def close(self) -> None:
        """Give the connection back."""
        if self.opened is not None:
            self.opened.close()


_current: ContextVar[_Run] = ContextVar("current_job_run")


class ModuleTask(Task):  # type: ignore[misc]
    """A task of a module: ``@shared_task(base=ModuleTask, bind=True, scope=…)``.

    ``scope``: a "vendor" task works for one vendor and sees its rows only; a "platform" task works for the
    operator. A parameter named ``vendor_id`` gets the job's vendor as text. The return value is kept as the job's
    result and must be JSON. ``in_read_only`` False: while the vendor's subscription has ended, its jobs are not begun
    but end cancelled.
    Raise an AppError to refuse for good; UnavailableError, RateLimitedError, ConfigurationError and all that is no
    AppError are tried again up to ``max_attempts``.
    """

    abstract = True
    scope: Literal["vendor", "platform"] = "vendor"
    max_attempts: int = 3
    time_limit_seconds: float = 600.0
    in_read_only: bool = True

    @property
    def job(self) -> ClaimedJob:
        """The job that is running, as it was claimed: id, vendor_id, checkpoint, attempt, created_by."""
        return _current.get().job

    @contextmanager
    def get_db(self) -> Iterator[Session]:
        """The job's session, always the same. Its work is committed at a checkpoint and at the task's end only."""
        yield _current.get().session

    def checkpoint(
        self,
        cursor: Any,
        done: int,
        total: int | None = None,
        phase: str | None = None,
        message: str | None = None,
    ) -> None:
        """Commit the work since the last checkpoint together with ``cursor`` (JSON: where to go on after a crash).

        Raises JobCancelledError when a cancel was asked for (the work up to here stays), StaleRunError when the job
        was given to another worker (it does not). No transaction is open afterwards.
        """
        run = _current.get()
        is_cancelled = ledger.write_checkpoint(
            run.session, run.job, cursor, Progress(done, total, phase, message)
        )
        run.commit()
        if is_cancelled:
            raise JobCancelledError

    def report(self, done: int, total: int | None = None, phase: str | None = None) -> None:
        """Show progress at once, committing nothing of the job's own work. Raises as ``checkpoint`` does."""
        run = _current.get()
        with unit_of_work(_scope(run.session.job.vendor_id)) as session:
            is_cancelled = ledger.write_progress(session, run.job, Progress(done, total, phase))
        if is_cancelled:
            raise JobCancelledError

    def discard(self) -> None:
        """Undo the work since the last checkpoint: for dry runs."""
        _current.get().rollback()

    @cached_property
    def parameters(self) -> inspect.Signature:
        """What the task's function takes."""
        return inspect.signature(self.run)

    def apply_async(
        self,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        session: Session | None = None,
        **options: Unpack[JobOptions],
    ) -> JobRef:
        """Make a job, in the transaction of ``session`` or in one of its own.

        For a vendor's task the argument ``vendor_id`` says for which vendor. Raises as ``dispatch`` does.
        """
        arguments = self.named_arguments(args, kwargs or {})
        vendor_id = _vendor(self.name, arguments.pop("vendor_id", None)) if self.scope == "vendor" else None
        if session is not None:
            return dispatch(session, self.name, kwargs=arguments, vendor_id=vendor_id, **options)
        with unit_of_work(_scope(vendor_id)) as own:
            return dispatch(own, self.name, kwargs=arguments, vendor_id=vendor_id, **options)

    def delay(self, *args: Any, **kwargs: Any) -> JobRef:
        """Make a job with these arguments."""
        return self.apply_async(args, kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        """A message with the task's name came from outside: it becomes a job; returns its id."""
        return str(self.apply_async(args, kwargs, cause="message").id)

    def named_arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments by name; TypeError when they do not fit the task's parameters."""
        parameters = self.parameters
        if self.scope == "vendor" and not args and "vendor_id" not in kwargs:
            raise MissingTenantError(f"{self.name} works for one vendor: say vendor_id.")
        if self.scope == "vendor" and "vendor_id" not in parameters.parameters:
            rest = {name: value for name, value in kwargs.items() if name != "vendor_id"}
            vendor = {name: value for name, value in kwargs.items() if name == "vendor_id"}
            return {**parameters.bind(*args, **rest).arguments, **vendor}
        return dict(parameters.bind(*args, **kwargs).arguments)


def _scope(vendor_id: UUID | None) -> TenantScope | SystemScope:
    return TenantScope(vendor_id) if vendor_id else SYSTEM


def _vendor(task_name: str, value: Any) -> UUID:
    try:
        return value if isinstance(value, UUID) else UUID(str(value))
    except ValueError:
        raise MissingTenantError(f"{task_name} works for one vendor: say vendor_id, not {value!r}.") from None


def find_task(name: str) -> TaskInfo:
    """What the ledger must know of a task; its file is imported when it was not yet. Raises UnknownTaskError."""
    task = _task(name)
    return TaskInfo(
        name=name,
        module=owner_of(task.run.__module__),
        scope=task.scope,
        queue=queue_of(name),
        max_attempts=task.max_attempts,
        time_limit_seconds=task.time_limit_seconds,
    )


def task_names() -> list[str]:
    """Names of all tasks of the installed modules."""
    for file in discover_module_tasks():
        import_module(file)
    return sorted(name for name, task in current_app.tasks.items() if isinstance(task, ModuleTask))


def schedules() -> list[Schedule]:
    """All schedules as the ledger makes ticks of them."""
    return [
        Schedule(
            name=entry.name,
            task=entry.task,
            cron=cron_of(entry.schedule),
            kwargs=_task(entry.task).named_arguments(entry.args, entry.kwargs)
            if entry.args
            else entry.kwargs,
            catch_up=entry.catch_up.value,
            overlap=entry.overlap.value,
        )
        for entry in scheduled_tasks().values()
    ]


def _task(name: str) -> ModuleTask:
    file = name.rpartition(".")[0]
    if name not in current_app.tasks and file in discover_module_tasks():
        import_module(file)
    task = current_app.tasks.get(name)
    if not isinstance(task, ModuleTask):
        raise UnknownTaskError(f"No installed module has a task {name!r}.")
    return task


def execute(job: ClaimedJob) -> None:
    """Run a claimed job; the last of its work and its completion are one commit. Raises what the task raises.

    A quick run that never asked for its session has nothing to commit: its success is left to the runner, if that
    takes it.
    """
    refresh()
    load_texts()
    task = _task(job.task)
    run = _Run(job)
    leases.begin(job, task.time_limit_seconds)
    started = time.monotonic()
    marker = _current.set(run)
    try:
        _require_open(task, run)
        with _time_limit(task.time_limit_seconds):
            result = task.run(**_arguments(task, job))
        left = ledger.left_successes.get()
        if left is not None and _has_nothing_to_commit(run, started):
            left.append(Success.of(job, result))
        else:
            ledger.complete(run.session, job, result)
            run.commit()
    except BaseException:
        run.rollback()
        raise
    finally:
        _current.reset(marker)
        run.close()


def _require_open(task: ModuleTask, run: _Run) -> None:
    if task.in_read_only or run.job.vendor_id is None or find_closed(run.session, run.job.vendor_id) is None:
        return
    raise JobHeldError(
        ReadOnlyError.code,
        "The vendor's subscription has ended: nothing of it is changed. Choose a plan first.",
    )


def _has_nothing_to_commit(run: _Run, started: float) -> bool:
    is_quick = time.monotonic() - started < _QUICK_SECONDS
    return run.opened is None and is_quick and run.job.ordering_key is None


def _arguments(task: ModuleTask, job: ClaimedJob) -> dict[str, Any]:
    if task.scope == "vendor" and "vendor_id" in task.parameters.parameters:
        return {**job.args, "vendor_id": str(job.vendor_id)}
    return job.args


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeLimitError in the block after ``seconds``. Only a process's main thread can be interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: object) -> None:
        raise TimeLimitError(f"The run took longer than {seconds:g} s.")

    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
