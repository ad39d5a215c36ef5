"""Exports that people ask for: one file in one language, made by a job, kept to be downloaded."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, case, select
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


class ExportWithJob(NamedTuple):
    """An export and the record of its work; no job when that was pruned."""

    row: FeedExport
    job: Job | None


def start_export(
    session: Session, *, vendor_id: UUID, vendor_code: str, language: str, user_id: UUID | None
) -> FeedExport:
    """Queue an export in the caller's transaction; it begins when the vendor's imports asked for before are done."""
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
    ).id
    session.flush()
    record_audit(
        session,
        "marketplace.export_started",
        vendor_id=vendor_id,
        target=to_public(EXPORT_PREFIX, row.id),
        language=language,
    )
    return row


def write_export(session: Session, export_id: UUID) -> Iterator[Progress]:
    """Write the file and keep it, whole or not at all; yields as it goes."""
    row = get_export(session, export_id).row
    key = f"marketplace/{row.vendor_id}/{row.id}-export.tsv"
    with TemporaryDirectory(prefix="wizamart-export-") as folder:
        target = Path(folder) / "feed"
        for progress in export_products(session, language=row.language, target=target):
            row.rows = progress.done
            yield progress
        stored = get_storage(get_settings()).save(key, target)
    row.storage_key, row.bytes = key, stored.bytes
    session.flush()


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

    Needs the system scope. The records stay and say that the file is gone.
    """
    old = session.execute(
        select(FeedExport.vendor_id, FeedExport.id)
        .where(
            FeedExport.created_at < clock.now() - timedelta(days=days), FeedExport.storage_key.is_not(None)
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
    """All exports, with what became of each."""
    outcome = case((Job.id.is_(None), "forgotten"), else_=Job.state)
    return select(
        FeedExport.id,
        FeedExport.file_name,
        FeedExport.language,
        FeedExport.rows,
        FeedExport.bytes,
        FeedExport.created_at,
        outcome.label("outcome"),
    ).outerjoin(Job, Job.id == FeedExport.job_id)
