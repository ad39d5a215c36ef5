"""What messages of Stripe say about subscriptions and their invoices: the objects are read again and taken over.

Nothing of a message is believed but its object's id, so that doubled, late and reordered ones do no harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session
from stripe import StripeClient

from app.modules.billing.services import (
    stripe_apply_service,
    stripe_card_service,
    stripe_invoice_service,
    stripe_service,
)
from app.modules.billing.services.stripe_remote_service import (
    RemoteInvoice,
    RemoteSubscription,
    read_subscription,
    read_with_invoice,
    read_with_subscription,
)
from app.modules.payments.contracts import WebhookHandler, WebhookMessage
from app.modules.payments.facade import translated_errors

_SESSIONS = frozenset({"checkout.session.completed"})
_SUBSCRIPTIONS = frozenset(
    f"customer.subscription.{word}" for word in ("created", "updated", "deleted", "paused", "resumed")
)
_INVOICES = frozenset(
    f"invoice.{word}" for word in ("finalized", "paid", "payment_failed", "payment_action_required", "voided")
) | {"invoice.marked_uncollectible"}


@dataclass(frozen=True, slots=True)
class Found:
    """What was read for a message. ``page_id``: the page whose card is in use now."""

    subscriptions: tuple[RemoteSubscription, ...] = ()
    invoices: tuple[RemoteInvoice, ...] = ()
    page_id: str | None = None


def handlers() -> Sequence[WebhookHandler]:
    """What billing does about messages to the operator's accounts."""
    return (
        WebhookHandler(_SESSIONS, _fetch_session, _apply),
        WebhookHandler(_SUBSCRIPTIONS, _fetch_subscription, _apply),
        WebhookHandler(_INVOICES, _fetch_invoice, _apply),
    )


def _fetch_session(client: StripeClient, message: WebhookMessage) -> Found:
    told = (message.payload.get("data") or {}).get("object")
    if told is not None and not _is_ours(told):
        return Found()
    with translated_errors():
        session = client.v1.checkout.sessions.retrieve(message.object_id).to_dict()
    if not _is_ours(session) or session.get("status") != "complete":
        return Found()
    if session.get("mode") == "subscription" and session.get("subscription"):
        return Found(*read_with_invoice(client, session["subscription"]))
    if session.get("mode") != "setup":
        return Found()
    return Found(*stripe_card_service.take(client, session), page_id=message.object_id)


def _fetch_subscription(client: StripeClient, message: WebhookMessage) -> Found:
    remote = read_subscription(client, message.object_id)
    return Found((remote,) if remote else ())


def _fetch_invoice(client: StripeClient, message: WebhookMessage) -> Found:
    invoice, remote = read_with_subscription(client, message.object_id)
    return Found((remote,) if remote else (), (invoice,) if invoice else ())


def _apply(session: Session, message: WebhookMessage, found: Found) -> None:
    for remote in found.subscriptions:
        stripe_apply_service.apply_subscription(session, remote, account_platform_id=message.platform_id)
    for invoice in found.invoices:
        stripe_invoice_service.apply_invoice(session, invoice)
    for remote in found.subscriptions if found.page_id else ():
        vendor_id = stripe_apply_service.find_owner(session, remote)
        if vendor_id is not None and found.page_id:
            stripe_card_service.close_until(session, vendor_id, found.page_id)


def _is_ours(session: Mapping[str, Any]) -> bool:
    return stripe_service.SUBSCRIPTION_KEY in (session.get("metadata") or {})
