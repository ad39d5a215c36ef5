"""Invoices that were paid, or not: what that does to the subscription. For those that Stripe does not collect."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import to_public
from app.modules.billing.contracts import BY_TASK, By
from app.modules.billing.enums import InvoiceStatus, SubscriptionStatus
from app.modules.billing.exceptions import BilledByStripeError, InvoiceStateError
from app.modules.billing.models.invoice import BillingInvoice
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.services import invoice_service, notice_service, subscription_service
from app.modules.billing.services.lock_service import locked_subscription
from app.modules.tenancy.facade import record_audit


def mark_invoice_paid(session: Session, invoice_id: UUID, by: By) -> BillingInvoice:
    """Somebody saw the money arrive outside of Stripe. The last overdue invoice that is paid settles the subscription.

    Raises InvoiceNotFoundError, InvoiceStateError, BilledByStripeError.
    """
    found = invoice_service.get_invoice(session, invoice_id)
    with locked_subscription(session, found.vendor_id) as subscription:
        invoice = _open_invoice(session, invoice_id)
        invoice.status, invoice.paid_at = InvoiceStatus.PAID, clock.now()
        invoice.paid_cents = invoice.total_cents
        session.flush()
        _record(session, "billing.invoice_paid", invoice, by)
        if _owes(subscription) and not _has_overdue(session, invoice.vendor_id, clock.now()):
            subscription_service.mark_paid(session, invoice.vendor_id, by)
    return invoice


def void_invoice(session: Session, invoice_id: UUID, by: By) -> BillingInvoice:
    """An open invoice that need not be paid. Raises as ``mark_invoice_paid`` does."""
    found = invoice_service.get_invoice(session, invoice_id)
    with locked_subscription(session, found.vendor_id):
        invoice = _open_invoice(session, invoice_id)
        invoice.status = InvoiceStatus.VOID
        session.flush()
        _record(session, "billing.invoice_voided", invoice, by)
    return invoice


def mark_overdue(session: Session, vendor_id: UUID) -> bool:
    """Begin the grace of an active subscription with an overdue invoice; whether it began now."""
    with locked_subscription(session, vendor_id) as subscription:
        is_due = subscription.status == SubscriptionStatus.ACTIVE
        if is_due and _has_overdue(session, vendor_id, clock.now()):
            subscription_service.mark_past_due(session, vendor_id, BY_TASK)
            notice_service.tell_past_due(session, vendor_id)
            return True
    return False


def _owes(subscription: Subscription) -> bool:
    """Past due, or ended for that reason."""
    return subscription.past_due_since is not None


def _open_invoice(session: Session, invoice_id: UUID) -> BillingInvoice:
    invoice = session.scalars(
        select(BillingInvoice)
        .where(BillingInvoice.id == invoice_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if invoice.stripe_invoice_id is not None:
        raise BilledByStripeError
    if invoice.status != InvoiceStatus.OPEN:
        raise InvoiceStateError(f"The invoice is {invoice.status}.", status=invoice.status)
    return invoice


def _has_overdue(session: Session, vendor_id: UUID, moment: datetime) -> bool:
    overdue = select(BillingInvoice.id).where(
        BillingInvoice.vendor_id == vendor_id,
        BillingInvoice.status == InvoiceStatus.OPEN,
        BillingInvoice.due_at < moment,
    )
    return session.scalar(overdue.limit(1)) is not None


def _record(session: Session, action: str, invoice: BillingInvoice, by: By) -> None:
    target = to_public(invoice_service.INVOICE_PREFIX, invoice.id)
    record_audit(
        session,
        action,
        vendor_id=invoice.vendor_id,
        actor_id=by.user_id,
        target=target,
        number=invoice.number,
        cents=invoice.total_cents,
    )
