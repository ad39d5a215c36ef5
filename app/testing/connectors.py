"""What every connector to a marketplace must keep to, as tests that it inherits.

A connector has one file ``tests/test_connector.py``::

    from app.testing.connectors import ConnectorConformance, Goods


    class TestConnector(ConnectorConformance):
        @pytest.fixture
        def there(self, …) -> Iterator[MarketplaceWorld]:
            yield …

The fixture gives the marketplace's own side (`MarketplaceWorld`): a stand-in, or whatever the connector talks to, with
nothing in it at first. What the connector cannot do (`Ability`) is not asked of it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import pytest

from app.modules.base import load
from app.modules.marketplace.contracts import (
    CONNECTORS,
    Ability,
    Channel,
    CheckOutcome,
    Connector,
    ExternalOrder,
    Listing,
    ListingPage,
    OrderPage,
    UnitState,
)
from app.modules.marketplace.exceptions import ChannelRefusedError, ChannelUnavailableError
from app.modules.registry import modules

_MOST_PAGES = 50
Page = TypeVar("Page", OrderPage, ListingPage)


class Goods(NamedTuple):
    """A line of a basket: so many of one thing, at a gross price in cents."""

    sku: str
    title: str
    quantity: int
    price_cents: int


_CHAIRS, _LAMP = Goods("KIT-CHAIR", "Chair", 3, 1999), Goods("KIT-LAMP", "Lamp", 1, 4550)


class MarketplaceWorld(Protocol):
    """The marketplace as it is without the connector. ``few``: so many orders fill more than one page."""

    connector: Connector
    few: int

    def open(self) -> Channel:
        """A new line to it, for a vendor that has all rights there."""

    def place(self, basket: Sequence[Goods]) -> str:
        """A buyer orders; the id of the order."""

    def states(self, order_id: str) -> Mapping[str, UnitState]:
        """What the marketplace itself says of the order's units."""

    def tracking(self, order_id: str) -> tuple[str, str] | None:
        """Number and carrier that the buyer is shown."""

    def told(self) -> int:
        """How often it was told something that it took to heart: decisions, returns and numbers of parcels."""

    def unavailable(self) -> AbstractContextManager[object]:
        """In the block it does not answer."""

    def levels(self) -> Mapping[str, int] | None:
        """The levels that it was told last; None where it takes none."""

    def offer(self, goods: Goods) -> None:
        """Offer something of the vendor's there, where it says what it offers."""


