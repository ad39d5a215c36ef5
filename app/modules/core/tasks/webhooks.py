"""Sending messages to webhook endpoints."""

from typing import Any
from uuid import UUID

from celery import shared_task

from app.modules.core.adapters import webhook_http
from app.modules.core.services import webhook_delivery_service
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=10, time_limit_seconds=120.0)
def send_webhook(self: ModuleTask, delivery_id: str) -> dict[str, Any]:
    """One try to deliver one message; the next one is a job of its own. A worker that dies lets it be tried again."""
    key = UUID(delivery_id)
    with self.get_db() as session:
        message = webhook_delivery_service.prepare(session, key, self.job.id)
        if message is None:
            return {"sent": False}
        self.checkpoint(None, 0, 1)  # no transaction is open during the call
        outcome = webhook_http.post(message.url, message.headers, message.body)
        state = webhook_delivery_service.record(session, key, self.job.id, outcome)
    return {"sent": True, "state": state, "status": outcome.status}
