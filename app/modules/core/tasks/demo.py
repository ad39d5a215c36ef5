"""Demo data."""

from celery import shared_task

from app.modules.core.services.demo_service import make_records
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform")
def make_demo_records(self: ModuleTask) -> dict[str, int]:
    """Make the demo's records of this module where there are none yet; says at how many places."""
    with self.get_db() as session:
        return {"made": make_records(session)}
