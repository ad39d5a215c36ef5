"""Jobs of the ledger, for the operator: the list, one job with all that belongs to it, retry and cancel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Select, literal_column, or_, select, true
from sqlalchemy.orm import Session

from app.core.errors import AppError
from app.core.ids import from_public, to_public
from app.modules.pagekit.lists import BulkOutcome
from app.modules.registry import modules
from app.modules.task_base import task_names
from app.modules.tenancy.facade import record_audit, user_names, vendor_names
from app.tasks import ledger
from app.tasks.canary import CANARY
from app.tasks.errors import JobNotFoundError
from app.tasks.models import Delivery, Job, JobRun, JobState, Waiting
from app.tasks.wakeups import wake_after_commit

JOB_PREFIX = "job"
MANAGE = "monitoring.jobs.manage"
WAITING = {"order": Waiting.ORDER.value, "module_off": Waiting.MODULE_OFF.value}
MOST_CHILDREN = 50
_VENDORS = vendor_names()
_LISTED = (
    "id",
    "task",
    "module",
    "queue",
    "vendor_id",
    "state",
    "waiting_reason",
    "phase",
    "progress_done",
    "progress_total",
    "attempts",
    "max_attempts",
    "cause",
    "error_code",
    "created_at",
    "started_at",
    "finished_at",
)


def select_jobs() -> Select[Any]:
    """All jobs but canaries, with the vendor's code."""
    columns = [getattr(Job, name) for name in _LISTED]
    found = select(*columns, _VENDORS.c.code.label("vendor"))
    return found.outerjoin(_VENDORS, _VENDORS.c.id == Job.vendor_id).where(Job.task != CANARY)


def matching(words: str) -> ColumnElement[bool]:
    """The job with this id, as people or as the command line write it; else those of tasks whose name has the words."""
    key = key_of(words)
    return Job.id == key if key else of_task([words])


def of_task(values: Sequence[str]) -> ColumnElement[bool]:
    """Of the installed tasks whose name holds the words, or of the one that is gone with exactly this name.

    Names are compared here: a table with a hundred thousand jobs has a few dozen of them.
    """
    words = values[0]
    found = [name for name in task_names() if words.casefold() in name.casefold()]
    return Job.task.in_([words, *found] if "." in words else found)


def key_of(words: str) -> UUID | None:
    """The id that a text is, if it is one of a job."""
    key = from_public(JOB_PREFIX, words)
    if key is None and len(words) in (32, 36):
        try:
            key = UUID(words)
        except ValueError:
            return None
    return key


def public_id_of(job_id: UUID) -> str:
    """As it stands in addresses."""
    return to_public(JOB_PREFIX, job_id)


# As the ledger's partial indexes have it, with literals, so that the planner sees that they cover it.
_HELD = {
    "order": "jobs.state = 'queued' AND jobs.waiting_reason = 'order' AND jobs.ordering_key IS NOT NULL",
    "module_off": "jobs.state = 'queued' AND jobs.waiting_reason = 'module off'",
}
_CLAIMABLE = "jobs.state = 'queued' AND jobs.waiting_reason IS NULL"


def in_states(values: Sequence[str]) -> ColumnElement[bool]:
    """In one of the states. Unfinished ones are few: they are found by partial indexes and open runs."""
    chosen: list[ColumnElement[bool]] = []
    for value in values:
        if value == JobState.QUEUED:
            chosen += [_literally(condition) for condition in (_CLAIMABLE, *_HELD.values())]
        elif value == JobState.RUNNING:
            open_runs = select(JobRun.job_id).where(JobRun.ended_at.is_(None))
            chosen.append((Job.state == JobState.RUNNING) & Job.id.in_(open_runs))
        else:
            chosen.append(Job.state == value)
    return or_(*chosen)


def waiting_for(values: Sequence[str]) -> ColumnElement[bool]:
    """Queued jobs that are passed over for one of the reasons (keys of WAITING)."""
    return or_(*(_literally(_HELD[value]) for value in values))


