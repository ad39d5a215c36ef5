"""Kinds and reasons of changes."""

from enum import StrEnum


class MovementKind(StrEnum):
    """What changed the stock."""

    RESERVE = "reserve"
    RELEASE = "release"
    FULFIL = "fulfil"
    ADJUST = "adjust"
    SET = "set"
    IMPORT = "import"
    RETURN = "return"
    TRANSFER = "transfer"
    RECEIVE = "receive"


class Reason(StrEnum):
    """Why a person changed the stock."""

    CORRECTION = "correction"
    COUNT = "count"
    RECEIVED = "received"
    RETURN_RESTOCK = "return_restock"
    DAMAGED = "damaged"
    THEFT_OR_LOSS = "theft_or_loss"
    PROMOTION_OR_DONATION = "promotion_or_donation"


class CountStatus(StrEnum):
    """How far a stock count is."""

    OPEN = "open"
    APPLIED = "applied"
    DISCARDED = "discarded"
