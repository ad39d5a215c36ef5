"""Comparing what is known with what Stripe says, for when messages were lost: subscriptions, then invoices.

It goes on where it was stopped. A row that fails is counted and does not stop the others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from stripe import StripeClient

from app.core import clock
from app.modules.billing.enums import InvoiceStatus, SubscriptionStatus
from app.modules.billing.models.invoice import BillingInvoice
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.services import (
    stripe_apply_service,
    stripe_card_service,
    stripe_invoice_service,
    sync_service,
)
from app.modules.billing.services.lock_service import locked_subscription
from app.modules.billing.services.stripe_apply_service import Applied
from app.modules.billing.services.stripe_card_service import CardPage
from app.modules.billing.services.stripe_remote_service import (
    RemoteInvoice,
    RemoteSubscription,
    read_invoice,
    read_invoices,
    read_subscription,
    read_subscriptions,
)
from app.modules.payments.exceptions import GatewayUnavailableError
from app.modules.payments.facade import Provider, find_account, stripe_client
from app.modules.task_base import ModuleTask
from app.tasks.errors import JobCancelledError, StaleRunError, TimeLimitError

log = structlog.get_logger(__name__)

_LOOK_BACK = timedelta(days=35)  # longer than Stripe repeats messages, and a whole month of invoices
_MOST_PAGES = 2000
_MOST_OPEN = 500
_NOT_A_ROW = (JobCancelledError, StaleRunError, TimeLimitError, GatewayUnavailableError)


@dataclass(slots=True)
class Run:
    """How far a comparison has come."""

    task: ModuleTask
    started: datetime
    account: int = 0
    phase: str = "subscriptions"
    after: str | None = None
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, number: int = 1) -> None:
        """Add to a figure of the result."""
        self.counts[name] += number

    def save(self) -> None:
        """Commit, and remember where to go on. No transaction is open afterwards."""
        cursor = {
            "started": self.started.isoformat(),
            "account": self.account,
            "phase": self.phase,
            "after": self.after,
            "counts": self.counts,
        }
        self.task.checkpoint(cursor, self.counts["read"], phase=self.phase)

    def one(self, name: str, work: Callable[[], None]) -> None:
        """Do the work of one row; what fails is undone and counted."""
        try:
            work()
        except _NOT_A_ROW:
            raise
        except Exception:
            log.exception("stripe_sync_failed", row=name)
            self.task.discard()
            self.count("failed")


@dataclass(frozen=True, slots=True)
class Account:
    """An account at Stripe and the platforms that sell by it; ``key`` None: the environment's."""

    key: UUID | None
    platform_ids: tuple[UUID, ...]


def sync_all(task: ModuleTask) -> dict[str, int]:
    """Compare every subscription that Stripe bills, and the invoices of the last weeks, with Stripe.

    Returns how many were ``read``, ``differed`` and ``failed``, how many subscriptions there are ``foreign``, and how
    many ``invoices`` were missing or other here.
    """
    run = _resume(task)
    phases: dict[str, Callable[[Run, Session, StripeClient, Account], None]] = {
        "subscriptions": _sync_pages,
        "missing": _sync_missing,
        "cards": _sync_cards,
        "invoices": _sync_invoices,
        "open": _sync_open,
    }
    with task.get_db() as session:
        accounts = _accounts(session)
        while run.account < len(accounts):
            account = accounts[run.account]
            client = stripe_client(session, account.platform_ids[0])
            for phase, work in list(phases.items())[list(phases).index(run.phase) :]:
                if run.phase != phase:
                    run.phase, run.after = phase, None
                run.save()
                work(run, session, client, account)
            run.account, run.phase, run.after = run.account + 1, "subscriptions", None
    return run.counts


def read_customer(
    client: StripeClient, customer_id: str
) -> tuple[Sequence[RemoteSubscription], Sequence[RemoteInvoice]]:
    """All that a customer has at Stripe, of invoices the latest hundred."""
    subscriptions, _ = read_subscriptions(client, customer_id=customer_id)
    invoices, _ = read_invoices(client, customer=customer_id)
    return subscriptions, invoices


