"""Forgetting answers that were stored for requests sent twice."""

from celery import shared_task

from app.modules import idempotency
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform")
def delete_stored_answers(self: ModuleTask) -> dict[str, int]:
    """Remove answers that are older than a day; returns ``{"deleted": n}``."""
    with self.get_db() as session:
        return {"deleted": idempotency.delete_old(session)}
