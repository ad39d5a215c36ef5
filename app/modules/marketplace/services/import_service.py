"""Imports as people see them: starting one, looking at them, starting again, cancelling."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, or_, select, update
from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.database import ScopedSession, TenantScope
from app.core.errors import AppError
from app.core.http_guard import check_url
from app.core.ids import new_id, to_public
from app.core.storage import get_storage
from app.modules.marketplace.enums import ErrorPolicy, SourceKind
from app.modules.marketplace.exceptions import FeedGuardError, ImportNotFoundError
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.services import feed_service
from app.modules.marketplace.services.feed_file_service import storage_key
from app.modules.marketplace.services.import_guard import find_losses
from app.modules.tenancy.facade import record_audit
from app.tasks import ledger
from app.tasks.dispatcher import dispatch
from app.tasks.models import Job

_TASK = "app.modules.marketplace.tasks.import_tasks.process_marketplace_import"
ORDERING_KEY = "marketplace.import"  # one import or export of a vendor at a time
_MAX_NAME = 200
LIST_ROWS = 50
IMPORT_PREFIX = "imp"
OUTCOMES = ("queued", "running", "succeeded", "with_errors", "failed", "cancelled", "forgotten")
OUTCOME = case(
    (Job.id.is_(None), "forgotten"),
    (and_(Job.state == "succeeded", FeedImport.failed > 0), "with_errors"),
    else_=Job.state,
)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What is asked for. With ``content`` the file is stored at once, else it is fetched from ``url`` by the job.

    Without ``feed_id`` it is the first feed of the language, which is made when there is none. ``is_confirmed``: what
    the guard objects to was looked at.
    """

    language: str
    policy: ErrorPolicy = ErrorPolicy.SKIP_BAD_ROWS
    is_dry_run: bool = False
    source_name: str = ""
    content: BinaryIO | Path | None = None
    url: str | None = None
    feed_id: UUID | None = None
    is_confirmed: bool = False


class ImportWithJob(NamedTuple):
    """An import and the record of its work; no job when that was pruned."""

    row: FeedImport
    job: Job | None


def start_import(session: Session, request: ImportRequest, *, user_id: UUID | None = None) -> FeedImport:
    """Store the file or check the address, and queue the import in the caller's transaction.

    Raises UrlRefusedError for an address that is never called, and TooLargeError.
    """
    import_id, vendor_id = new_id(), _vendor_id(session)
    if request.feed_id:
        feed = feed_service.get_feed(session, request.feed_id)
    else:
        feed = feed_service.feed_of_language(session, vendor_id, request.language)
    row = FeedImport(
        id=import_id,
        vendor_id=vendor_id,
        feed_id=feed.id,
        source_kind=SourceKind.UPLOAD if request.content else SourceKind.URL,
        source_name=(request.source_name or request.url or "")[-_MAX_NAME:],
        url=None if request.content else str(check_url(request.url or "", get_settings())),
        language=feed.language,
        policy=request.policy,
        is_dry_run=request.is_dry_run,
        is_confirmed=request.is_confirmed,
        created_by=user_id,
    )
    if request.content:
        row.storage_key = storage_key(row.vendor_id, import_id)
        get_storage(get_settings()).save(row.storage_key, request.content)
    elif feed.url is None:
        feed.url = row.url
    return _queue(session, row)


def repeat_import(
    session: Session,
    import_id: UUID,
    *,
    user_id: UUID | None,
    is_dry_run: bool | None = None,
    is_confirmed: bool = False,
) -> FeedImport:
    """Import the same file, or fetch the same address, once more in the same way.

    With ``is_dry_run`` or ``is_confirmed`` (what the guard objects to was looked at) it is the file that was fetched
    already.
    """
    former = get_import(session, import_id).row
    copied = ("vendor_id", "feed_id", "source_kind", "source_name", "url", "language", "policy", "is_dry_run")
    row = FeedImport(id=new_id(), created_by=user_id, **{name: getattr(former, name) for name in copied})
    is_same_file = is_confirmed or is_dry_run is not None
    if former.source_kind == SourceKind.UPLOAD or is_same_file:
        row.storage_key, row.etag, row.last_modified = former.storage_key, former.etag, former.last_modified
    if is_dry_run is not None:
        row.is_dry_run = is_dry_run
    row.is_confirmed = is_confirmed
    return _queue(session, row)


def cancel_import(session: Session, import_id: UUID) -> None:
    """Stop an import: at once while it waits, after the current part of the file while it runs."""
    row, job = get_import(session, import_id)
    if job is not None:
        ledger.cancel(session, job.id)
        _audit(session, row, "marketplace.import_cancelled")


