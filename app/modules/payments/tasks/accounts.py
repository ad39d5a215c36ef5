"""Looking at accounts of providers."""

from uuid import UUID

from celery import shared_task

from app.modules.payments.services import account_edit_service
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=3, time_limit_seconds=120.0)
def check_account(self: ModuleTask, account_id: str) -> dict[str, str]:
    """Whether an account can be used; the answer stands at the account."""
    key = UUID(account_id)
    with self.get_db() as session:
        gateway = account_edit_service.prepare_check(session, key)
        self.checkpoint(None, 0, 1)  # no transaction is open during the call
        result = account_edit_service.check(gateway)
        account_edit_service.record_check(session, key, result)
    return {"outcome": result.outcome}
