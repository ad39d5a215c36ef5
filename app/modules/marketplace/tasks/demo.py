"""Goods for the demo vendors."""

from celery import shared_task

from app.modules.marketplace.services.demo_service import start_demo_imports
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform")
def import_demo_feeds(self: ModuleTask) -> dict[str, int]:
    """Start the demo's imports; returns ``{"started": n}``. A second run starts none."""
    with self.get_db() as session:
        return {"started": start_demo_imports(session)}
