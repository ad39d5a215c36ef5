"""What other modules may know of the marketplace: reports of imports, and what a connector to a marketplace is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.orders.contracts import NewOrder
from app.modules.providers import ProviderPoint


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of an import: the state of its job, when it ran (UTC), its rows, and the code of what stopped it."""

    state: str
    started_at: datetime | None
    finished_at: datetime | None
    rows: int
    created: int
    updated: int
    unchanged: int
    excluded: int
    failed: int
    problem: str | None


class Ability(StrEnum):
    """What a marketplace can do through its connector; what is not named is never asked of it."""

    ORDERS = "orders"  # open orders, one by one and page by page
    HISTORY = "history"  # orders of the past
    DECISIONS = "decisions"  # yes and no to single units
    TRACKING = "tracking"
    RETURNS = "returns"
    FEED = "feed"  # it fetches the feed files, or is handed them
    STOCK = "stock"  # it is told levels
    LISTINGS = "listings"  # it says what it offers of the vendor
    DIRECTORY = "directory"  # it lists its shops


class UnitState(StrEnum):
    """What a marketplace says of one piece of goods."""

    OPEN = "open"
    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    RETURNED = "returned"
    UNKNOWN = "unknown"


class CheckOutcome(StrEnum):
    """What a test of a connection found; what comes first hides what comes after."""

    OK = "ok"
    NOT_CONFIGURED = "not_configured"
    UNREACHABLE = "unreachable"
    BAD_KEY = "bad_key"
    MISSING_ROLE = "missing_role"
    SCHEMA_DRIFT = "schema_drift"


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between what the connector expects of the marketplace and what is there.

    ``kind``: ``missing`` breaks something, ``deprecated`` will, ``extra`` (a value nobody expected) does no harm.
    """

    kind: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The answer of a test of the connection. ``detail`` is technical and has no secrets and no personal data."""

    outcome: CheckOutcome
    detail: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ExternalUnit:
    """One piece of goods, by the marketplace's id."""

    id: str
    state: UnitState


@dataclass(frozen=True, slots=True)
class ExternalOrder:
    """An order as the marketplace says it now. ``external_id`` is its key there and never changes.

    ``order`` is None where it cannot be read; ``fault`` then says why, in a code. ``raw`` is what was sent. The lines
    of ``order`` name the ids of their units. ``tracking``: number and carrier, where the marketplace says them.
    """

    external_id: str
    number: str
    units: tuple[ExternalUnit, ...]
    raw: Mapping[str, Any]
    order: NewOrder | None
    fault: str | None = None
    tracking: tuple[str, str] | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody has still to say yes or no to a unit."""
        return any(unit.state is UnitState.OPEN for unit in self.units)


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Some orders; ``cursor`` asks for those after them, None: there are no more. ``total``: of all pages, if known."""

    orders: Sequence[ExternalOrder]
    cursor: str | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a marketplace offers of the vendor: price in gross cents; None where it does not say."""

    external_id: str
    sku: str | None
    gtin: str | None = None
    title: str | None = None
    price_cents: int | None = None
    is_available: bool | None = None


@dataclass(frozen=True, slots=True)
class ListingPage:
    """Some listings, as `OrderPage`."""

    listings: Sequence[Listing]
    cursor: str | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class DirectoryShop:
    """A shop of a marketplace as its directory shows it to everybody."""

    external_id: str
    slug: str
    name: str
    company_name: str | None = None
    email: str | None = None
    phone: str | None = None
    homepage: str | None = None
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    is_active: bool = True
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """Some shops, as `OrderPage`."""

    shops: Sequence[DirectoryShop]
    cursor: str | None = None
    total: int | None = None


class Channel(Protocol):
    """An open line to a marketplace for one vendor. No call runs inside a transaction, and each has a time limit.

    Each call may raise ChannelUnavailableError (worth another try, after ``retry_after`` seconds), KeyRefusedError,
    RoleMissingError and SchemaDriftError. ``key`` names the act: with the same one it is done once.
    """

    def check(self) -> CheckReport:
        """Test the connection; raises nothing."""

    def read_open(self, cursor: str | None) -> OrderPage:
        """Orders with undecided units, oldest first as far as the marketplace sorts."""

    def read_history(self, cursor: str | None) -> OrderPage:
        """All orders, in the passes that the marketplace needs; the cursor is text that can be kept for days."""

    def read_order(self, external_id: str) -> ExternalOrder | None:
        """One order as it is now; None: it is gone."""

    def decide(self, external_id: str, decisions: Mapping[str, bool], *, key: str) -> None:
        """Say of units whether they are available. Raises ChannelRefusedError for what is not taken."""

    def track(self, external_id: str, number: str, carrier_code: str, *, key: str) -> None:
        """Say how a shipment can be followed. Raises ChannelRefusedError."""

    def take_back(self, external_id: str, unit_ids: Sequence[str], *, key: str) -> None:
        """Say that units came back. Raises ChannelRefusedError."""

    def read_listings(self, cursor: str | None) -> ListingPage:
        """What the marketplace offers of the vendor."""

    def tell_levels(self, levels: Mapping[str, int], *, key: str) -> None:
        """Units that can be sold, by SKU."""

    def hand_feed(self, language: str, file: Path, *, key: str) -> None:
        """Give a feed file that was sent; a marketplace that fetches it itself may be told that there is a new one."""

    def close(self) -> None:
        """Let go of the network."""


@dataclass(frozen=True, slots=True)
class AccessField:
    """One thing that a connector asks of a vendor, such as its key. The texts are its module's.

    What is secret is typed anew each time and never shown.
    """

    name: str
    label_key: str
    hint_key: str | None = None
    is_secret: bool = False
    is_required: bool = True
    max_length: int = 300


@dataclass(frozen=True, slots=True)
class Access:
    """What may be shown of what a vendor gave: by the names of the fields, secrets by their last letters; since when
    (UTC)."""

    values: Mapping[str, str] = field(default_factory=dict)
    set_at: datetime | None = None


class Connector(Protocol):
    """A marketplace: what it can do, what it asks of a vendor, and how to reach it for one."""

    code: str  # is the channel of its orders
    name: str  # as people know it
    abilities: frozenset[Ability]
    fields: tuple[AccessField, ...]  # () where it asks for nothing

    def keep(self, session: Session, connection_id: UUID, given: Mapping[str, str]) -> None:
        """Store what was given in the fields, in place of what there was; in the vendor's scope.

        Raises ValidationFailedError, with errors at the fields."""

    def show(self, session: Session, connection_id: UUID) -> Access:
        """What may be shown of what is stored."""

    def forget(self, session: Session, connection_id: UUID) -> None:
        """Let go of what is stored outside of the connection, which is about to go."""

    def open(self, session: Session, connection_id: UUID) -> Channel:
        """A line for a connection, with its credentials read in this session. Raises ChannelNotConfiguredError."""

    def read_directory(self, cursor: str | None) -> DirectoryPage:
        """The marketplace's shops, without anybody's credentials."""


CONNECTORS: ProviderPoint[Connector] = ProviderPoint("marketplace.connectors")


class ChannelStock(Protocol):
    """Answered by the module that knows stock, in the vendor's scope."""

    def available(
        self, session: Session, channel: str, product_ids: Sequence[UUID] | None
    ) -> Mapping[UUID, int]:
        """Units that the channel may sell, of the products that are tracked; None: of all of them."""


CHANNEL_STOCK: ProviderPoint[ChannelStock] = ProviderPoint("marketplace.channel_stock")
