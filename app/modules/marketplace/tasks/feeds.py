"""Fetching feeds at their times."""

from celery import shared_task

from app.modules.marketplace.services import feed_schedule_service
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform")
def import_due_feeds(self: ModuleTask) -> dict[str, int]:
    """Start the imports of the feeds whose time has come, each a job of its vendor's; returns how many."""
    started = looked = 0
    with self.get_db() as session:
        for due in feed_schedule_service.list_due(session):
            started += feed_schedule_service.start_due(session, due)
            looked += 1
            self.checkpoint(None, looked)
    return {"started": started}
