"""Removing files that nobody needs any more."""

from celery import shared_task

from app.modules.core.facade import read_setting
from app.modules.marketplace.services import feed_export_service, undo_service
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform")
def remove_old_exports(self: ModuleTask) -> dict[str, int]:
    """Remove the files of exports that are older than the setting says; returns how many. The records stay."""
    removed = 0
    with self.get_db() as session:
        days = int(read_setting(session, feed_export_service.DAYS))
        while gone := feed_export_service.remove_old_files(session, days):
            removed += gone
            self.checkpoint(None, removed)
    return {"removed": removed}


@shared_task(base=ModuleTask, bind=True, scope="platform")
def forget_changes(self: ModuleTask) -> dict[str, int]:
    """Forget what imports changed that can no longer be undone; returns how many rows."""
    removed = 0
    with self.get_db() as session:
        while gone := undo_service.forget_old_changes(session):
            removed += gone
            self.checkpoint(None, removed)
    return {"removed": removed}
