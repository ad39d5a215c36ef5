"""What messages of Stripe say about payments and refunds: the object is read again and written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from stripe import StripeClient

from app.core import clock
from app.core.database import SYSTEM, TenantScope, acting_in
from app.core.ids import from_public
from app.modules.payments.adapters.stripe_api import translated_errors
from app.modules.payments.adapters.stripe_gateway import (
    PAYMENT_KEY,
    PAYMENT_PREFIX,
    REFUND_KEY,
    REFUND_PREFIX,
    step_of_intent,
    step_of_refund,
    step_of_session,
)
from app.modules.payments.contracts import PaymentStep, WebhookHandler, WebhookMessage
from app.modules.payments.models.payment import Payment, Refund
from app.modules.payments.services import refund_service
from app.modules.payments.services.payment_state_service import apply_step, locked

_SESSIONS = frozenset(
    f"checkout.session.{word}"
    for word in ("completed", "expired", "async_payment_succeeded", "async_payment_failed")
)
_INTENTS = frozenset(
    f"payment_intent.{word}" for word in ("succeeded", "canceled", "amount_capturable_updated")
)
_REFUNDS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})


@dataclass(frozen=True, slots=True)
class Read:
    """An object of Stripe's, and when it was asked for (system time)."""

    data: Mapping[str, Any]
    at: datetime


def handlers() -> Sequence[WebhookHandler]:
    """What this module does about messages of Stripe."""
    return (
        WebhookHandler(_SESSIONS, _fetch_session, _apply_session, is_for_vendors=True, concerns=_is_ours),
        WebhookHandler(_INTENTS, _fetch_intent, _apply_intent, is_for_vendors=True, concerns=_is_ours),
        WebhookHandler(_REFUNDS, _fetch_refund, _apply_refund, is_for_vendors=True),
    )


def _fetch_session(client: StripeClient, message: WebhookMessage) -> Read:
    at = clock.system_now()
    with translated_errors():
        found = client.v1.checkout.sessions.retrieve(message.object_id, {"expand": ["payment_intent"]})
    return Read(found.to_dict(), at)


def _fetch_intent(client: StripeClient, message: WebhookMessage) -> Read:
    at = clock.system_now()
    with translated_errors():
        found = client.v1.payment_intents.retrieve(message.object_id)
    return Read(found.to_dict(), at)


def _fetch_refund(client: StripeClient, message: WebhookMessage) -> Read:
    at = clock.system_now()
    with translated_errors():
        found = client.v1.refunds.retrieve(message.object_id, {"expand": ["payment_intent"]})
    return Read(found.to_dict(), at)


def _is_ours(message: WebhookMessage) -> bool:
    """Whether the object may be one that this module made. A thin event does not say, so it is read."""
    found = (message.payload.get("data") or {}).get("object")
    return found is None or PAYMENT_KEY in (found.get("metadata") or {})


def _apply_session(session: Session, message: WebhookMessage, read: Read) -> None:
    _apply(session, message, read, step_of_session(read.data))


def _apply_intent(session: Session, message: WebhookMessage, read: Read) -> None:
    _apply(session, message, read, step_of_intent(read.data, None))


def _apply(session: Session, message: WebhookMessage, read: Read, step: PaymentStep) -> None:
    payment_id = _payment_named(session, message, read.data)
    if payment_id is not None:
        with locked(session, payment_id) as payment:
            apply_step(session, payment, step, read_at=read.at)


def _apply_refund(session: Session, message: WebhookMessage, read: Read) -> None:
    intent = read.data.get("payment_intent")
    if not isinstance(intent, Mapping):
        return
    payment_id = _payment_named(session, message, intent)
    if payment_id is None:
        return
    key = from_public(REFUND_PREFIX, str((read.data.get("metadata") or {}).get(REFUND_KEY, "")))
    step = step_of_refund(read.data)
    with locked(session, payment_id) as payment:
        apply_step(session, payment, step_of_intent(intent, None), read_at=read.at)
        session.flush()
        known = Refund.id == key if key else Refund.provider_ref == step.provider_ref
        refund = session.scalar(select(Refund).where(Refund.payment_id == payment.id, known))
        if refund is not None:
            refund_service.apply_refund(session, payment, refund, step)
        else:
            refund_service.note_foreign(session, payment, int(read.data["amount"]), step)


def _payment_named(session: Session, message: WebhookMessage, found: Mapping[str, Any]) -> UUID | None:
    """The payment that the object's metadata name, if it goes by the account that the message came for."""
    name = str((found.get("metadata") or {}).get(PAYMENT_KEY, ""))
    key = from_public(PAYMENT_PREFIX, name)
    if key is None:
        return None
    mine = (Payment.id == key, Payment.account_id.is_not_distinct_from(message.account_id))
    scope = TenantScope(message.vendor_id) if message.vendor_id else SYSTEM
    with acting_in(session, scope):
        return session.scalar(select(Payment.id).where(*mine, Payment.provider == "stripe"))
