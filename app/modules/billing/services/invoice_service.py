"""Invoices: what Stripe made, and those of subscriptions that are billed without it. They are never deleted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id
from app.modules.billing.config import BillingConfig
from app.modules.billing.contracts import Period
from app.modules.billing.enums import InvoiceKind, InvoiceStatus
from app.modules.billing.exceptions import InvoiceNotFoundError
from app.modules.billing.models.invoice import BillingInvoice
from app.modules.billing.models.subscription import Subscription, SubscriptionAddon
from app.modules.billing.models.subscription_tier import Addon, SubscriptionTier
from app.modules.billing.services import period_service
from app.modules.billing.services.tier_service import get_tier, price_cents
from app.modules.tenancy.facade import vendor_names

INVOICE_PREFIX = "bin"
_IS_CYCLE = text("kind = 'cycle'")


def issue(
    session: Session, subscription: Subscription, kind: InvoiceKind, period: Period, total_cents: int
) -> UUID | None:
    """Make an open invoice, in the vendor's scope and with the subscription locked; its id.

    None, and nothing is made, where there is nothing to pay, where Stripe bills, and where the period has its invoice
    of kind cycle already.
    """
    if total_cents <= 0 or subscription.stripe_subscription_id is not None:
        return None
    now = clock.now()
    statement = insert(BillingInvoice).values(
        id=new_id(),
        vendor_id=subscription.vendor_id,
        subscription_id=subscription.id,
        kind=kind,
        period_start=period.start,
        period_end=period.end,
        number=_next_number(session, subscription.vendor_id),
        currency=get_tier(session, subscription.tier_id).currency,
        total_cents=total_cents,
        status=InvoiceStatus.OPEN,
        issued_at=now,
        due_at=now + timedelta(days=BillingConfig().invoice_due_days),
    )
    once = statement.on_conflict_do_nothing(
        index_elements=["vendor_id", "subscription_id", "period_start", "kind"], index_where=_IS_CYCLE
    )
    return session.scalar(once.returning(BillingInvoice.id))


def issue_cycle(session: Session, subscription: Subscription, period: Period) -> UUID | None:
    """The invoice of a period: the plan, and add-ons whose own period begins in it. See ``issue``."""
    tier = get_tier(session, subscription.tier_id)
    total = price_cents(tier, subscription.interval) + _addon_cents(session, subscription.vendor_id, period)
    return issue(session, subscription, InvoiceKind.CYCLE, period, total)


def get_invoice(session: Session, invoice_id: UUID) -> BillingInvoice:
    """An invoice that the session may see; InvoiceNotFoundError."""
    invoice = session.get(BillingInvoice, invoice_id)
    if invoice is None:
        raise InvoiceNotFoundError
    return invoice


def list_invoices(session: Session, vendor_id: UUID, *, limit: int = 50) -> Sequence[BillingInvoice]:
    """A vendor's invoices, the newest first."""
    return session.scalars(
        select(BillingInvoice)
        .where(BillingInvoice.vendor_id == vendor_id)
        .order_by(BillingInvoice.id.desc())
        .limit(limit)
    ).all()


def select_invoices() -> Select[BillingInvoice, str]:
    """Invoices with the plan of their subscription, of those that the reader may see."""
    return (
        select(BillingInvoice, SubscriptionTier.code.label("tier_code"))
        .join(Subscription, Subscription.id == BillingInvoice.subscription_id)
        .join(SubscriptionTier, SubscriptionTier.id == Subscription.tier_id)
    )


def list_overdue_vendors(session: Session, moment: datetime) -> Sequence[UUID]:
    """Vendors with an open invoice past its day that Stripe does not collect."""
    return session.scalars(
        select(BillingInvoice.vendor_id)
        .where(
            BillingInvoice.status == InvoiceStatus.OPEN,
            BillingInvoice.stripe_invoice_id.is_(None),
            BillingInvoice.due_at < moment,
        )
        .distinct()
    ).all()


def _addon_cents(session: Session, vendor_id: UUID, period: Period) -> int:
    booked = session.execute(
        select(SubscriptionAddon, Addon)
        .join(Addon, Addon.id == SubscriptionAddon.addon_id)
        .where(SubscriptionAddon.vendor_id == vendor_id)
    )
    return sum(
        row.quantity * addon.price_cents * _count_starts(row, addon.interval, period) for row, addon in booked
    )


def _count_starts(row: SubscriptionAddon, interval: str, period: Period) -> int:
    """How many of an add-on's periods begin in ``period``; its first one, begun within, has an invoice of its own."""
    end = min(period.end, row.ends_at) if row.ends_at else period.end
    first = period_service.period_at(row.started_at, interval, period.start)
    begins = first.start if first.start == period.start else first.end
    count = 0
    while begins < end:
        count += begins > row.started_at or begins == period.start
        begins = period_service.period_at(row.started_at, interval, begins).end
    return count


def _next_number(session: Session, vendor_id: UUID) -> str:
    """Numbers count per vendor, as Stripe's do. A cycle that has its invoice leaves no gap: none was written."""
    vendors = vendor_names()
    code = session.scalar(select(vendors.c.code).where(vendors.c.id == vendor_id))
    made = select(func.count()).where(
        BillingInvoice.vendor_id == vendor_id, BillingInvoice.stripe_invoice_id.is_(None)
    )
    return f"{code}-{(session.scalar(made) or 0) + 1:05d}"
