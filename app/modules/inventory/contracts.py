"""What other modules may know of the stock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.inventory.enums import MovementKind, Reason
from app.modules.providers import ProviderPoint

Wanted = Sequence[tuple[UUID, UUID, int]]
"""Lines of an order: line, product, units."""


class Place(NamedTuple):
    """Where units of a product lie; ``bin_location`` is "" where the warehouse has no places."""

    product_id: UUID
    warehouse_id: UUID
    bin_location: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A new figure of units at a place: ``units`` more (or fewer), or with ``is_set`` so many."""

    place: Place
    units: int
    is_set: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a change is made, as the ledger notes it. ``reference_*``: the record behind it, such as a count."""

    kind: MovementKind
    reason: Reason | None = None
    note: str | None = None
    user_id: UUID | None = None
    reference_type: str | None = None
    reference_id: UUID | None = None
    reference_label: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is of a product over all places."""

    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        """What can still be promised."""
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True)
class Expected:
    """What a delivery will bring."""

    quantity: int
    expected_on: date | None = None
    supplier: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for a product on a channel; None: nothing is said. In units."""

    low_stock_level: int | None = None
    kept_back: int | None = None
    most_listed: int | None = None


class Arrival(Protocol):
    """Answered by modules in which something waits for stock."""

    def __call__(self, session: Session, vendor_id: UUID, product_ids: Sequence[UUID]) -> None:
        """There may be more of these products than before. Said in the vendor's scope, before the transaction ends
        that changed them; others wait for the same products meanwhile, so what takes long is done by a job."""
        ...


ARRIVAL: ProviderPoint[Arrival] = ProviderPoint("inventory.stock_arrival")


class LevelWatch(Protocol):
    """Answered by modules that tell levels to others."""

    def __call__(self, session: Session, vendor_id: UUID) -> None:
        """Levels of the vendor's changed. Said as an arrival is, but with every change: next to nothing may be done
        where nobody is to be told. Only who wants all of them listens to ``inventory.level_changed`` instead."""
        ...


LEVEL_WATCH: ProviderPoint[LevelWatch] = ProviderPoint("inventory.level_watch")


class Outcome(NamedTuple):
    """What a change made of a place: before and after, in units on hand."""

    place: Place
    before: int
    after: int
    reserved: int
