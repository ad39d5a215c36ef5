"""An invoice by mail once more, because somebody asked the operator for it."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.i18n import format_date, format_money, translate
from app.core.ids import to_public
from app.core.mail import Mail
from app.modules.billing.contracts import By
from app.modules.billing.models.invoice import BillingInvoice
from app.modules.billing.services import invoice_service
from app.modules.billing.services.invoice_service import INVOICE_PREFIX
from app.modules.menu import page_url
from app.modules.tenancy.contracts import UserInfo, VendorInfo
from app.modules.tenancy.facade import list_users_with, record_audit
from app.tasks.dispatcher import dispatch

_SEND = "app.modules.billing.tasks.invoices.send_invoice"
_ZONE = "Europe/Luxembourg"
_MAY_PAY = "billing.manage_plan"


def send_again(session: Session, invoice_id: UUID, by: By) -> int:
    """Mail an invoice to everybody who pays for its vendor, each by a job of its own; how many that are.

    Who is asked twice before the first mail has gone gets one. Raises InvoiceNotFoundError.
    """
    invoice = invoice_service.get_invoice(session, invoice_id)
    people = list_users_with(session, invoice.vendor_id, _MAY_PAY)
    for one in people:
        dispatch(
            session,
            _SEND,
            kwargs={"invoice_id": invoice.id, "user_id": one.id},
            vendor_id=invoice.vendor_id,
            unique_key=f"billing:invoice_mail:{invoice.id}:{one.id}",
            created_by=by.user_id,
        )
    target = to_public(INVOICE_PREFIX, invoice.id)
    to = sorted(one.email for one in people)
    record_audit(
        session,
        "billing.invoice_sent",
        vendor_id=invoice.vendor_id,
        actor_id=by.user_id,
        target=target,
        number=invoice.number,
        to=to,
    )
    return len(people)


def find_reader(session: Session, vendor_id: UUID, user_id: UUID) -> UserInfo | None:
    """Who was to get it, if they still pay for the vendor."""
    return next((one for one in list_users_with(session, vendor_id, _MAY_PAY) if one.id == user_id), None)


def write(invoice: BillingInvoice, vendor: VendorInfo, to: UserInfo) -> Mail:
    """The mail, in the reader's language."""
    language = to.language or vendor.dashboard_language
    params = {
        "number": invoice.number or to_public(INVOICE_PREFIX, invoice.id),
        "shop": vendor.name,
        "amount": format_money(language, invoice.total_cents, invoice.currency),
        "status": translate(language, f"billing.invoice_status.{invoice.status}"),
        "due": format_date(language, invoice.due_at, "long", timezone=_ZONE) if invoice.due_at else "–",
        "link": invoice.hosted_url or _page(invoice, vendor),
    }
    subject = translate(language, "billing.mail.invoice_subject", **params)
    return Mail(to.email, subject, translate(language, "billing.mail.invoice_text", **params))


def _page(invoice: BillingInvoice, vendor: VendorInfo) -> str:
    key = to_public(INVOICE_PREFIX, invoice.id)
    path = page_url("billing.vendor.invoice", vendor_code=vendor.code, invoice_id=key)
    return f"{get_settings().base_url.rstrip('/')}{path}"
