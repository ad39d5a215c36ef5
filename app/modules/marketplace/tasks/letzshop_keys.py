"""Sealing the keys of Letzshop again, after the platform's encryption key has changed."""

from celery import shared_task

from app.modules.marketplace.services import letzshop_credentials_service
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform")
def reseal_keys(self: ModuleTask) -> dict[str, int]:
    """Seal keys under the current encryption key that an older one sealed; returns how many."""
    with self.get_db() as session:
        return {"resealed": letzshop_credentials_service.reseal_keys(session)}
