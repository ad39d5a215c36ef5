"""What other modules may say to payments and hear from it. Amounts are cents of the currency; times are UTC."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session
from stripe import StripeClient

from app.modules.payments.enums import Payee, PaymentState, Provider, RefundState
from app.modules.providers import ProviderPoint


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What is to be paid. ``reference`` is the caller's own and unique in a vendor: asked twice, paid once.

    ``description`` is what the payer reads. ``return_url`` is where a provider's page leads back to. Without
    ``is_captured_at_once`` the money is only promised until ``capture_payment``.
    """

    amount_cents: int
    currency: str
    reference: str
    description: str
    return_url: str = ""
    customer_email: str | None = None
    is_captured_at_once: bool = True


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment to start: who is paid by which provider, what for, and how much.

    ``subject_type`` is ``<module>.<noun>``, ``subject_id`` the key of that record. ``platform_id`` says whose account
    takes it where the payee is the platform.
    """

    provider: Provider
    payee: Payee
    subject_type: str
    subject_id: UUID
    request: PaymentRequest
    platform_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PaymentStep:
    """What a provider says of a payment. ``redirect_url``: where the payer goes on; ``instructions``: what they are
    told (IBAN, reference). ``captured_cents`` None: all of it, if the state is captured."""

    state: PaymentState
    provider_ref: str | None = None
    redirect_url: str | None = None
    instructions: Mapping[str, str] = field(default_factory=dict)
    failure_code: str | None = None
    captured_cents: int | None = None
    intent_ref: str | None = None


@dataclass(frozen=True, slots=True)
class RefundStep:
    """What a provider says of a refund."""

    state: RefundState
    provider_ref: str | None = None
    failure_code: str | None = None


@dataclass(frozen=True, slots=True)
class Handle:
    """A payment as its provider knows it. ``key``: the idempotency key of the act."""

    payment_id: UUID
    amount_cents: int
    currency: str
    key: str
    provider_ref: str | None = None
    intent_ref: str | None = None
    is_captured_at_once: bool = True


@dataclass(frozen=True, slots=True)
class AccountCheck:
    """A look at an account that went well; ``name`` is what the provider calls it."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """A message of a provider whose signature fits. ``payload`` is the whole event as it came.

    ``vendor_id`` or ``platform_id``: whose account it came for; neither for the environment's.
    """

    id: str
    type: str
    created_at: datetime
    object_id: str
    object_type: str
    api_version: str
    payload: Mapping[str, Any]
    account_id: UUID | None = None
    vendor_id: UUID | None = None
    platform_id: UUID | None = None


class PaymentGateway(Protocol):
    """A provider with the credentials of one account. All but ``parse_webhook`` may call outside, with no transaction
    open.

    Calls raise GatewayUnavailableError (later), GatewayRefusedError (never like this).
    """

    @property
    def is_remote(self) -> bool:
        """Whether its calls go outside."""

    def start(self, handle: Handle, request: PaymentRequest, /) -> PaymentStep:
        """Begin; asked again with the same key, the same payment."""

    def confirm(self, handle: Handle, /) -> PaymentStep:
        """The payer (or whoever counted the money) says that it is paid: how it stands now."""

    def capture(self, handle: Handle, amount_cents: int, /) -> PaymentStep:
        """Take the promised money, or part of it; the rest is let go."""

    def cancel(self, handle: Handle, /) -> PaymentStep:
        """Let go of a payment that was not captured."""

    def refund(self, handle: Handle, amount_cents: int, /) -> RefundStep:
        """Give captured money back."""

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], /) -> WebhookMessage:
        """The message in a raw body. Raises WebhookRefusedError for a signature that does not fit."""

    def check(self) -> AccountCheck:
        """Whether the account can be used."""


@dataclass(frozen=True, slots=True)
class WebhookHandler:
    """What a module does about messages of Stripe of some types (exact names).

    ``fetch`` runs with no transaction open and reads the object again: an old payload is not to be trusted. One reading
    answers all messages about the object that came before it. ``apply`` runs once, in the transaction that marks the
    messages as processed, in the system's scope: it enters the vendor's own (``acting_in``). A message is offered to
    every handler of its type that it ``concerns``, as far as the message itself says; one that nobody is concerned
    with is stored, and no job is made.
    Only messages to the operator's own accounts come here, unless ``is_for_vendors``: a vendor's Stripe account can
    say whatever the vendor likes.
    """

    types: frozenset[str]
    fetch: Callable[[StripeClient, WebhookMessage], Any]
    apply: Callable[[Session, WebhookMessage, Any], None]
    is_for_vendors: bool = False
    concerns: Callable[[WebhookMessage], bool] | None = None


WEBHOOK_HANDLERS: ProviderPoint[Callable[[], Sequence[WebhookHandler]]] = ProviderPoint(
    "payments.webhook_handlers"
)
"""Answered by functions without parameters that return handlers."""


@dataclass(frozen=True, slots=True)
class PaymentInfo:
    """A payment as other modules see it. ``refunded_cents`` includes refunds that are under way."""

    id: UUID
    vendor_id: UUID
    payee: Payee
    provider: Provider
    subject_type: str
    subject_id: UUID
    reference: str
    amount_cents: int
    captured_cents: int
    refunded_cents: int
    currency: str
    state: PaymentState
    failure_code: str | None
    redirect_url: str | None
    instructions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money to give back. ``reference`` is unique in a payment: asked twice, refunded once."""

    amount_cents: int
    reference: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RefundInfo:
    """A refund as other modules see it."""

    id: UUID
    payment_id: UUID
    amount_cents: int
    state: RefundState
    failure_code: str | None


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """An account of a provider, without its secrets. ``key_hint`` is the prefix and the last letters of its key."""

    id: UUID
    provider: Provider
    vendor_id: UUID | None
    platform_id: UUID | None
    is_enabled: bool
    mode: str | None
    key_hint: str | None
