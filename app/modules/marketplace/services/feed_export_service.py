"""Exports: one file in one language, made by a job, compared with the one before, kept and sent."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, case, select, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.database import TenantScope, acting_in
from app.core.errors import NotFoundError
from app.core.ids import new_id, to_public
from app.core.storage import get_storage
from app.modules.core.contracts import Setting
from app.modules.marketplace.exceptions import ExportNotFoundError
from app.modules.marketplace.models.feed_export import FeedExport
from app.modules.marketplace.services.export_diff import Differences, compare_files
from app.modules.marketplace.services.export_sending_service import (
    IS_SENT_LAST,
    find_sent,
    is_in_folder,
    put_in_folder,
    send,
)
from app.modules.marketplace.services.export_service import Progress, export_file_name, export_products
from app.modules.marketplace.services.import_service import ORDERING_KEY
from app.modules.tenancy.facade import record_audit
from app.tasks import ledger
from app.tasks.dispatcher import dispatch
from app.tasks.models import Job

EXPORT_PREFIX = "exp"
DAYS = "marketplace.export_days"
_REMOVE_BATCH = 200
_TASK = "app.modules.marketplace.tasks.export.export_feed"
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
# How an export that is written ended; the rest is the state of its job.
OUTCOME = case(
    (and_(FeedExport.sent_at.is_(None), FeedExport.findings.is_not(None)), "held"),
    (and_(FeedExport.sent_at.is_(None), FeedExport.sha256.is_not(None)), "unchanged"),
    (Job.id.is_(None), "forgotten"),
    else_=Job.state,
)


class ExportWithJob(NamedTuple):
    """An export and the record of its work; no job when that was pruned."""

    row: FeedExport
    job: Job | None


def start_export(
    session: Session,
    *,
    vendor_id: UUID,
    vendor_code: str,
    language: str,
    user_id: UUID | None,
    parent_id: UUID | None = None,
) -> FeedExport:
    """Queue an export in the caller's transaction; it begins when the vendor's imports asked for before are done.

    ``parent_id``: the job that it is part of.
    """
    row = FeedExport(
        id=new_id(),
        vendor_id=vendor_id,
        language=language,
        file_name=export_file_name(vendor_code, language),
        created_by=user_id,
    )
    session.add(row)
    session.flush()
    row.job_id = dispatch(
        session,
        _TASK,
        kwargs={"export_id": row.id},
        vendor_id=vendor_id,
        ordering_key=ORDERING_KEY,
        cause="user" if user_id else None,
        created_by=user_id,
        parent_id=parent_id,
    ).id
    session.flush()
    if user_id:
        target = to_public(EXPORT_PREFIX, row.id)
        record_audit(
            session, "marketplace.export_started", vendor_id=vendor_id, target=target, language=language
        )
    return row


def write_export(session: Session, export_id: UUID) -> Iterator[Progress]:
    """Write the file, compare it with the one that was sent last, and keep it; send it unless the guard objects.

    Yields as it goes. Raises ConfigurationError when the folder of the installation cannot be written.
    """
    row = get_export(session, export_id).row
    # Two at once could send the older one last.
    session.execute(_LOCK, {"key": f"marketplace.export:{row.vendor_id}:{row.language}"})
    with TemporaryDirectory(prefix="wizamart-export-") as folder:
        target = Path(folder) / "feed"
        for progress in export_products(session, language=row.language, target=target):
            row.rows, row.excluded = progress.rows, progress.excluded
            yield progress
        _conclude(session, row, target)
    session.flush()


def _conclude(session: Session, row: FeedExport, target: Path) -> None:
    with target.open("rb") as file:
        row.sha256 = hashlib.file_digest(file, "sha256").digest()
    row.bytes = target.stat().st_size
    found = compare_with_sent(session, row.language, target)
    row.differences, row.findings = found.stored(), found.losses() or None
    sent = find_sent(session, row.language)
    is_unchanged = sent is not None and sent.sha256 == row.sha256 and file_of(sent) is not None
    if not is_unchanged or row.created_by:  # who asks for a file gets one
        row.storage_key = f"marketplace/{row.vendor_id}/{row.id}-export.tsv"
        get_storage(get_settings()).save(row.storage_key, target)
    if sent is not None and is_unchanged:
        if not is_in_folder(sent):
            put_in_folder(sent)
    elif not row.findings:
        send(session, row)


def compare_with_sent(session: Session, language: str, target: Path) -> Differences:
    """How a file differs from the one that was sent last in this language; without one all is new."""
    sent = find_sent(session, language)
    return compare_files(file_of(sent) if sent else None, target)


def sending_of(row: FeedExport) -> Literal["sent", "held", "unchanged"]:
    """What became of the file of an export that is written."""
    if row.sent_at is not None:
        return "sent"
    return "held" if row.findings else "unchanged"


def outcome_of(found: ExportWithJob) -> str:
    """What became of an export, in one word: the job's state, or finer (held, unchanged)."""
    row, job = found
    if job is not None and job.state != "succeeded":
        return job.state
    if row.sha256 is None:
        return job.state if job else "forgotten"
    sending = sending_of(row)
    return "succeeded" if sending == "sent" else sending


