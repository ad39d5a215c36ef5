"""Notifications by e-mail."""

from uuid import UUID

from celery import shared_task

from app.modules.core.services import email_service
from app.modules.mailing import send_mail
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=5)
def send_notification_email(self: ModuleTask, notification_id: str) -> dict[str, bool]:
    """Mail one notification to the person it is for."""
    with self.get_db() as session:
        mail = email_service.compose(session, UUID(notification_id))
        if mail is not None:
            send_mail(self, session, mail)
    return {"sent": mail is not None}
