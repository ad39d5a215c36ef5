"""Invoices that Stripe made, kept here under their id at Stripe."""

from collections.abc import Collection, Mapping
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id
from app.modules.billing.enums import InvoiceKind, InvoiceStatus
from app.modules.billing.models.invoice import BillingInvoice
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.models.subscription_tier import Addon, SubscriptionTier
from app.modules.billing.services.lock_service import locked_subscription
from app.modules.billing.services.stripe_remote_service import RemoteInvoice, RemoteLine

log = structlog.get_logger(__name__)

# An invoice only goes forward: what was read before and arrives later is older.
_RANKS: Mapping[str, int] = {"draft": 0, "open": 1, "uncollectible": 2, "paid": 3, "void": 3}


def apply_invoice(session: Session, remote: RemoteInvoice) -> bool:
    """Insert or update the invoice of a subscription; whether anything was written.

    Drafts, those of nought and those of other customers are passed over.
    """
    if remote.status not in _RANKS or remote.status == "draft" or remote.total_cents == 0:
        return False
    vendor_id = _owner(session, remote.customer_id)
    if vendor_id is None:
        return False
    with locked_subscription(session, vendor_id) as subscription:
        mine = BillingInvoice.vendor_id == vendor_id
        row = session.scalar(
            select(BillingInvoice).where(mine, BillingInvoice.stripe_invoice_id == remote.id)
        )
        if row is None:
            row = _new_row(session, subscription, remote)
            session.add(row)
        elif _RANKS[remote.status] < _RANKS[row.status] or not is_different(row, remote):
            return False
        _set(row, remote)
    return True


def is_different(row: BillingInvoice, remote: RemoteInvoice) -> bool:
    """Whether an invoice has to be written again."""
    here = (row.status, row.paid_cents, row.total_cents, row.number, row.hosted_url)
    there = (
        remote.status,
        remote.settled_cents,
        remote.total_cents,
        remote.number or row.number,
        remote.hosted_url,
    )
    return here != there


def known(session: Session, stripe_ids: Collection[str]) -> dict[str, BillingInvoice]:
    """Those of these invoices that are here, by their id at Stripe."""
    rows = select(BillingInvoice).where(BillingInvoice.stripe_invoice_id.in_(stripe_ids))
    return {str(row.stripe_invoice_id): row for row in session.scalars(rows)}


def _owner(session: Session, customer_id: str) -> UUID | None:
    if not customer_id:
        return None
    mine = select(Subscription.vendor_id).where(Subscription.stripe_customer_id == customer_id)
    return session.scalar(mine.limit(1))


def _new_row(session: Session, subscription: Subscription, remote: RemoteInvoice) -> BillingInvoice:
    kind, line = _kind_of(session, remote)
    start = (line.period_start if line else None) or remote.period_start
    end = (line.period_end if line else None) or remote.period_end
    if kind is InvoiceKind.CYCLE:
        taken = select(BillingInvoice.id).where(
            BillingInvoice.vendor_id == subscription.vendor_id,
            BillingInvoice.subscription_id == subscription.id,
            BillingInvoice.period_start == start,
            BillingInvoice.kind == InvoiceKind.CYCLE,
        )
        if session.scalar(taken) is not None:
            # A period has one invoice of its own; the money of a second one is not forgotten for that.
            log.warning("stripe_invoice_second_of_period", invoice=remote.id)
            kind = InvoiceKind.MANUAL
    return BillingInvoice(
        id=new_id(),
        vendor_id=subscription.vendor_id,
        subscription_id=subscription.id,
        kind=kind,
        period_start=start,
        period_end=end,
        stripe_invoice_id=remote.id,
    )


def _set(row: BillingInvoice, remote: RemoteInvoice) -> None:
    row.number, row.currency = remote.number, remote.currency
    row.total_cents, row.tax_cents = remote.total_cents, remote.tax_cents
    row.paid_cents, row.status = remote.settled_cents, remote.status
    row.hosted_url, row.pdf_url = remote.hosted_url, remote.pdf_url
    row.issued_at, row.due_at = remote.issued_at, remote.due_at
    if remote.status == InvoiceStatus.PAID:
        row.paid_at = remote.paid_at or row.paid_at or clock.now()


def _kind_of(session: Session, remote: RemoteInvoice) -> tuple[InvoiceKind, RemoteLine | None]:
    """What an invoice is for, and the line whose period is its own: the plan's, else the first."""
    products = {line.product_id for line in remote.lines}
    tiers = set(
        session.scalars(
            select(SubscriptionTier.stripe_product_id).where(SubscriptionTier.stripe_product_id.in_(products))
        )
    )
    addons = set(
        session.scalars(select(Addon.stripe_product_id).where(Addon.stripe_product_id.in_(products)))
    )
    whole = [line for line in remote.lines if not line.is_proration]
    plan = next((line for line in whole if line.product_id in tiers), None)
    first = next(iter(remote.lines), None)
    if plan is not None:
        return InvoiceKind.CYCLE, plan
    if any(line.product_id in addons for line in remote.lines) and not products & tiers:
        return InvoiceKind.ADDON, next((line for line in remote.lines if line.product_id in addons), first)
    if any(line.is_proration for line in remote.lines):
        return InvoiceKind.PRORATION, first
    return InvoiceKind.MANUAL, first