def apply_customer(
    session: Session,
    found: tuple[Sequence[RemoteSubscription], Sequence[RemoteInvoice]],
) -> dict[str, int]:
    """Take over what was read of a customer; how many of each were written."""
    subscriptions, invoices = found
    applied = sum(_compare(session, remote, None) is not None for remote in reversed(subscriptions))
    written = sum(stripe_invoice_service.apply_invoice(session, invoice) for invoice in reversed(invoices))
    return {"subscriptions": applied, "invoices": written}


def _compare(session: Session, remote: RemoteSubscription, account: UUID | None) -> int | None:
    """Take a subscription over and keep what differed; how many fields did. None: it is not ours."""
    vendor_id = stripe_apply_service.find_owner(session, remote)
    if vendor_id is None:
        return None
    with locked_subscription(session, vendor_id) as local:
        is_linked = local.stripe_subscription_id == remote.id
        found, lasting = stripe_apply_service.differences(session, local, remote)
        applied = stripe_apply_service.apply_subscription(session, remote, account_platform_id=account)
        if applied is not Applied.DONE:
            return 0 if applied is Applied.OLDER else None
        if is_linked:
            sync_service.note_differences(session, local, {**found, **lasting})
        sync_service.note_differences(session, local, lasting)
    return len(found) + len(lasting)


def _sync_pages(run: Run, session: Session, client: StripeClient, account: Account) -> None:
    """The subscriptions that run at Stripe, a page a call."""
    for _ in range(_MOST_PAGES):
        page, has_more = read_subscriptions(client, after=run.after)
        for remote in page:
            run.one(remote.id, lambda remote=remote: _take(run, session, remote, account))  # type: ignore[misc]
            run.after = remote.id
            run.save()
        if not has_more or not page:
            return


def _take(run: Run, session: Session, remote: RemoteSubscription, account: Account) -> None:
    differed = _compare(session, remote, account.key)
    if differed is None:
        run.count("foreign")
        return
    run.count("read")
    run.count("differed", bool(differed))


def _sync_missing(run: Run, session: Session, client: StripeClient, account: Account) -> None:
    """Those that the pages did not show: they have ended at Stripe, or are not known there. One call each."""
    rows = (
        select(Subscription.id, Subscription.vendor_id, Subscription.stripe_subscription_id)
        .where(
            Subscription.platform_id.in_(account.platform_ids),
            Subscription.stripe_subscription_id.is_not(None),
            Subscription.status != SubscriptionStatus.EXPIRED,
            or_(Subscription.stripe_read_at.is_(None), Subscription.stripe_read_at < run.started),
        )
        .order_by(Subscription.id)
    )
    if run.after:
        rows = rows.where(Subscription.id > UUID(run.after))
    for key, vendor_id, stripe_id in session.execute(rows).tuples().all():
        run.save()
        run.one(
            str(stripe_id),
            lambda vendor_id=vendor_id, stripe_id=stripe_id: _read_one(  # type: ignore[misc]
                run, session, client, vendor_id, stripe_id
            ),
        )
        run.after = str(key)
    run.save()


def _read_one(run: Run, session: Session, client: StripeClient, vendor_id: UUID, stripe_id: str) -> None:
    remote = read_subscription(client, stripe_id)
    if remote is not None:
        differed = _compare(session, remote, None)
        run.count("read", differed is not None)
        run.count("differed", bool(differed))
        return
    with locked_subscription(session, vendor_id) as local:
        sync_service.note_differences(session, local, {"stripe_subscription_id": (stripe_id, None)})
    run.count("failed")
    run.count("differed")


def _sync_cards(run: Run, session: Session, client: StripeClient, account: Account) -> None:
    """Cards that were given on a page of which nothing was heard. One call each."""
    waiting = stripe_card_service.list_waiting(session, platform_ids=account.platform_ids)
    for vendor_id, rows in groupby(waiting, lambda page: page.vendor_id):
        pages = list(rows)
        run.save()
        run.one(str(vendor_id), lambda pages=pages: _take_card(session, client, pages))  # type: ignore[misc]
    run.save()


