"""Work on more rows of a list than one request does: starting it, doing it part by part, and its file."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.database import PlatformScope, ScopedSession, acting_in
from app.core.errors import ForbiddenError
from app.core.ids import new_id, to_public
from app.core.storage import get_storage
from app.modules.core.contracts import Notice
from app.modules.core.enums import ListJobKind
from app.modules.core.exceptions import ListJobNotFoundError
from app.modules.core.models.list_job import ListJob, Problem
from app.modules.core.services import notification_service
from app.modules.core.services.reach_service import own_rows, vendor_of
from app.modules.gates import require_open
from app.modules.menu import page_url
from app.modules.pagekit import list_query
from app.modules.pagekit.list_csv import csv_lines
from app.modules.pagekit.list_page import apply_bulk, find_bulk, find_list, parse_state, seen_list
from app.modules.pagekit.list_parts import with_parts
from app.modules.pagekit.list_state import ListState, parse_query
from app.modules.pagekit.lists import BulkOutcome, ListSpec
from app.modules.pages import PageContext
from app.modules.tenancy.facade import find_vendor, record_audit
from app.tasks import ledger
from app.tasks.dispatcher import dispatch
from app.tasks.models import Job

LIST_JOB_PREFIX = "ljb"
CHUNK = 500
NAMED_ROWS = 100  # of those that an action left out for one reason
_TASK = "app.modules.core.tasks.lists.run_list_job"
_DELETE_BATCH = 200


class ListJobWithJob(NamedTuple):
    """An export or bulk action and the record of its work; no job when that was pruned."""

    row: ListJob
    job: Job | None


class ListWork:
    """The core module's answer to lists that have too many rows for one request."""

    @staticmethod
    def start_export(ctx: PageContext, page_id: str, query: str) -> str:
        """Write the rows of ``query`` to a file; the address of the job's page."""
        return _start(ctx, page_id, query, kind=ListJobKind.EXPORT)

    @staticmethod
    def start_bulk(ctx: PageContext, page_id: str, action: str, query: str, ids: Sequence[UUID]) -> str:
        """Do a bulk action with ``ids`` or, where there are none, with all rows of ``query``; the job's page."""
        chosen = find_bulk(seen_list(ctx, find_list(page_id)), action)
        if chosen.permission not in ctx.who.permissions:
            raise ForbiddenError
        return _start(ctx, page_id, query, kind=ListJobKind.BULK, action=action, ids=list(ids) or None)


def _start(ctx: PageContext, page_id: str, query: str, **what: Any) -> str:
    spec = seen_list(ctx, find_list(page_id))
    state = parse_state(ctx, spec, parse_query(query))
    row = ListJob(
        id=new_id(),
        vendor_id=vendor_of(ctx.session),
        area=ctx.area,
        page_id=page_id,
        query=state.to_query(spec),
        language=ctx.language,
        reach=_reach(ctx.session),
        created_by=ctx.who.user_id,
        **what,
    )
    queue_list_job(ctx.session, row)
    # Not what was searched for: that may be a person's name, and the log outlives people.
    noted = replace(state, query="").to_query(spec)
    details = {"page": page_id, "query": noted, "bulk_action": row.action}
    record_audit(
        ctx.session,
        f"core.list_{row.kind}_started",
        vendor_id=row.vendor_id,
        actor_id=row.created_by,
        target=to_public(LIST_JOB_PREFIX, row.id),
        **details,
    )
    return path_of(row)


def queue_list_job(session: Session, row: ListJob) -> None:
    """Store what is to be done, with a job that does it."""
    with own_rows(session):
        session.add(row)
        session.flush()
        row.job_id = dispatch(
            session,
            _TASK,
            kwargs={"list_job_id": row.id},
            vendor_id=row.vendor_id,
            cause="user",
            created_by=row.created_by,
        ).id
        session.flush()


def path_of(row: ListJob) -> str:
    """The address of the job's page."""
    public = to_public(LIST_JOB_PREFIX, row.id)
    if row.area == "admin" or row.vendor_id is None:
        return page_url("core.admin.list_job", list_job_id=public)
    vendor = find_vendor(vendor_id=row.vendor_id)
    return page_url("core.vendor.list_job", vendor_code=vendor.code if vendor else "", list_job_id=public)


def get_list_job(session: Session, user_id: UUID, list_job_id: UUID) -> ListJobWithJob:
    """An export or bulk action that the scope sees, or one's own. Raises ListJobNotFoundError."""
    statement = select(ListJob, Job).outerjoin(Job, Job.id == ListJob.job_id).where(ListJob.id == list_job_id)
    found = session.execute(statement).one_or_none()
    if found is None:
        own = statement.where(ListJob.vendor_id.is_(None), ListJob.created_by == user_id)
        with own_rows(session):
            found = session.execute(own).one_or_none()
    if found is None:
        raise ListJobNotFoundError
    return ListJobWithJob(*found)


def cancel_list_job(session: Session, user_id: UUID, list_job_id: UUID) -> None:
    """Stop it: at once while it waits, after the current part while it runs. What is done stays done."""
    row, job = get_list_job(session, user_id, list_job_id)
    if row.vendor_id != vendor_of(session):
        raise ListJobNotFoundError
    if job is not None:
        with own_rows(session):
            ledger.cancel(session, job.id)


