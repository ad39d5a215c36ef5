"""Imports as people see them: starting one, looking at them, starting again, cancelling."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, or_, select, update
from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.database import ScopedSession, TenantScope
from app.core.errors import AppError
from app.core.http_client import fetch_to_file
from app.core.http_guard import check_url
from app.core.ids import new_id, to_public
from app.core.storage import get_storage
from app.modules.marketplace.enums import ErrorPolicy, SourceKind
from app.modules.marketplace.exceptions import ImportNotFoundError
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.services import feed_settings_service
from app.modules.tenancy.facade import record_audit
from app.tasks import ledger
from app.tasks.dispatcher import dispatch
from app.tasks.models import Job

_TASK = "app.modules.marketplace.tasks.import_tasks.process_marketplace_import"
ORDERING_KEY = "marketplace.import"  # one import or export of a vendor at a time
_FETCH_SECONDS = 600.0
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
    """What is asked for. With ``content`` the file is stored at once, else it is fetched from ``url`` by the job."""

    language: str
    policy: ErrorPolicy = ErrorPolicy.SKIP_BAD_ROWS
    is_dry_run: bool = False
    source_name: str = ""
    content: BinaryIO | Path | None = None
    url: str | None = None


class ImportWithJob(NamedTuple):
    """An import and the record of its work; no job when that was pruned."""

    row: FeedImport
    job: Job | None


def start_import(session: Session, request: ImportRequest, *, user_id: UUID | None = None) -> FeedImport:
    """Store the file or check the address, and queue the import in the caller's transaction.

    Raises UrlRefusedError for an address that is never called, and TooLargeError.
    """
    import_id = new_id()
    row = FeedImport(
        id=import_id,
        vendor_id=_vendor_id(session),
        source_kind=SourceKind.UPLOAD if request.content else SourceKind.URL,
        source_name=(request.source_name or request.url or "")[-_MAX_NAME:],
        url=None if request.content else str(check_url(request.url or "", get_settings())),
        language=request.language,
        policy=request.policy,
        is_dry_run=request.is_dry_run,
        created_by=user_id,
    )
    if request.content:
        row.storage_key = storage_key(row.vendor_id, import_id)
        get_storage(get_settings()).save(row.storage_key, request.content)
    else:
        feed_settings_service.remember_url(session, request.language, row.url or "")
    return _queue(session, row)


def repeat_import(session: Session, import_id: UUID, *, user_id: UUID | None) -> FeedImport:
    """Import the same file, or fetch the same address, once more in the same way."""
    former = get_import(session, import_id).row
    copied = ("vendor_id", "source_kind", "source_name", "url", "language", "policy", "is_dry_run")
    row = FeedImport(id=new_id(), created_by=user_id, **{name: getattr(former, name) for name in copied})
    if former.source_kind == SourceKind.UPLOAD:
        row.storage_key = former.storage_key
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


def list_imports(
    session: Session, *, limit: int = LIST_ROWS, before: UUID | None = None
) -> Sequence[ImportWithJob]:
    """The newest imports (older than ``before``)."""
    statement = _with_job().order_by(FeedImport.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(FeedImport.id < before)
    return [ImportWithJob(*row) for row in session.execute(statement)]


def select_imports() -> Any:
    """All imports, with what became of each in one word: the job's state, or finer."""
    return select(
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
        OUTCOME.label("outcome"),
    ).outerjoin(Job, Job.id == FeedImport.job_id)


def matching(words: str) -> ColumnElement[bool]:
    """Imports whose file or address holds the words."""
    return or_(
        FeedImport.source_name.icontains(words, autoescape=True),
        FeedImport.url.icontains(words, autoescape=True),
    )


def fetch_source(import_id: UUID, vendor_id: UUID, url: str) -> str:
    """Fetch a feed into the store; its key. Called with no transaction open.

    Raises UrlRefusedError, FetchFailedError and TooLargeError.
    """
    settings = get_settings()
    key = storage_key(vendor_id, import_id)
    with TemporaryDirectory(prefix="wizamart-feed-") as folder:
        target = Path(folder) / "feed"
        fetch_to_file(url, target, max_bytes=settings.max_upload_bytes, total_seconds=_FETCH_SECONDS)
        get_storage(settings).save(key, target)
    return key


def note(session: Session, import_id: UUID, **values: Any) -> None:
    """Write what a run found out about its import."""
    session.execute(update(FeedImport).where(FeedImport.id == import_id).values(**values))


def note_problem(session: Session, import_id: UUID, error: AppError) -> None:
    """Keep what stopped an import, so that pages can say it in the reader's language."""
    params = {
        name: value if isinstance(value, int | str) else str(value) for name, value in error.params.items()
    }
    note(session, import_id, problem={"code": error.code, "params": params, "detail": error.detail})


def storage_key(vendor_id: UUID, import_id: UUID) -> str:
    """Where the file of an import is stored."""
    return f"marketplace/{vendor_id}/{import_id}.feed"


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
