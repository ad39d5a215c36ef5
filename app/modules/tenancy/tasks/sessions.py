"""Keeping the table of sessions small."""

from typing import Any

from celery import shared_task

from app.core.database import IdentityScope, acting_in
from app.modules.task_base import ModuleTask
from app.modules.tenancy.services import session_service


@shared_task(base=ModuleTask, bind=True, scope="platform")
def delete_ended_sessions(self: ModuleTask) -> dict[str, Any]:
    """Remove sessions that have ended; returns ``{"deleted": n}``."""
    with self.get_db() as session, acting_in(session, IdentityScope()):
        return {"deleted": session_service.delete_ended_sessions(session)}
