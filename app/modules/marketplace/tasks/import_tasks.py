"""Importing a feed in the background."""

from contextlib import closing
from typing import Any
from uuid import UUID

from celery import shared_task
from sqlalchemy.orm import Session

from app.core.errors import AppError
from app.modules.marketplace.exceptions import RowsFailedError
from app.modules.marketplace.services import (
    feed_problem_service,
    feed_push_service,
    import_service,
    notice_service,
    trial_service,
    undo_service,
)
from app.modules.marketplace.services.import_run import ImportRun
from app.modules.task_base import ModuleTask

_TIME_LIMIT_SECONDS = 6 * 3600.0


@shared_task(
    base=ModuleTask,
    bind=True,
    scope="vendor",
    time_limit_seconds=_TIME_LIMIT_SECONDS,
    in_read_only=False,
)
def process_marketplace_import(self: ModuleTask, import_id: str) -> dict[str, Any]:
    """Import one feed; returns its counts. Goes on after a crash where the last part was committed."""
    key = UUID(import_id)
    with self.get_db() as session:
        try:
            with closing(ImportRun(session, key, self.job.checkpoint)) as run:
                result = _import(self, session, run)
            notice_service.tell_import_ended(session, key, "succeeded")
            return result
        except AppError as error:
            self.discard()
            import_service.note_problem(session, key, error)
            notice_service.tell_import_ended(session, key, "failed")
            self.checkpoint(None, 0)
            raise


def _import(task: ModuleTask, session: Session, run: ImportRun) -> dict[str, Any]:
    if run.row.storage_key is None and not _fetch(task, session, run):
        return run.stay()
    task.checkpoint(run.cursor, 0, phase="preparing")
    run.open()
    task.checkpoint(run.cursor, *run.progress, phase=run.next_phase)
    for _ in run.steps():
        if run.is_atomic:
            task.report(*run.progress, phase=run.phase)
        else:
            task.checkpoint(run.cursor, *run.progress, phase=run.phase)
    differences = trial_service.first_differences(session, run.row.id) if run.row.is_dry_run else None
    if run.must_discard:
        task.discard()
    result = run.finish()
    if not run.row.is_dry_run:
        feed_push_service.note_changed(session)
    import_service.note(session, run.row.id, differences=differences)
    if run.is_refused:
        task.checkpoint(None, *run.progress)
        raise RowsFailedError(failed=run.counts.failed, rows=run.counts.rows)
    return result


def _fetch(task: ModuleTask, session: Session, run: ImportRun) -> bool:
    task.checkpoint(None, 0, phase="fetching")  # no transaction is open during the call
    try:
        is_new = run.fetch()
    except AppError as error:
        feed_problem_service.report_download(session, run.row.id, error)
        task.checkpoint(None, 0)
        raise
    feed_problem_service.clear_download(session, run.row.id)
    return is_new


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=_TIME_LIMIT_SECONDS)
def undo_import(self: ModuleTask, import_id: str) -> dict[str, int]:
    """Put back what an import changed; returns how many rows. Goes on after a crash where it was."""
    done = 0
    with self.get_db() as session:
        total = undo_service.count_rows(session, UUID(import_id))
        for done in undo_service.undo_import(session, UUID(import_id)):
            self.checkpoint(None, done, total, phase="undoing")
        feed_push_service.note_changed(session)
    return {"rows": done}