def file_of(row: ListJob) -> Path | None:
    """Where the export's file is; None when there is none, or no more."""
    storage = get_storage(get_settings())
    if row.storage_key is None or not storage.exists(row.storage_key):
        return None
    return storage.path(row.storage_key)


@dataclass(slots=True)
class Part:
    """How far the work is."""

    done: int
    total: int
    cursor: dict[str, int] | None = None


class ListRun:
    """One attempt at an export or bulk action, in the job's session."""

    def __init__(self, session: Session, list_job_id: UUID, checkpoint: dict[str, int] | None) -> None:
        self._session = session
        self.row = session.get_one(ListJob, list_job_id)
        self._spec = with_parts(find_list(self.row.page_id), None)
        self._state = _state(self._spec, self.row.query)
        self.cursor = checkpoint  # what is committed

    def export(self) -> Iterator[Part]:
        """Write the file, part by part; it is stored as a whole at the end."""
        with tempfile.NamedTemporaryFile(prefix="wizamart-export-") as file:
            yield from self._write(file)
            file.flush()
            key = f"core/exports/{self.row.id}.csv"
            get_storage(get_settings()).save(key, Path(file.name))
        self.row.storage_key = key
        self.row.file_name = f"{self.row.page_id.replace('.', '-')}-{clock.now():%Y-%m-%d}.csv"
        self._session.flush()

    def _write(self, file: Any) -> Iterator[Part]:
        read = 0

        def chunks() -> Iterator[Sequence[Any]]:
            nonlocal read
            for rows in list_query.read_all(self._session, self._spec, self._state, self.row.language):
                read += len(rows)
                yield rows

        with self._reach():
            matching = self._matching()
            total = list_query.count(self._session, self._spec, matching)
            for lines in csv_lines(self._spec, self._state, chunks(), self.row.language):
                file.write(lines.encode())
                yield Part(read, max(total, read))
        self.row.done = read

    def act(self) -> Iterator[Part]:
        """Do the bulk action, a part at a time; the caller commits each with its cursor."""
        action = find_bulk(self._spec, self.row.action or "")
        if self.row.vendor_id and not action.in_read_only:
            require_open(self._session, self.row.vendor_id)
        if self.row.ids is None:
            with self._reach():
                keys = self._matching().with_only_columns(self._spec.key).order_by(self._spec.key)
                self.row.ids = list(self._session.scalars(keys))
            self._session.flush()
        ids = self.row.ids
        start = self.cursor["position"] if self.cursor else 0
        for position in range(start, len(ids), CHUNK):
            with self._reach():
                chunk, who = ids[position : position + CHUNK], (self.row.created_by, self.row.language)
                outcome = apply_bulk(self._session, self._spec, action, chunk, who)
            reached = min(position + CHUNK, len(ids))
            self._note(outcome)
            yield Part(reached, len(ids), {"position": reached})

    def finish(self, state: str) -> dict[str, Any]:
        """Tell the person who started it; the job's result."""
        title = f"core.list_jobs.{self.row.kind}_{state}"
        notification_service.notify_job_ended(
            self._session,
            Notice("", "info", title, {"done": self.row.done}, url=path_of(self.row)),
            state,
            user_id=self.row.created_by,
            vendor_id=self.row.vendor_id,
        )
        return {"done": self.row.done, "failed": self.row.failed}

    def _matching(self) -> Any:
        rows = self._spec.select(self._session, self.row.language)
        return list_query.narrowed(self._spec, rows, self._state)

    def _note(self, outcome: BulkOutcome) -> None:
        self.row.done += outcome.done
        self.row.failed += len(outcome.failed)
        problems: dict[str, Problem] = {key: {**found} for key, found in self.row.problems.items()}
        for row_id, key in outcome.failed.items():
            problem = problems.setdefault(key, {"count": 0, "ids": []})
            problem["count"] += 1
            if problem["count"] <= NAMED_ROWS:
                problem["ids"] = [*problem["ids"], str(row_id)]
        self.row.problems = problems
        self._session.flush()

    @contextmanager
    def _reach(self) -> Iterator[None]:
        """Only what the person saw who asked for it."""
        if self.row.reach is None:
            yield
            return
        kept = {name: tuple(UUID(key) for key in keys) for name, keys in self.row.reach.items()}
        with acting_in(self._session, PlatformScope(**kept)):
            yield


def delete_old(session: Session, days: int) -> int:
    """Remove exports and bulk actions that are older than so many days, with their files, in parts; how many."""
    before = clock.now() - timedelta(days=days)
    old = session.scalars(select(ListJob).where(ListJob.created_at < before).limit(_DELETE_BATCH)).all()
    storage = get_storage(get_settings())
    for row in old:
        if row.storage_key:
            storage.delete(row.storage_key)
        session.delete(row)
    session.flush()
    return len(old)


def _state(spec: ListSpec, query: str) -> ListState:
    """The state of a query that was checked when it was stored."""
    items = parse_query(query)
    given: dict[str, list[str]] = {}
    for name, value in items:
        given.setdefault(name, []).append(value)
    return ListState.parse(spec, items, given)


def _reach(session: Session) -> dict[str, list[str]] | None:
    assert isinstance(session, ScopedSession)
    scope = session.scope
    if not isinstance(scope, PlatformScope):
        return None
    kept = {
        "platform_ids": scope.platform_ids,
        "vendor_ids": scope.vendor_ids,
        "company_ids": scope.company_ids,
    }
    return {name: [str(key) for key in keys] for name, keys in kept.items()}
