"""Errors of billing."""

from app.core.errors import (
    AppError,
    ConflictError,
    FieldError,
    NotFoundError,
    ValidationFailedError,
)


class BillingException(AppError):
    """Base of billing's errors."""

    status = 409
    code = "billing.error"
    title = "Billing cannot do this"


class SubscriptionError(BillingException):
    """The subscription's state does not allow this; params: ``status``, ``action``."""

    code = "billing.subscription_state"
    title = "The subscription does not allow this now"


class SubscriptionNotFoundError(BillingException, NotFoundError):
    """The vendor has no subscription."""

    status = 404
    code = "billing.subscription_not_found"
    title = "There is no such subscription"


class SubscriptionExistsError(BillingException, ConflictError):
    """The vendor has a subscription already."""

    code = "billing.subscription_exists"
    title = "There is a subscription already"


class TierNotFoundError(BillingException, NotFoundError):
    """The platform has no such plan."""

    status = 404
    code = "billing.tier_not_found"
    title = "There is no such plan"


class TierArchivedError(BillingException, ConflictError):
    """An archived plan is not sold any more."""

    code = "billing.tier_archived"
    title = "This plan is no longer offered"


class AddonNotFoundError(BillingException, NotFoundError):
    """The platform has no such add-on, or the vendor has not booked it."""

    status = 404
    code = "billing.addon_not_found"
    title = "There is no such add-on"


class OverrideNotFoundError(BillingException, NotFoundError):
    """The vendor has no exception of its own for this limit."""

    status = 404
    code = "billing.override_not_found"
    title = "There is no such exception"


class InvoiceNotFoundError(BillingException, NotFoundError):
    """The vendor has no such invoice."""

    status = 404
    code = "billing.invoice_not_found"
    title = "There is no such invoice"


class InvoiceStateError(BillingException, ConflictError):
    """The invoice's state does not allow this; params: ``status``."""

    code = "billing.invoice_state"
    title = "The invoice does not allow this now"


class BilledByStripeError(BillingException, ConflictError):
    """Stripe bills this subscription: what is asked has to be asked of Stripe."""

    code = "billing.billed_by_stripe"
    title = "Stripe bills this subscription"


class BillingInputError(BillingException, ValidationFailedError):
    """A value that cannot be accepted, said at its field."""

    status = 422
    code = "billing.input"
    title = "The value cannot be accepted"

    def __init__(self, field: str, reason: str, **params: object) -> None:
        error = FieldError(field, reason, f"billing.errors.{reason}", params)
        ValidationFailedError.__init__(self, f"{field}: {reason}", errors=[error])


class NotBilledByStripeError(BillingException, ConflictError):
    """Stripe knows nothing of this subscription or invoice."""

    code = "billing.not_billed_by_stripe"
    title = "Stripe does not bill this"


class ChangeWaitsError(BillingException, ConflictError):
    """A smaller plan waits for the period's end: it has to be dropped before anything else is chosen."""

    code = "billing.change_waits"
    title = "A change of the plan waits already"


class PreviewStaleError(BillingException, ConflictError):
    """What was shown is too old, or of another change: it has to be asked for again."""

    code = "billing.preview_stale"
    title = "The amount that was shown may no longer be right"
