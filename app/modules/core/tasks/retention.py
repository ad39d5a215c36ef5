"""Removing what is older than the settings say."""

from collections.abc import Callable

from celery import shared_task
from sqlalchemy.orm import Session

from app.modules.core.services import (
    list_job_service,
    notification_service,
    problem_service,
    setting_service,
    webhook_delivery_service,
)
from app.modules.task_base import ModuleTask

_DELETES: dict[str, tuple[str, Callable[[Session, int], int]]] = {
    "notifications": ("core.notification_days", notification_service.delete_old),
    "webhook_deliveries": ("core.webhook_log_days", webhook_delivery_service.delete_old),
    "problems": ("core.notification_days", problem_service.delete_old),
    "list_jobs": ("core.export_days", list_job_service.delete_old),
}


@shared_task(base=ModuleTask, bind=True, scope="platform")
def delete_old_records(self: ModuleTask) -> dict[str, int]:
    """Notifications, the log of webhooks, problems that are over, and files of exports; how many of each."""
    counts = dict.fromkeys(_DELETES, 0)
    for name, (setting, delete) in _DELETES.items():
        with self.get_db() as session:
            days = int(setting_service.read_setting(session, setting))
            while removed := delete(session, days):
                counts[name] += removed
                self.checkpoint(None, sum(counts.values()))
    return counts
