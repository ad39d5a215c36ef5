"""Stock for vendors of the demo."""

from datetime import timedelta

from celery import shared_task

from app.core import clock
from app.modules.inventory.services.demo_service import stock_demo
from app.modules.setup import is_demo_underway
from app.modules.task_base import ModuleTask
from app.tasks.dispatcher import dispatch

_TASK = "app.modules.inventory.tasks.demo.stock_demo_vendors"
_WAIT_SECONDS, _MOST_LOOKS = 2, 30


@shared_task(base=ModuleTask, bind=True, scope="platform")
def stock_demo_vendors(self: ModuleTask, looks: int = 0) -> dict[str, bool]:
    """Put goods into the demo vendors' warehouses once their products are there; returns ``{"done": bool}``."""
    with self.get_db() as session:
        is_done = stock_demo(session)
        if not is_done and looks < _MOST_LOOKS and is_demo_underway(session):
            later = clock.now() + timedelta(seconds=_WAIT_SECONDS)
            dispatch(session, _TASK, kwargs={"looks": looks + 1}, run_after=later)
        return {"done": is_done}