def get_import(session: Session, import_id: UUID) -> ImportWithJob:
    """One import. Raises ImportNotFoundError."""
    found = session.execute(_with_job().where(FeedImport.id == import_id)).one_or_none()
    if found is None:
        raise ImportNotFoundError
    return ImportWithJob(*found)


def outcome_of(found: ImportWithJob) -> str:
    """What became of an import, in one word of OUTCOMES."""
    row, job = found
    if job is None:
        return "forgotten"
    return "with_errors" if job.state == "succeeded" and row.failed else job.state


def list_imports(
    session: Session, *, limit: int = LIST_ROWS, before: UUID | None = None, feed_id: UUID | None = None
) -> Sequence[ImportWithJob]:
    """The newest imports (older than ``before``), of all feeds or of one."""
    statement = _with_job().order_by(FeedImport.id.desc()).limit(limit)
    if feed_id is not None:
        statement = statement.where(FeedImport.feed_id == feed_id)
    if before is not None:
        statement = statement.where(FeedImport.id < before)
    return [ImportWithJob(*row) for row in session.execute(statement)]


def select_imports() -> Any:
    """All imports, with what became of each in one word: the job's state, or finer."""
    imports = select(
        FeedImport.id,
        FeedImport.source_name,
        FeedImport.source_kind,
        FeedImport.language,
        FeedImport.is_dry_run,
        FeedImport.rows,
        FeedImport.created,
        FeedImport.updated,
        FeedImport.unchanged,
        FeedImport.failed,
        FeedImport.seconds,
        FeedImport.created_at,
        Feed.name.label("feed_name"),
        OUTCOME.label("outcome"),
    )
    return imports.join(Feed, Feed.id == FeedImport.feed_id).outerjoin(Job, Job.id == FeedImport.job_id)


def matching(words: str) -> ColumnElement[bool]:
    """Imports whose file or address holds the words."""
    return or_(
        FeedImport.source_name.icontains(words, autoescape=True),
        FeedImport.url.icontains(words, autoescape=True),
    )


def check_losses(
    session: Session, row: FeedImport, now: Mapping[str, Any], *, keeps_blanks: bool
) -> list[dict[str, Any]]:
    """What the guard objects to, comparing ``rows`` and ``column_fill`` with the import before.

    Raises FeedGuardError, but not for a trial, nor when that was confirmed.
    """
    feed = feed_service.get_feed(session, row.feed_id)
    before = session.get(FeedImport, feed.last_import_id) if feed.last_import_id else None
    if before is None:
        return []
    known = {"rows": before.rows, "column_fill": before.column_fill}
    findings = find_losses(known, now, keeps_blanks=keeps_blanks)
    if findings and not row.is_confirmed and not row.is_dry_run:
        raise FeedGuardError(findings)
    return findings


def note(session: Session, import_id: UUID, **values: Any) -> None:
    """Write what a run found out about its import."""
    session.execute(update(FeedImport).where(FeedImport.id == import_id).values(**values))


def note_counts(
    session: Session, import_id: UUID, counts: Any, column_fill: Mapping[str, int], seconds: float
) -> None:
    """Write how far a run is."""
    names = ("rows", "created", "updated", "unchanged", "excluded", "failed", "missing")
    values = {name: getattr(counts, name) for name in names}
    note(session, import_id, **values, column_fill=dict(column_fill), seconds=seconds)


def note_problem(session: Session, import_id: UUID, error: AppError) -> None:
    """Keep what stopped an import, so that pages can say it in the reader's language."""
    params = {
        name: value if isinstance(value, int | str) else str(value) for name, value in error.params.items()
    }
    found: dict[str, Any] = {"problem": {"code": error.code, "params": params, "detail": error.detail}}
    if isinstance(error, FeedGuardError):
        found["findings"] = error.findings
    note(session, import_id, **found)


def _queue(session: Session, row: FeedImport) -> FeedImport:
    session.add(row)
    session.flush()
    job = dispatch(
        session,
        _TASK,
        kwargs={"import_id": row.id},
        vendor_id=row.vendor_id,
        ordering_key=ORDERING_KEY,
        cause="user" if row.created_by else None,
        created_by=row.created_by,
    )
    row.job_id = job.id
    session.flush()
    if row.created_by:
        _audit(session, row, "marketplace.import_started", source=row.source_name, language=row.language)
    return row


def _audit(session: Session, row: FeedImport, action: str, **details: Any) -> None:
    target = to_public(IMPORT_PREFIX, row.id)
    record_audit(session, action, vendor_id=row.vendor_id, target=target, **details)


def _with_job() -> Any:
    return select(FeedImport, Job).outerjoin(Job, Job.id == FeedImport.job_id)


def _vendor_id(session: Session) -> UUID:
    assert isinstance(session, ScopedSession)
    assert isinstance(session.scope, TenantScope)
    return session.scope.vendor_id
