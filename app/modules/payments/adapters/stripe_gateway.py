"""Payments by Stripe: a Checkout page, and the PaymentIntent behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from stripe import SignatureVerificationError, StripeClient, WebhookSignature

from app.core.config import get_settings
from app.core.ids import to_public
from app.modules.payments.adapters.stripe_api import translated_errors
from app.modules.payments.contracts import (
    AccountCheck,
    Handle,
    PaymentRequest,
    PaymentStep,
    RefundStep,
    WebhookMessage,
)
from app.modules.payments.enums import PaymentState, RefundState
from app.modules.payments.exceptions import GatewayRefusedError, WebhookRefusedError

PAYMENT_KEY, REFUND_KEY = "wizamart_payment", "wizamart_refund"
PAYMENT_PREFIX, REFUND_PREFIX = "pay", "rfn"
SIGNATURE_HEADER = "stripe-signature"
_TOLERANCE_SECONDS = 300
_EXPAND_INTENT = ["payment_intent"]


@dataclass(frozen=True, slots=True)
class StripeGateway:
    """One account at Stripe."""

    client: StripeClient
    webhook_secret: str
    is_remote: bool = True

    def start(self, handle: Handle, request: PaymentRequest) -> PaymentStep:
        """Open a Checkout page for the amount."""
        names = {PAYMENT_KEY: to_public(PAYMENT_PREFIX, handle.payment_id)}
        back = request.return_url or get_settings().base_url
        params: dict[str, Any] = {
            "mode": "payment",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": request.currency.lower(),
                        "unit_amount": request.amount_cents,
                        "product_data": {"name": request.description},
                    },
                }
            ],
            "success_url": back,
            "cancel_url": back,
            "client_reference_id": names[PAYMENT_KEY],
            "metadata": names,
            "payment_intent_data": {
                "metadata": names,
                "description": request.description,
                "capture_method": "automatic" if request.is_captured_at_once else "manual",
            },
        }
        if request.customer_email:
            params["customer_email"] = request.customer_email
        with translated_errors():
            made = self.client.v1.checkout.sessions.create(params, {"idempotency_key": handle.key})  # type: ignore[arg-type]
        return step_of_session(made.to_dict())

    def confirm(self, handle: Handle) -> PaymentStep:
        """Ask Stripe how it stands."""
        with translated_errors():
            found = self.client.v1.checkout.sessions.retrieve(_ref(handle), {"expand": _EXPAND_INTENT})
        return step_of_session(found.to_dict())

    def capture(self, handle: Handle, amount_cents: int) -> PaymentStep:
        """Take the promised money; Stripe lets go of the rest."""
        with translated_errors():
            intent = self.client.v1.payment_intents.capture(
                _intent(handle), {"amount_to_capture": amount_cents}, {"idempotency_key": handle.key}
            )
        return step_of_intent(intent.to_dict(), handle.provider_ref)

    def cancel(self, handle: Handle) -> PaymentStep:
        """Let go of the promised money, or close the Checkout page."""
        with translated_errors():
            if handle.intent_ref:
                intent = self.client.v1.payment_intents.cancel(
                    handle.intent_ref, {}, {"idempotency_key": handle.key}
                )
                return step_of_intent(intent.to_dict(), handle.provider_ref)
            if handle.provider_ref:
                self.client.v1.checkout.sessions.expire(
                    handle.provider_ref, {}, {"idempotency_key": handle.key}
                )
        return PaymentStep(PaymentState.CANCELLED, handle.provider_ref)

    def refund(self, handle: Handle, amount_cents: int) -> RefundStep:
        """Give money back; ``handle.key`` is the refund's."""
        with translated_errors():
            made = self.client.v1.refunds.create(
                {
                    "payment_intent": _intent(handle),
                    "amount": amount_cents,
                    "metadata": {REFUND_KEY: handle.key},
                },
                {"idempotency_key": handle.key},
            )
        return step_of_refund(made.to_dict())

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookMessage:
        """The event in the body. Fields that are not known, and missing ones that are not needed, do no harm."""
        try:
            WebhookSignature.verify_header(
                body, headers.get(SIGNATURE_HEADER, ""), self.webhook_secret, _TOLERANCE_SECONDS
            )
            return message_of(orjson.loads(body))
        except (SignatureVerificationError, ValueError, KeyError, TypeError, AttributeError, IndexError):
            raise WebhookRefusedError from None

    def check(self) -> AccountCheck:
        """Ask Stripe whose key this is."""
        with translated_errors():
            account = self.client.v1.accounts.retrieve_current().to_dict()
        shown = (account.get("settings") or {}).get("dashboard") or {}
        name = shown.get("display_name") or (account.get("business_profile") or {}).get("name")
        return AccountCheck(str(name or account["id"]))


