"""Telling buyers that their withdrawal has arrived."""

from uuid import UUID

from celery import shared_task

from app.modules.mailing import send_mail
from app.modules.orders.services import withdrawal_mail_service
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="vendor")
def mail_receipt(self: ModuleTask, withdrawal_id: str) -> dict[str, int]:
    """Send the buyer the receipt of a withdrawal; how many mails went out."""
    key = UUID(withdrawal_id)
    with self.get_db() as session:
        mail = withdrawal_mail_service.write(session, key)
        if mail is None:
            return {"mails": 0}
        send_mail(self, session, mail)
        withdrawal_mail_service.note_sent(session, key)
        return {"mails": 1}
