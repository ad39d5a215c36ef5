"""Background work of the marketplace as the operator looks at it: what kind, whose, how much at once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.modules.pagekit.job_view import ACTIVE
from app.modules.tenancy.facade import vendor_names
from app.tasks.models import Job, JobState

WORK_PREFIX = "mjb"
_MODULE, _TASKS = "marketplace", "app.modules.marketplace.tasks"
KINDS: Mapping[str, Sequence[str]] = {
    "import": (f"{_TASKS}.import_tasks.",),
    "history": (f"{_TASKS}.letzshop.process_historical_import",),
    "sync": (f"{_TASKS}.channels.sync_connection",),
    "act": (f"{_TASKS}.channels.send_act",),
    "export": (f"{_TASKS}.export.",),
    "push": (f"{_TASKS}.feed_push.",),
    "directory": (f"{_TASKS}.letzshop.sync_vendor_directory", f"{_TASKS}.directory."),
}
OTHER = "other"
_VENDORS = vendor_names()
_LISTED = (
    *("id", "task", "vendor_id", "state", "waiting_reason", "phase", "progress_done", "progress_total"),
    *("error_code", "created_at", "started_at", "finished_at"),
)


def select_jobs() -> Select[Any]:
    """The marketplace's jobs that the session may see, with the vendor's code."""
    columns = [getattr(Job, name) for name in _LISTED]
    found = select(*columns, _VENDORS.c.code.label("vendor"), _VENDORS.c.name.label("vendor_name"))
    return found.outerjoin(_VENDORS, _VENDORS.c.id == Job.vendor_id).where(Job.module == _MODULE)


def kind_of(task: str) -> str:
    """What a task is about: a key of ``KINDS``, or ``other``."""
    return next((kind for kind, starts in KINDS.items() if task.startswith(tuple(starts))), OTHER)


def of_kinds(kinds: Sequence[str]) -> ColumnElement[bool]:
    """Jobs of these kinds."""
    starts = [start for kind in kinds for start in KINDS.get(kind, ())]
    return or_(*(Job.task.startswith(start, autoescape=True) for start in starts), Job.id.is_(None))


def of_vendor(values: Sequence[str]) -> ColumnElement[bool]:
    """Of the vendor with this code."""
    return Job.vendor_id.in_(select(_VENDORS.c.id).where(_VENDORS.c.code == values[0].strip().upper()))


def with_company(session: Session, rows: Sequence[Row[Any]]) -> Sequence[Any]:
    """Each row with what else of its vendor's runs and waits at this moment."""
    lanes = {row.vendor_id for row in rows if row.state in ACTIVE}
    counts = count_active(session, lanes)
    return [
        SimpleNamespace(
            **row._mapping,
            running=counts[row.vendor_id, JobState.RUNNING.value] if row.vendor_id in lanes else None,
            queued=counts[row.vendor_id, JobState.QUEUED.value] if row.vendor_id in lanes else None,
        )
        for row in rows
    ]


def count_active(session: Session, vendors: set[UUID | None]) -> Counter[tuple[UUID | None, str]]:
    """How many jobs of the marketplace run and wait, by vendor (None: the platform's) and state."""
    if not vendors:
        return Counter()
    of_them = or_(Job.vendor_id.in_([one for one in vendors if one]), Job.vendor_id.is_(None))
    found = session.execute(
        select(Job.vendor_id, Job.state, func.count())
        .where(Job.module == _MODULE, Job.state.in_(ACTIVE), of_them)
        .group_by(Job.vendor_id, Job.state)
    )
    return Counter({(vendor, state): count for vendor, state, count in found})


def get_job(session: Session, job_id: UUID) -> Job:
    """One of them. Raises NotFoundError."""
    found = session.get(Job, job_id)
    if found is None or found.module != _MODULE:
        raise NotFoundError
    return found
