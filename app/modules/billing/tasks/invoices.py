"""Mails of invoices. A mail may come twice after a crash, never not at all."""

from uuid import UUID

from celery import shared_task

from app.modules.billing.services import invoice_mail_service, invoice_service
from app.modules.mailing import send_mail
from app.modules.task_base import ModuleTask
from app.modules.tenancy.facade import find_vendor


@shared_task(base=ModuleTask, bind=True, scope="vendor", max_attempts=8)
def send_invoice(self: ModuleTask, vendor_id: str, invoice_id: str, user_id: str) -> None:
    """Mail an invoice to one person, unless they have left meanwhile."""
    vendor = find_vendor(vendor_id=UUID(vendor_id))
    with self.get_db() as session:
        invoice = invoice_service.get_invoice(session, UUID(invoice_id))
        reader = invoice_mail_service.find_reader(session, UUID(vendor_id), UUID(user_id))
        if vendor is None or reader is None:
            return
        send_mail(self, session, invoice_mail_service.write(invoice, vendor, reader))