def _take_card(session: Session, client: StripeClient, pages: Sequence[CardPage]) -> None:
    over, (subscriptions, invoices) = stripe_card_service.look(client, pages)
    for remote in subscriptions:
        stripe_apply_service.apply_subscription(session, remote)
    for invoice in invoices:
        stripe_invoice_service.apply_invoice(session, invoice)
    stripe_card_service.close(session, over)


def _sync_invoices(run: Run, session: Session, client: StripeClient, _account: Account) -> None:
    """The invoices of the last weeks: those that are missing or other here are written."""
    since = int((clock.now() - _LOOK_BACK).timestamp())
    for _ in range(_MOST_PAGES):
        page, has_more = read_invoices(client, after=run.after, created={"gte": since})
        for invoice in _changed(session, page):
            run.one(invoice.id, lambda invoice=invoice: _write(run, session, invoice))  # type: ignore[misc]
            run.save()
        run.after = page[-1].id if page else None
        run.save()
        if not has_more or not page:
            return


def _changed(session: Session, page: Sequence[RemoteInvoice]) -> list[RemoteInvoice]:
    """Those of our customers that are not here as they are there, the oldest first."""
    customers = {invoice.customer_id for invoice in page}
    ours = set(
        session.scalars(
            select(Subscription.stripe_customer_id).where(Subscription.stripe_customer_id.in_(customers))
        )
    )
    here: Mapping[str, Any] = stripe_invoice_service.known(session, [invoice.id for invoice in page])
    return [
        invoice
        for invoice in reversed(page)
        if invoice.customer_id in ours
        and (invoice.id not in here or stripe_invoice_service.is_different(here[invoice.id], invoice))
    ]


def _sync_open(run: Run, session: Session, client: StripeClient, account: Account) -> None:
    """Invoices that are open here and too old for the pages. One call each."""
    rows = (
        select(BillingInvoice.id, BillingInvoice.stripe_invoice_id)
        .join(Subscription, Subscription.vendor_id == BillingInvoice.vendor_id)
        .where(
            Subscription.platform_id.in_(account.platform_ids),
            BillingInvoice.stripe_invoice_id.is_not(None),
            BillingInvoice.status == InvoiceStatus.OPEN,
            BillingInvoice.issued_at < clock.now() - _LOOK_BACK,
        )
        .order_by(BillingInvoice.id)
        .limit(_MOST_OPEN)
    )
    if run.after:
        rows = rows.where(BillingInvoice.id > UUID(run.after))
    for key, stripe_id in session.execute(rows).tuples().all():
        run.save()
        run.one(str(stripe_id), lambda stripe_id=stripe_id: _read_open(run, session, client, stripe_id))  # type: ignore[misc]
        run.after = str(key)
    run.save()


def _read_open(run: Run, session: Session, client: StripeClient, stripe_id: str) -> None:
    invoice = read_invoice(client, stripe_id)
    if invoice is not None:
        _write(run, session, invoice)


def _write(run: Run, session: Session, invoice: RemoteInvoice) -> None:
    run.count("invoices", stripe_invoice_service.apply_invoice(session, invoice))


def _resume(task: ModuleTask) -> Run:
    counts = dict.fromkeys(("read", "differed", "failed", "foreign", "invoices"), 0)
    kept = task.job.checkpoint
    if not kept:
        return Run(task, clock.system_now(), counts=counts)
    started = datetime.fromisoformat(kept["started"])
    return Run(task, started, kept["account"], kept["phase"], kept["after"], {**counts, **kept["counts"]})


def _accounts(session: Session) -> list[Account]:
    """The accounts that have customers of ours, in an order that stays."""
    ids = session.scalars(
        select(Subscription.platform_id)
        .where(Subscription.stripe_customer_id.is_not(None))
        .distinct()
        .order_by(Subscription.platform_id)
    ).all()
    own = [key for key in ids if find_account(session, Provider.STRIPE, platform_id=key) is not None]
    shared = tuple(key for key in ids if key not in own)
    return [*([Account(None, shared)] if shared else []), *(Account(key, (key,)) for key in own)]
