"""What other modules may ask of payments.

Every function works in the caller's transaction and calls nobody outside: what a provider must be told is done by a job
after the commit. Payments are found in the session's scope; they are written in the scope of their vendor.
"""

from app.modules.payments.adapters.stripe_api import translated_errors
from app.modules.payments.enums import Provider
from app.modules.payments.services.account_service import find_account, stripe_client
from app.modules.payments.services.payment_service import (
    cancel_payment,
    capture_payment,
    confirm_payment,
    get_payment,
    list_payments,
    start_payment,
)
from app.modules.payments.services.refund_service import list_refunds, refund_payment
from app.modules.payments.services.webhook_service import delete_processed as delete_processed_webhooks

__all__ = [
    "Provider",
    "cancel_payment",
    "capture_payment",
    "confirm_payment",
    "delete_processed_webhooks",
    "find_account",
    "get_payment",
    "list_payments",
    "list_refunds",
    "refund_payment",
    "start_payment",
    "stripe_client",
    "translated_errors",
]