class ConnectorConformance:
    """All rules. A subclass brings the fixture ``there``."""

    def test_it_says_who_it_is(self, there: MarketplaceWorld) -> None:
        connector = there.connector
        assert re.fullmatch(r"[a-z][a-z0-9_]*", connector.code)
        assert connector.name.strip()
        assert connector.abilities
        named = [module.providers.get(CONNECTORS.name) for module in modules().values()]
        assert connector in [load(path) for path in named if path], "name it in the definition's providers"
        with _line(there) as channel:
            assert channel.check().outcome is CheckOutcome.OK

    def test_an_order_has_its_lines_and_units(self, there: MarketplaceWorld) -> None:
        order_id = there.place([_CHAIRS, _LAMP])
        with _line(there) as channel:
            (found,) = _pages(channel.read_open)
            assert found.external_id == order_id
            assert found.is_open
            assert found.fault is None
            assert {unit.id: unit.state for unit in found.units} == there.states(order_id)
            order = found.order
            assert order is not None
            assert (order.channel, order.external_id) == (there.connector.code, order_id)
            lines = {(line.title, line.quantity, line.unit_price_cents) for line in order.lines}
            assert lines == {(goods.title, goods.quantity, goods.price_cents) for goods in (_CHAIRS, _LAMP)}
            assert all(len(line.external_unit_ids) == line.quantity for line in order.lines)
            named = [unit for line in order.lines for unit in line.external_unit_ids]
            assert sorted(named) == sorted(unit.id for unit in found.units)
            assert order.raw == found.raw

    def test_reading_changes_nothing(self, there: MarketplaceWorld) -> None:
        order_id = there.place([_CHAIRS])
        with _line(there) as channel:
            assert _pages(channel.read_open) == _pages(channel.read_open) == [channel.read_order(order_id)]
            assert channel.read_order("no-such-order") is None
        assert there.told() == 0

    def test_pages_stay_right_while_orders_are_settled(self, there: MarketplaceWorld) -> None:
        placed = [there.place([_LAMP]) for _ in range(there.few)]
        seen: list[str] = []
        with _line(there) as channel:
            for number, page in enumerate(_each_page(channel.read_open)):
                assert number == 0 or page.orders
                for order in page.orders:
                    seen.append(order.external_id)
                    units = {unit.id: True for unit in order.units}
                    channel.decide(order.external_id, units, key=f"page-{order.external_id}")
            assert sorted(seen) == sorted(placed)
            assert number > 0, "there was one page only: `few` is too small"
            assert _pages(channel.read_open) == []

    def test_units_are_decided_one_by_one(self, there: MarketplaceWorld) -> None:
        order_id = there.place([_CHAIRS])
        first, second, third = sorted(there.states(order_id))
        with _line(there) as channel:
            channel.decide(order_id, {first: True, second: False}, key="decide-1")
            expected = {first: UnitState.AVAILABLE, second: UnitState.UNAVAILABLE, third: UnitState.OPEN}
            assert there.states(order_id) == expected
            found = channel.read_order(order_id)
            assert found is not None
            assert found.is_open
            channel.decide(order_id, {third: True}, key="decide-2")
            found = channel.read_order(order_id)
            assert found is not None
            assert not found.is_open
            assert there.told() == 2

    def test_what_is_said_again_is_done_once(self, there: MarketplaceWorld) -> None:
        order_id = there.place([_CHAIRS])
        units = dict.fromkeys(there.states(order_id), True)
        returned = sorted(units)[:1]
        with _line(there) as channel:
            for _ in range(2):
                channel.decide(order_id, units, key="again-1")
            channel.decide(order_id, units, key="again-2")
            for _ in range(2):
                channel.take_back(order_id, returned, key="again-3")
                channel.track(order_id, "LU123456789", "post-lu", key="again-4")
        assert sorted(there.states(order_id).values()) == ["available", "available", "returned"]
        assert there.tracking(order_id) == ("LU123456789", "post-lu")
        assert there.told() == 3

    def test_a_refusal_is_said_and_changes_nothing(self, there: MarketplaceWorld) -> None:
        order_id = there.place([_CHAIRS])
        first, second, third = sorted(there.states(order_id))
        with _line(there) as channel:
            channel.decide(order_id, {first: True, second: False}, key="refuse-1")
            before = there.states(order_id)
            for number, (wanted, unit, is_available) in enumerate(
                [(order_id, first, False), (order_id, "no-such-unit", True), ("no-such-order", first, True)]
            ):
                with pytest.raises(ChannelRefusedError) as refused:
                    channel.decide(wanted, {unit: is_available}, key=f"refuse-decision-{number}")
                assert refused.value.reason, "a refusal has a code"
            for unit in (second, third):
                with pytest.raises(ChannelRefusedError):
                    channel.take_back(order_id, [unit], key=f"refuse-return-{unit}")
        assert there.states(order_id) == before

    def test_the_past_has_all_orders_once(self, there: MarketplaceWorld) -> None:
        placed = [there.place([_LAMP]) for _ in range(there.few)]
        with _line(there) as channel:
            for order_id in placed[::2]:
                channel.decide(order_id, dict.fromkeys(there.states(order_id), True), key=f"past-{order_id}")
            seen = [order.external_id for order in _pages(channel.read_history)]
            assert set(seen) == set(placed)
            assert len(seen) == len(placed)

    def test_silence_is_told_from_a_refusal(self, there: MarketplaceWorld) -> None:
        order_id = there.place([_LAMP])
        units = dict.fromkeys(there.states(order_id), True)
        with _line(there) as channel:
            with there.unavailable():
                assert channel.check().outcome is CheckOutcome.UNREACHABLE
                with pytest.raises(ChannelUnavailableError):
                    channel.read_open(None)
                with pytest.raises(ChannelUnavailableError):
                    channel.decide(order_id, units, key="silence")
            channel.decide(order_id, units, key="silence")
            assert there.states(order_id) == dict.fromkeys(units, UnitState.AVAILABLE)

    def test_levels_and_feeds_may_be_told_again(self, there: MarketplaceWorld, tmp_path: Path) -> None:
        file = tmp_path / "products.tsv"
        file.write_text("id\ttitle\tprice\nKIT-LAMP\tLamp\t45.50 EUR\n", "utf-8")
        with _line(there) as channel:
            for _ in range(2):
                channel.hand_feed("en", file, key="feed-1")
                channel.tell_levels({"KIT-LAMP": 4, "KIT-CHAIR": 0}, key="levels-1")
        if Ability.STOCK in there.connector.abilities:
            assert there.levels() == {"KIT-LAMP": 4, "KIT-CHAIR": 0}

    def test_listings_say_what_is_offered(self, there: MarketplaceWorld) -> None:
        if Ability.LISTINGS not in there.connector.abilities:
            return
        offered = {
            f"KIT-{number}": Goods(f"KIT-{number}", f"Lamp {number}", 1, 4550) for number in range(there.few)
        }
        for goods in offered.values():
            there.offer(goods)
        found: list[Listing] = []
        with _line(there) as channel:
            for page in _each_page(channel.read_listings):
                found += page.listings
        assert {one.sku: one.price_cents for one in found} == {
            sku: goods.price_cents for sku, goods in offered.items()
        }
        assert len(found) == len(offered)


@contextmanager
def _line(there: MarketplaceWorld) -> Iterator[Channel]:
    with closing(there.open()) as channel:
        yield channel


def _each_page(read: Callable[[str | None], Page]) -> Iterator[Page]:
    cursor = None
    for _ in range(_MOST_PAGES):
        page = read(cursor)
        yield page
        cursor = page.cursor
        if cursor is None:
            return
    raise AssertionError("the pages make no end")


def _pages(read: Callable[[str | None], OrderPage]) -> list[ExternalOrder]:
    return [order for page in _each_page(read) for order in page.orders]
