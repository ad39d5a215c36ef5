"""What has to be done every night."""

from celery import shared_task

from app.modules.core.facade import read_setting
from app.modules.payments.services import payment_service, secret_service, webhook_service
from app.modules.payments.services.setting_service import WEBHOOK_DAYS
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform")
def delete_old_webhooks(self: ModuleTask) -> dict[str, int]:
    """Remove messages of providers that were handled long ago; returns how many."""
    removed = 0
    with self.get_db() as session:
        days = int(read_setting(session, WEBHOOK_DAYS))
        while gone := webhook_service.delete_processed(session, days):
            removed += gone
            self.checkpoint(None, removed)
    return {"removed": removed}


@shared_task(base=ModuleTask, bind=True, scope="platform")
def ask_about_open_payments(self: ModuleTask) -> dict[str, int]:
    """Ask Stripe about payments it has said nothing about for a while: a message may be lost; returns how many."""
    with self.get_db() as session:
        return {"asked": payment_service.ask_about_open(session)}


@shared_task(base=ModuleTask, bind=True, scope="platform")
def reseal_secrets(self: ModuleTask) -> dict[str, int]:
    """Seal credentials under the current key that an older one sealed; returns how many."""
    with self.get_db() as session:
        return {"resealed": secret_service.reseal_secrets(session)}
