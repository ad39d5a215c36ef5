"""What others may ask of billing.

Every function works in the caller's transaction and calls nobody outside. What has to be said to Stripe is written down
as a request (``ask_…``) that a job carries out after the commit; ``find_request`` tells what became of it.
"""

from app.modules.billing.services.addon_service import list_addons
from app.modules.billing.services.invoice_service import list_invoices
from app.modules.billing.services.limit_service import add_override
from app.modules.billing.services.stripe_request_service import (
    ask_addon,
    ask_addon_sync,
    ask_cancel,
    ask_card,
    ask_change,
    ask_checkout,
    ask_payment,
    ask_reactivate,
    ask_sync,
    ask_tier_sync,
    find_request,
)
from app.modules.billing.services.subscription_service import count_by_status, find_info, start_trial
from app.modules.billing.services.tier_service import list_tiers

__all__ = [
    "add_override",
    "ask_addon",
    "ask_addon_sync",
    "ask_cancel",
    "ask_card",
    "ask_change",
    "ask_checkout",
    "ask_payment",
    "ask_reactivate",
    "ask_sync",
    "ask_tier_sync",
    "count_by_status",
    "find_info",
    "find_request",
    "list_addons",
    "list_invoices",
    "list_tiers",
    "start_trial",
]
