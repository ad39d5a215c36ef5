"""States of customers and of what is asked about their data."""

from enum import StrEnum


class CustomerStatus(StrEnum):
    """Inactive: known from an order; active: has signed up in the shop; blocked: is not to be served."""

    INACTIVE = "inactive"
    ACTIVE = "active"
    BLOCKED = "blocked"


class ConsentPurpose(StrEnum):
    """What a customer can agree to."""

    NEWSLETTER = "newsletter"
    OFFERS = "offers"
    PROFILING = "profiling"


class RequestKind(StrEnum):
    """What can be asked about the data of a person."""

    EXPORT = "export"
    ERASE = "erase"


class RequestState(StrEnum):
    """Waiting: a second person has to agree; agreed: its job does it or has done it."""

    WAITING = "waiting"
    AGREED = "agreed"
    REFUSED = "refused"
