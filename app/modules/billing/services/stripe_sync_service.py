"""Comparing what is known with what Stripe says, for when messages were lost: subscriptions, then invoices.

It goes on where it was stopped: a page of a hundred, or a portion of single answers, is one transaction. A row that
fails is counted and does not stop the others.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
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
    stripe_compare_service,
    stripe_invoice_service,
    sync_service,
)
from app.modules.billing.services.lock_service import locked_subscription
from app.modules.billing.services.stripe_card_service import CardPage, Taken
from app.modules.billing.services.stripe_compare_service import Compared
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
_PORTION = 25
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

    def note(self, found: Compared) -> None:
        """Count a subscription that was compared."""
        self.count("foreign" if found is Compared.FOREIGN else "read")
        self.count("differed", found is Compared.DIFFERED)

    @contextmanager
    def row(self, session: Session | None, name: object) -> Iterator[None]:
        """The work of one row: what fails is counted, and undone in the session's transaction."""
        try:
            with session.begin_nested() if session else nullcontext():
                yield
        except _NOT_A_ROW:
            raise
        except Exception:
            log.exception("stripe_sync_failed", row=str(name))
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


def _sync_pages(run: Run, session: Session, client: StripeClient, account: Account) -> None:
    """The subscriptions that run at Stripe, a page a call and a transaction."""
    for _ in range(_MOST_PAGES):
        page, has_more = read_subscriptions(client, after=run.after)
        known = stripe_compare_service.open_page(session, page)
        for remote in page:
            with run.row(session, remote.id):
                run.note(stripe_compare_service.compare_in(session, known, remote, account.key))
        run.after = page[-1].id if page else None
        run.save()
        if not has_more or not page:
            return


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

    def take(row: Any, remote: RemoteSubscription | None) -> None:
        if remote is not None:
            run.note(stripe_compare_service.compare(session, remote))
            return
        with locked_subscription(session, row.vendor_id) as local:
            gone = {"stripe_subscription_id": (row.stripe_subscription_id, None)}
            sync_service.note_differences(session, local, gone)
        run.count("failed")
        run.count("differed")

    found = [(row.id, row) for row in session.execute(rows)]
    _ask_each(run, session, found, lambda row: read_subscription(client, row.stripe_subscription_id), take)


def _sync_cards(run: Run, session: Session, client: StripeClient, account: Account) -> None:
    """Cards that were given on a page of which nothing was heard. One call each."""
    waiting = stripe_card_service.list_waiting(session, platform_ids=account.platform_ids)
    by_vendor = [(key, list(rows)) for key, rows in groupby(waiting, lambda page: page.vendor_id)]

    def take(_pages: Sequence[CardPage], found: tuple[list[CardPage], Taken]) -> None:
        over, (subscriptions, invoices) = found
        for remote in subscriptions:
            stripe_apply_service.apply_subscription(session, remote)
        for invoice in invoices:
            stripe_invoice_service.apply_invoice(session, invoice)
        stripe_card_service.close(session, over)

    _ask_each(run, session, by_vendor, lambda pages: stripe_card_service.look(client, pages), take)


def _sync_invoices(run: Run, session: Session, client: StripeClient, _account: Account) -> None:
    """The invoices of the last weeks: those that are missing or other here are written, a page a transaction."""
    since = int((clock.now() - _LOOK_BACK).timestamp())
    for _ in range(_MOST_PAGES):
        page, has_more = read_invoices(client, after=run.after, created={"gte": since})
        for invoice in _changed(session, page):
            with run.row(session, invoice.id):
                run.count("invoices", stripe_invoice_service.apply_invoice(session, invoice))
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

    def take(_row: Any, invoice: RemoteInvoice | None) -> None:
        if invoice is not None:
            run.count("invoices", stripe_invoice_service.apply_invoice(session, invoice))

    found = [(row.id, row) for row in session.execute(rows)]
    _ask_each(run, session, found, lambda row: read_invoice(client, row.stripe_invoice_id), take)


def _ask_each(
    run: Run,
    session: Session,
    rows: Sequence[tuple[object, Any]],
    read: Callable[[Any], Any],
    take: Callable[[Any, Any], None],
) -> None:
    """Ask Stripe about some rows (key and row) with no transaction open, take the answers over in one, and so on."""
    for first in range(0, len(rows), _PORTION):
        run.save()
        answers = []
        for key, row in rows[first : first + _PORTION]:
            with run.row(None, key):
                answers.append((key, row, read(row)))
        for key, row, answer in answers:
            with run.row(session, key):
                take(row, answer)
        run.after = str(rows[first : first + _PORTION][-1][0])
    run.save()


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