def has_held_twin(session: Session, row: FeedExport) -> bool:
    """Whether an export before has the same file and was held, too."""
    same = select(FeedExport.id).where(
        FeedExport.language == row.language,
        FeedExport.sha256 == row.sha256,
        FeedExport.findings.is_not(None),
        FeedExport.id != row.id,
    )
    return session.scalar(same.limit(1)) is not None


def cancel_export(session: Session, export_id: UUID) -> None:
    """Stop an export."""
    row, job = get_export(session, export_id)
    if job is not None:
        ledger.cancel(session, job.id)
        target = to_public(EXPORT_PREFIX, row.id)
        record_audit(session, "marketplace.export_cancelled", vendor_id=row.vendor_id, target=target)


def get_export(session: Session, export_id: UUID) -> ExportWithJob:
    """One export. Raises ExportNotFoundError."""
    statement = select(FeedExport, Job).outerjoin(Job, Job.id == FeedExport.job_id)
    found = session.execute(statement.where(FeedExport.id == export_id)).one_or_none()
    if found is None:
        raise ExportNotFoundError
    return ExportWithJob(*found)


def file_of(row: FeedExport) -> Path | None:
    """Where the file can be read; None while there is none, and once it was removed."""
    if row.storage_key is None:
        return None
    try:
        return get_storage(get_settings()).path(row.storage_key)
    except NotFoundError:
        return None


def settings() -> Sequence[Setting]:
    """How long files of exports are kept."""
    return (
        Setting(
            DAYS,
            "number",
            30,
            "marketplace.settings.export_days",
            "marketplace.settings.export_days_hint",
            area="admin",
            minimum=1,
            maximum=730,
        ),
    )


def remove_old_files(session: Session, days: int) -> int:
    """Remove the files of exports of all vendors that are older than so many days, in parts; returns how many.

    Needs the system scope. The records stay and say that the file is gone; the files sent last stay.
    """
    old = session.execute(
        select(FeedExport.vendor_id, FeedExport.id)
        .where(
            FeedExport.created_at < clock.now() - timedelta(days=days),
            FeedExport.storage_key.is_not(None),
            ~IS_SENT_LAST,
        )
        .order_by(FeedExport.vendor_id)
        .limit(_REMOVE_BATCH)
    ).all()
    storage = get_storage(get_settings())
    for vendor_id, rows in groupby(old, key=lambda row: row.vendor_id):
        with acting_in(session, TenantScope(vendor_id)):
            for found in rows:
                row = session.get_one(FeedExport, found.id)
                if row.storage_key:
                    storage.delete(row.storage_key)
                row.storage_key = None
    return len(old)


def select_exports() -> Select[Any]:
    """All exports, with what became of each in one word: the job's state, or finer (held, unchanged)."""
    return select(
        FeedExport.id,
        FeedExport.file_name,
        FeedExport.language,
        FeedExport.rows,
        FeedExport.bytes,
        FeedExport.created_at,
        FeedExport.excluded,
        FeedExport.sent_at,
        OUTCOME.label("outcome"),
    ).outerjoin(Job, Job.id == FeedExport.job_id)
