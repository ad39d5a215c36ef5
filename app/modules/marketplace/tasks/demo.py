"""Goods and marketplaces for the demo vendors."""

from celery import shared_task

from app.modules.marketplace.services import channel_demo_service
from app.modules.marketplace.services.demo_service import start_demo_imports
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform")
def import_demo_feeds(self: ModuleTask) -> dict[str, int]:
    """Start the demo's imports; returns ``{"started": n}``. A second run starts none."""
    with self.get_db() as session:
        return {"started": start_demo_imports(session)}


@shared_task(base=ModuleTask, bind=True, scope="platform")
def connect_demo_vendors(self: ModuleTask, tries: int) -> dict[str, int]:
    """Connect the demo's vendors to marketplaces; returns ``{"connected": n}``. A second run connects none."""
    with self.get_db() as session:
        return {"connected": channel_demo_service.connect_demo_vendors(session, tries)}
