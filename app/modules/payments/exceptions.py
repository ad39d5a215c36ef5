"""What can go wrong with payments."""

from app.core.errors import (
    AppError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
    ValidationFailedError,
)


class PaymentNotFoundError(NotFoundError):
    """There is no such payment, or it is another tenant's."""

    code = "payments.payment_not_found"
    title = "There is no such payment"


class AccountNotFoundError(NotFoundError):
    """There is no such provider here."""

    code = "payments.account_not_found"
    title = "There is no such payment provider"


class WebhookNotFoundError(NotFoundError):
    """There is no such incoming webhook."""

    code = "payments.webhook_not_found"
    title = "There is no such incoming webhook"


class ProviderOffError(ConflictError):
    """The provider is not switched on, or not set up."""

    code = "payments.provider_off"
    title = "This way to pay is not set up"


class PaymentStateError(ConflictError):
    """The payment's state does not allow this (any more)."""

    code = "payments.payment_state"
    title = "This cannot be done with the payment now"


class ReferenceTakenError(ConflictError):
    """Another payment or refund has this reference."""

    code = "payments.reference_taken"
    title = "The reference is taken"


class PayeeError(ForbiddenError):
    """Only who got the money captures, cancels and refunds."""

    code = "payments.payee"
    title = "Only the payee may do this"


class AmountError(ValidationFailedError):
    """The amount does not fit; the field says what would."""

    code = "payments.amount"
    title = "The amount does not fit"


class AccountInputError(ValidationFailedError):
    """The provider cannot be saved like this; each field says what to do."""

    code = "payments.account_input"
    title = "The payment provider cannot be saved like this"


class WebhookRefusedError(AppError):
    """The message does not carry the signature that our secret makes, or is no event."""

    status = 400
    code = "payments.webhook_refused"
    title = "The message is not signed as it must be"


class GatewayUnavailableError(UnavailableError):
    """The provider does not answer, or asks us to come back later."""

    code = "payments.gateway_unavailable"
    title = "The payment provider does not answer"


class GatewayRefusedError(ConflictError):
    """The provider says no, and will say so again."""

    code = "payments.gateway_refused"
    title = "The payment provider has refused"


class StripeNotConfiguredError(ConfigurationError):
    """There is no key of Stripe and no stand-in for it."""

    code = "payments.stripe_not_configured"
    title = "Stripe is not set up"


class AccountIncompleteError(ConflictError):
    """The provider cannot be switched on before its details are complete."""

    code = "payments.account_incomplete"
    title = "The payment provider is not complete"
