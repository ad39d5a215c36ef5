"""Counting wishes."""

from app.modules.wishlist.models.wish import Wish
from celery import shared_task
from sqlalchemy import func, select

from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform")
def count_wishes(self: ModuleTask) -> dict[str, int]:
    """How many wishes there are."""
    with self.get_db() as session:
        return {"wishes": session.scalar(select(func.count()).select_from(Wish)) or 0}
