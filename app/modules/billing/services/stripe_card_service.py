"""Cards that were given on a page of Stripe's: taken into use when its message comes, or, where that was lost, when
everything is compared. A page holds for a day, and the card given last is the one that counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from stripe import StripeClient

from app.core import clock
from app.modules.billing.enums import RequestKind
from app.modules.billing.models.remote import BillingRequest
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.services import stripe_service
from app.modules.billing.services.lock_service import locked_subscription
from app.modules.billing.services.stripe_remote_service import (
    RemoteInvoice,
    RemoteSubscription,
    read_invoice,
    read_subscription,
)
from app.modules.payments.exceptions import GatewayRefusedError
from app.modules.payments.facade import translated_errors

log = structlog.get_logger(__name__)

_LOOK_BACK = timedelta(days=35)
_MOST = 1000
Taken = tuple[tuple[RemoteSubscription, ...], tuple[RemoteInvoice, ...]]


@dataclass(frozen=True, slots=True)
class CardPage:
    """A page that a vendor was led to, and of which nothing was heard yet."""

    vendor_id: UUID
    page_id: str


def list_waiting(
    session: Session, *, platform_ids: Sequence[UUID] = (), vendor_id: UUID | None = None
) -> list[CardPage]:
    """Pages of the last weeks of a vendor, or of those of some platforms, the newest first."""
    mine = Subscription.vendor_id == vendor_id if vendor_id else Subscription.platform_id.in_(platform_ids)
    page_id = BillingRequest.arguments["page"].astext
    rows = session.execute(
        select(BillingRequest.vendor_id, page_id)
        .join(Subscription, Subscription.vendor_id == BillingRequest.vendor_id)
        .where(
            mine,
            BillingRequest.kind == RequestKind.CHECKOUT,
            BillingRequest.finished_at > clock.now() - _LOOK_BACK,
            page_id.is_not(None),
        )
        .order_by(BillingRequest.vendor_id, BillingRequest.id.desc())
        .limit(_MOST)
    )
    return [CardPage(vendor, page) for vendor, page in rows.tuples()]


def look(client: StripeClient, pages: Sequence[CardPage]) -> tuple[list[CardPage], Taken]:
    """Use the card of a vendor's newest page that is completed. Returns the pages that are over, which older ones are
    then too, and what was read. No transaction is open."""
    over: list[CardPage] = []
    for number, page in enumerate(pages):
        with translated_errors():
            found = client.v1.checkout.sessions.retrieve(page.page_id).to_dict()
        if found.get("status") == "complete":
            return [*over, *pages[number:]], take(client, found)
        if found.get("status") == "expired":
            over.append(page)
    return over, ((), ())


def close(session: Session, pages: Sequence[CardPage]) -> None:
    """Nothing more is expected of these pages of one vendor."""
    if not pages:
        return
    with locked_subscription(session, pages[0].vendor_id):
        ids = [page.page_id for page in pages]
        _forget(session, BillingRequest.arguments["page"].astext.in_(ids))


def close_until(session: Session, vendor_id: UUID, page_id: str) -> None:
    """The card of this page is in use: nothing more is expected of it, nor of the vendor's older ones."""
    with locked_subscription(session, vendor_id):
        named = select(BillingRequest.id).where(
            BillingRequest.vendor_id == vendor_id, BillingRequest.arguments["page"].astext == page_id
        )
        found = session.scalar(named)
        if found is not None:
            _forget(session, BillingRequest.id <= found)


def _forget(session: Session, *which: ColumnElement[bool]) -> None:
    """In the scope of the vendor whose pages they are."""
    rows = select(BillingRequest).where(
        BillingRequest.kind == RequestKind.CHECKOUT, BillingRequest.arguments.has_key("page"), *which
    )
    for row in session.scalars(rows.execution_options(populate_existing=True)).all():
        row.arguments = {name: value for name, value in row.arguments.items() if name != "page"}


def take(client: StripeClient, page: Mapping[str, Any]) -> Taken:
    """Use the card of a completed page, and charge what is owed to it; the subscription and the invoices then."""
    subscription_id = page["metadata"].get(stripe_service.STRIPE_SUBSCRIPTION_KEY)
    if not subscription_id or not page.get("setup_intent"):
        return (), ()
    owed: list[str] = []
    try:
        owed = stripe_service.use_card(client, page)
    except GatewayRefusedError:
        # The method or the subscription is gone by now: how things stand is read all the same.
        log.warning("stripe_card_not_used", session=page["id"])
    invoices = [read_invoice(client, invoice_id) for invoice_id in owed]
    remote = read_subscription(client, subscription_id)
    return (remote,) if remote else (), tuple(invoice for invoice in invoices if invoice)
