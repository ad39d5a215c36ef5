"""Words of the payments module."""

from enum import StrEnum


class Provider(StrEnum):
    """How money is paid."""

    STRIPE = "stripe"
    BANK_TRANSFER = "bank_transfer"
    CASH = "cash"
    SANDBOX = "sandbox"


class Payee(StrEnum):
    """Who gets the money: the operator of a platform, from a vendor; or a vendor, from a customer."""

    PLATFORM = "platform"
    VENDOR = "vendor"


class PaymentState(StrEnum):
    """Where a payment stands. ``pending`` waits for whoever pays; ``authorised`` money is promised, not taken."""

    CREATED = "created"
    PENDING = "pending"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RefundState(StrEnum):
    """Where a refund stands. A pending one counts as given back already."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class CheckOutcome(StrEnum):
    """What came of the last look at an account of a provider."""

    OK = "ok"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    INCOMPLETE = "incomplete"


class KeyMode(StrEnum):
    """Whether a key moves real money, by its prefix."""

    TEST = "test"
    LIVE = "live"


class WebhookState(StrEnum):
    """What became of an incoming webhook. ``dead``: its job has given up."""

    WAITING = "waiting"
    RETRYING = "retrying"
    PROCESSED = "processed"
    DEAD = "dead"
