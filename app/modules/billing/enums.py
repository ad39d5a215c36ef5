"""Closed vocabularies of billing."""

from enum import StrEnum


class SubscriptionStatus(StrEnum):
    """Where a subscription stands. Texts: message key ``billing.status.<value>``.

    past_due: a payment failed, the grace runs; cancelled: ends when what was paid for ends; expired: read-only.
    """

    TRIAL = "trial"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Interval(StrEnum):
    """How long a period is."""

    MONTH = "month"
    YEAR = "year"


class ChangeSource(StrEnum):
    """Who changed a subscription."""

    USER = "user"
    TASK = "task"
    STRIPE = "stripe"


class ChangeKind(StrEnum):
    """What changed. Texts: message key ``billing.changes.<value>``."""

    TRIAL_STARTED = "trial_started"
    TRIAL_EXTENDED = "trial_extended"
    ACTIVATED = "activated"
    TIER_CHANGED = "tier_changed"
    TIER_CHANGE_PLANNED = "tier_change_planned"
    TIER_CHANGE_DROPPED = "tier_change_dropped"
    CANCELLED = "cancelled"
    REACTIVATED = "reactivated"
    PAST_DUE = "past_due"
    PAID = "paid"
    EXPIRED = "expired"
    OVERRIDE_SET = "override_set"
    OVERRIDE_REMOVED = "override_removed"
    ADDON_ADDED = "addon_added"
    ADDON_REMOVED = "addon_removed"
    SYNCED = "synced"
    REMINDED = "reminded"


class CancelFeedback(StrEnum):
    """Why a vendor leaves, in Stripe's words. Texts: message key ``billing.cancel_feedback.<value>``."""

    TOO_EXPENSIVE = "too_expensive"
    MISSING_FEATURES = "missing_features"
    SWITCHED_SERVICE = "switched_service"
    UNUSED = "unused"
    TOO_COMPLEX = "too_complex"
    CUSTOMER_SERVICE = "customer_service"
    LOW_QUALITY = "low_quality"
    OTHER = "other"


class InvoiceKind(StrEnum):
    """What an invoice is for. Texts: message key ``billing.invoice_kinds.<value>``."""

    CYCLE = "cycle"
    PRORATION = "proration"
    ADDON = "addon"
    MANUAL = "manual"


class InvoiceStatus(StrEnum):
    """Where an invoice stands. Texts: message key ``billing.invoice_status.<value>``."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


class RequestKind(StrEnum):
    """What is asked of Stripe."""

    CHECKOUT = "checkout"
    PORTAL = "portal"
    CHANGE = "change"
    CANCEL = "cancel"
    REACTIVATE = "reactivate"
    ADDON = "addon"
    PAY = "pay"