def _literally(condition: str) -> ColumnElement[bool]:
    return literal_column(f"({condition})", Boolean())


def of_vendor(values: Sequence[str]) -> ColumnElement[bool]:
    """Of the vendor with this code."""
    code = values[0].upper()
    return Job.vendor_id == select(_VENDORS.c.id).where(_VENDORS.c.code == code).scalar_subquery()


def since(values: Sequence[str]) -> ColumnElement[bool]:
    """Made on a day (UTC) or later."""
    return Job.created_at >= _midnight(date.fromisoformat(values[0]))


def until(values: Sequence[str]) -> ColumnElement[bool]:
    """Made on a day (UTC) or earlier."""
    day = date.fromisoformat(values[0])
    return Job.created_at < _midnight(day + timedelta(days=1)) if day < date.max else true()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def short_name(task: str) -> str:
    """The task's function, without the path that the module's column says."""
    return task.rpartition(".")[2]


def module_name(code: str) -> str:
    """The name of a module; the code of one that is gone, or of a part of the platform that is no module."""
    found = modules().get(code)
    return found.name if found else code


@dataclass(frozen=True, slots=True)
class JobDetail:
    """A job with its vendor's code and the name of who made it, its runs, the event it delivers, the job that it is
    part of, and its own parts."""

    job: Job
    vendor: str | None
    created_by: str | None
    runs: Sequence[JobRun]
    delivery: Delivery | None
    parent: Job | None
    children: Sequence[Job]


def get_job(session: Session, job_id: UUID) -> JobDetail:
    """One job that the session may see. Raises JobNotFoundError."""
    job = session.get(Job, job_id)
    if job is None:
        raise JobNotFoundError
    runs = select(JobRun).where(JobRun.job_id == job_id).order_by(JobRun.token.desc())
    children = select(Job).where(Job.parent_id == job_id).order_by(Job.id).limit(MOST_CHILDREN)
    names = user_names(session, [job.created_by] if job.created_by else [])
    return JobDetail(
        job=job,
        vendor=session.scalar(select(_VENDORS.c.code).where(_VENDORS.c.id == job.vendor_id)),
        created_by=names.get(job.created_by) if job.created_by else None,
        runs=session.scalars(runs).all(),
        delivery=session.scalar(select(Delivery).where(Delivery.job_id == job_id)),
        parent=session.get(Job, job.parent_id) if job.parent_id else None,
        children=session.scalars(children).all(),
    )


def retry_job(session: Session, job_id: UUID) -> None:
    """Queue a failed or cancelled job again. Raises JobNotFoundError, JobStateError."""
    wake_after_commit(session, ledger.replay(session, job_id))
    _record(session, "monitoring.job_retried", job_id)


def cancel_job(session: Session, job_id: UUID) -> str:
    """Stop a job: at once while it waits, at its next checkpoint while it runs; the state it is in now.

    Raises JobNotFoundError, and JobStateError for a job that has ended.
    """
    state = ledger.cancel(session, job_id)
    _record(session, "monitoring.job_cancelled", job_id)
    return state


def retry_jobs(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    """Queue those again that failed or were cancelled."""
    return _each(session, ids, retry_job)


def cancel_jobs(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    """Stop those that have not ended."""
    return _each(session, ids, cancel_job)


def _each(session: Session, ids: Sequence[UUID], act: Callable[[Session, UUID], object]) -> BulkOutcome:
    failed: dict[UUID, str] = {}
    for job_id in ids:
        try:
            act(session, job_id)
        except AppError as error:
            failed[job_id] = error.message_key
    return BulkOutcome(len(ids) - len(failed), failed)


def _record(session: Session, action: str, job_id: UUID) -> None:
    row = session.execute(select(Job.vendor_id, Job.task).where(Job.id == job_id)).one()
    target = public_id_of(job_id)
    record_audit(session, action, vendor_id=row.vendor_id, target=target, task=row.task)
