"""Issuing documents, and a month's archive of them."""

from uuid import UUID

from celery import shared_task

from app.modules.mailing import send_mail
from app.modules.orders.services import (
    document_export_service,
    document_issue_service,
    document_mail_service,
    document_round_service,
)
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=900.0)
def issue_documents(self: ModuleTask, document_ids: str) -> dict[str, int]:
    """Issue drafts (ids divided by commas); returns how many were issued, and how many the rules refused."""
    ids = [UUID(one) for one in document_ids.split(",")]
    with self.get_db() as session:
        self.report(0, len(ids), phase="checking")
        outcome = document_issue_service.issue(session, ids)
        document_round_service.credit_open_refunds(session, ids)
        return {"issued": outcome.issued, "refused": outcome.refused}


@shared_task(base=ModuleTask, bind=True, scope="vendor", in_read_only=False)
def mail_document(self: ModuleTask, document_id: str) -> dict[str, int]:
    """Send an issued document to its buyer; returns how many mails went out."""
    key = UUID(document_id)
    with self.get_db() as session:
        send_mail(self, session, document_mail_service.write(session, key))
        document_mail_service.note_sent(session, key, self.job.created_by)
        return {"mails": 1}


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=3600.0)
def write_archive(self: ModuleTask, document_export_id: str) -> dict[str, int]:
    """Write the archive of a month; returns how many documents are in it."""
    total = 0
    with self.get_db() as session:
        for done, total in document_export_service.write_archive(session, UUID(document_export_id)):
            self.report(done, total, phase="exporting")
    return {"documents": total}