def message_of(event: Mapping[str, Any]) -> WebhookMessage:
    """An event's envelope: with a snapshot of the object, or thin, which only names it. KeyError when it is none."""
    found = (event.get("data") or {}).get("object") or event.get("related_object") or {}
    return WebhookMessage(
        id=_text(event["id"]),
        type=_text(event["type"]),
        created_at=_moment(event["created"]),
        object_id=str(found.get("id") or event["id"]),
        object_type=str(found.get("object") or found.get("type") or event["type"].rpartition(".")[0]),
        api_version=str(event.get("api_version") or ""),
        payload=event,
    )


def step_of_session(found: Mapping[str, Any]) -> PaymentStep:
    """How a Checkout session (with its PaymentIntent, if it is expanded) says that a payment stands."""
    intent = found.get("payment_intent")
    reference, url = str(found["id"]), found.get("url")
    if found.get("status") == "expired":
        return PaymentStep(PaymentState.FAILED, reference, failure_code="expired")
    if isinstance(intent, Mapping):
        return step_of_intent(intent, reference, url)
    return PaymentStep(PaymentState.PENDING, reference, url, intent_ref=intent)


def step_of_intent(found: Mapping[str, Any], reference: str | None, url: str | None = None) -> PaymentStep:
    """How a PaymentIntent stands. A declined card is no end: the payer may try another one."""
    intent, status = str(found["id"]), found.get("status")
    if status == "succeeded":
        captured = int(found.get("amount_received") or found["amount"])
        return PaymentStep(PaymentState.CAPTURED, reference, captured_cents=captured, intent_ref=intent)
    if status == "requires_capture":
        return PaymentStep(PaymentState.AUTHORISED, reference, intent_ref=intent)
    if status == "canceled":
        return PaymentStep(PaymentState.CANCELLED, reference, intent_ref=intent)
    failure = (found.get("last_payment_error") or {}).get("code")
    return PaymentStep(PaymentState.PENDING, reference, url, failure_code=failure, intent_ref=intent)


def step_of_refund(found: Mapping[str, Any]) -> RefundStep:
    """How a refund stands."""
    states = {
        "succeeded": RefundState.SUCCEEDED,
        "failed": RefundState.FAILED,
        "canceled": RefundState.FAILED,
    }
    state = states.get(str(found.get("status")), RefundState.PENDING)
    failure = found.get("failure_reason") or (
        str(found.get("status")) if state is RefundState.FAILED else None
    )
    return RefundStep(state, str(found["id"]), failure)


def _ref(handle: Handle) -> str:
    if not handle.provider_ref:
        raise GatewayRefusedError("The payment was not started.", reason="not_started")
    return handle.provider_ref


def _intent(handle: Handle) -> str:
    if not handle.intent_ref:
        raise GatewayRefusedError("Nothing was paid.", reason="not_paid")
    return handle.intent_ref


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise KeyError(value)
    return value


def _moment(value: Any) -> datetime:
    """A time as seconds, or as ISO text in thin events."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return datetime.fromtimestamp(int(value), UTC)
