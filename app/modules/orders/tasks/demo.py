"""Orders for the demo vendors."""

from celery import shared_task

from app.modules.orders.services import demo_service
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform")
def place_demo_orders(self: ModuleTask, tries: int) -> dict[str, int]:
    """Place the demo's orders; returns how many. A second run places none."""
    with self.get_db() as session:
        return {"placed": demo_service.place_demo_orders(session, tries)}
