"""The states of orders and of what belongs to them."""

from enum import StrEnum


class OrderStatus(StrEnum):
    """Where an order is; which follows which is in ``services/state_service.py``."""

    PENDING = "pending"
    PROCESSING = "processing"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class LineKind(StrEnum):
    """What a line is of. Shipping has one line for each VAT rate."""

    PRODUCT = "product"
    SHIPPING = "shipping"


class Decision(StrEnum):
    """What the vendor said to a line."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


class ShipmentStatus(StrEnum):
    """A shipment can be cancelled until it is shipped."""

    PREPARED = "prepared"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class ExceptionKind(StrEnum):
    """Why a line cannot be sent as it is."""

    PRODUCT_NOT_FOUND = "product_not_found"
    GTIN_MISMATCH = "gtin_mismatch"
    DUPLICATE_GTIN = "duplicate_gtin"
    OUT_OF_STOCK = "out_of_stock"


class ExceptionStatus(StrEnum):
    """``ignored``: the line ships without a movement of stock."""

    PENDING = "pending"
    RESOLVED = "resolved"
    IGNORED = "ignored"


class MatchKind(StrEnum):
    """By what a product is recognised."""

    GTIN = "gtin"
    SKU = "sku"


class ProposalStatus(StrEnum):
    """What became of a change that the channel made after the order was confirmed."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Source(StrEnum):
    """Who changes an order: a person, a program with a key, the sales channel, or a task."""

    USER = "user"
    API = "api"
    CHANNEL = "channel"
    TASK = "task"


class HeldFor(StrEnum):
    """Why an order that is stored may not be worked on."""

    PLAN = "plan"
    BUYER = "buyer"
    """The buyer is blocked, and the channel took the order all the same."""


class RefundMethod(StrEnum):
    """How the money goes back."""

    ORIGINAL = "original"
    BANK_TRANSFER = "bank_transfer"
    CASH = "cash"
    VOUCHER = "voucher"
    CHANNEL = "channel"


class WithdrawalSource(StrEnum):
    """How the buyer said so."""

    EMAIL = "email"
    LETTER = "letter"
    PHONE = "phone"
    COUNTER = "counter"
    CHANNEL = "channel"


class WithdrawalStatus(StrEnum):
    """Where a withdrawal is; which follows which is in ``services/withdrawal_service.py``."""

    OPEN = "open"
    APPROVED = "approved"
    RECEIVED = "received"
    REFUNDED = "refunded"
    REFUSED = "refused"


def among(column: str, values: type[StrEnum]) -> str:
    """The condition under which a column holds one of the values, for a table's CHECK."""
    return f"{column} IN ({', '.join(repr(str(one)) for one in values)})"
