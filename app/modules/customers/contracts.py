"""What other modules may know of customers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple, Protocol, Self
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.providers import ProviderPoint


@dataclass(frozen=True, slots=True)
class _Stored:
    """Values that orders and documents keep as JSON, as they were."""

    def to_json(self) -> dict[str, Any]:
        """As an object with all fields, null where empty."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From such an object; fields it lacks are empty, what is unknown is left out."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})


@dataclass(frozen=True, slots=True)
class Buyer(_Stored):
    """Who ordered, as a channel says it. ``language`` is one of ours (en, fr, de, lb)."""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company_name: str | None = None
    vat_number: str | None = None
    phone: str | None = None
    language: str = "fr"

    @property
    def name(self) -> str:
        """The person's name, else the company's, else the e-mail address; empty where nothing is known."""
        return full_name(self) or self.company_name or self.email or ""


@dataclass(frozen=True, slots=True)
class Address(_Stored):
    """A postal address; None where empty. ``country`` is ISO 3166 alpha-2."""

    name: str | None = None
    company: str | None = None
    line1: str | None = None
    line2: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    phone: str | None = None

    def lines(self) -> list[str]:
        """What stands on an envelope, line by line, without the country."""
        town = " ".join(filter(None, [self.postcode, self.city]))
        return [one for one in (self.name, self.company, self.line1, self.line2, town) if one]


@dataclass(frozen=True, slots=True)
class SavedAddress:
    """An address in a customer's address book."""

    id: UUID
    address: Address
    is_shipping_default: bool
    is_billing_default: bool


@dataclass(frozen=True, slots=True)
class CustomerSummary:
    """A customer as other modules see them. ``spent_cents`` is gross, less what was refunded. ``status`` is inactive,
    active or blocked, and ``blocked_reason`` says why. ``name`` is empty for a person that was erased."""

    id: UUID
    name: str
    email: str | None
    first_name: str | None
    last_name: str | None
    company_name: str | None
    vat_number: str | None
    phone: str | None
    language: str
    status: str
    blocked_reason: str | None
    orders_count: int
    spent_cents: int
    last_order_at: datetime | None


class Known(NamedTuple):
    """Who orders: the record's id, and whether the vendor does not want to serve them."""

    id: UUID
    is_blocked: bool


class MergeRows(Protocol):
    """Answered by modules whose rows name a customer."""

    def __call__(self, session: Session, from_id: UUID, into_id: UUID) -> int:
        """Let rows of one customer be of another, in the session's transaction; how many there were."""
        ...


MERGE: ProviderPoint[MergeRows] = ProviderPoint("customers.merge")


class Named(Protocol):
    """Whatever has the names of a person."""

    @property
    def first_name(self) -> str | None:
        """The given name."""
        ...

    @property
    def last_name(self) -> str | None:
        """The family name."""
        ...


def full_name(person: Named) -> str:
    """First and last name with a blank between; empty where both are missing."""
    return " ".join(filter(None, [person.first_name, person.last_name]))
