"""Handling what providers send."""

from typing import Any
from uuid import UUID

from celery import shared_task

from app.modules.payments.services import webhook_service
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=8, time_limit_seconds=180.0)
def process_webhook(self: ModuleTask, webhook_id: str) -> dict[str, Any]:
    """Read again what one message is about and let its handlers write; their work and the mark are one transaction."""
    key = UUID(webhook_id)
    with self.get_db() as session:
        reading = webhook_service.prepare(session, key)
        if reading is None:
            return {"processed": False}
        try:
            self.checkpoint(None, 0, 1)  # no transaction is open during the calls
            fetched = reading.fetch()
            done = webhook_service.apply(session, key, reading, fetched)
        except Exception as error:
            self.discard()
            webhook_service.note_failure(session, key, error)
            self.checkpoint(None, 0, 1)
            raise
    return {"processed": done, "handlers": len(reading.handlers)}
