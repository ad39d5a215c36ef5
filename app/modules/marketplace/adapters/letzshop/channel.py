"""One vendor's line to Letzshop, as every connector has one."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.modules.marketplace.adapters.letzshop import names, schema
from app.modules.marketplace.adapters.letzshop.client import LetzshopClient
from app.modules.marketplace.adapters.letzshop.names import Document, ShipmentState
from app.modules.marketplace.adapters.letzshop.reader import (
    read_listings,
    read_page,
    read_shipment,
    shop_of,
)
from app.modules.marketplace.contracts import (
    CheckReport,
    ExternalOrder,
    ListingPage,
    OrderPage,
    UnitState,
)
from app.modules.marketplace.exceptions import ChannelRefusedError, SchemaDriftError

logger = logging.getLogger(__name__)

PAGE, LARGEST_PAGE = 50, 100
_SHOPS_SECONDS, _MAX_KEYS = 300.0, 1_000
_shops_of_keys: dict[str, tuple[float, frozenset[str]]] = {}
Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Nodes as they were sent. ``is_cut``: it is full, and the API does not say how to get at the others."""

    nodes: Sequence[Node]
    cursor: str | None
    total: int | None
    is_cut: bool


def read_pages(client: LetzshopClient, document: Document, name: str, first: int, cursor: str | None) -> Page:
    """A page of a list. Raises as `LetzshopClient.ask`."""
    data = ask_for(client, document, names.page_variables(first, cursor))
    nodes, following, is_said = read_page(data, name)
    total = data[name].get("totalCount")
    is_cut = not is_said and len(nodes) >= first
    if is_cut and first < LARGEST_PAGE:
        return read_pages(client, document, name, LARGEST_PAGE, cursor)
    return Page(nodes, following, total if isinstance(total, int) else None, is_cut)


def ask_for(client: LetzshopClient, document: Document, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The document's answer; where the API does not understand it, that of the least of it."""
    try:
        return client.ask(document, variables)
    except SchemaDriftError:
        if document.least.text == document.text:
            raise
        return client.ask(document.least, variables)


class LetzshopChannel:
    """Letzshop for one key. ``shop``: which of the key's shops is meant; None: it has one.

    Nothing is said twice: before units are decided or taken back, the shipment is read.
    """

    def __init__(self, client: LetzshopClient, shop: str | None = None) -> None:
        self._client = client
        self._shop = shop

    def check(self) -> CheckReport:
        """Introspection, compared with what we ask, and one question that only a manager's key may ask."""
        return schema.check(self._client)

    def read_open(self, cursor: str | None) -> OrderPage:
        """Shipments with undecided units. Where the API gives no cursors, the largest page; others follow later."""
        page = self._shipments(ShipmentState.UNCONFIRMED, cursor)
        if page.is_cut:
            logger.warning(
                "letzshop gives no cursors: %s open shipments are all that can be seen", len(page.nodes)
            )
        return OrderPage(self._orders(page.nodes), page.cursor, None)

    def read_history(self, cursor: str | None) -> OrderPage:
        """All shipments: the confirmed ones, then the others. Raises SchemaDriftError where the API gives no cursors
        and has more than a page."""
        state, total, after = (
            _read_cursor(cursor) if cursor else (ShipmentState.CONFIRMED, self._total(), None)
        )
        page = self._shipments(state, after)
        if page.is_cut:
            raise SchemaDriftError("The API gives no cursors, so that not all orders can be read.")
        following = None
        if page.cursor:
            following = _write_cursor(state, total, page.cursor)
        elif state is ShipmentState.CONFIRMED:
            following = _write_cursor(ShipmentState.UNCONFIRMED, total, None)
        return OrderPage(self._orders(page.nodes), following, total)

    def read_order(self, external_id: str) -> ExternalOrder | None:
        """One shipment."""
        node = self._shipment(external_id)
        return next(iter(self._orders([node])), None) if node is not None else None

    def decide(self, external_id: str, decisions: Mapping[str, bool], *, key: str) -> None:
        """Confirm or decline units of the shipment; those that are as they should be are left alone."""
        states = self._states(external_id, decisions)
        wanted = {
            unit: is_there
            for unit, is_there in decisions.items()
            if states[unit] is not (UnitState.AVAILABLE if is_there else UnitState.UNAVAILABLE)
        }
        _refuse_unless(states, wanted, {UnitState.OPEN, UnitState.UNKNOWN})
        if wanted:
            self._client.act(names.CONFIRM, names.decision_variables(wanted, key))

    def track(self, external_id: str, number: str, carrier_code: str, *, key: str) -> None:
        """Set number and carrier; what was set before is replaced."""
        self._client.act(names.TRACK, names.tracking_variables(external_id, number, carrier_code, key))

    def take_back(self, external_id: str, unit_ids: Sequence[str], *, key: str) -> None:
        """Report units as returned; those that are so already are left alone."""
        states = self._states(external_id, unit_ids)
        wanted = [unit for unit in unit_ids if states[unit] is not UnitState.RETURNED]
        _refuse_unless(states, wanted, {UnitState.AVAILABLE, UnitState.UNKNOWN})
        if wanted:
            self._client.act(names.TAKE_BACK, names.return_variables(wanted, key))

    def read_listings(self, cursor: str | None) -> ListingPage:
        """Variants of the shop's products. The API lists those of all shops and knows no narrower question."""
        shop = self._shop or self._only_shop()
        if shop is None:
            return ListingPage(())
        page = read_pages(self._client, names.PRODUCTS, "products", LARGEST_PAGE, cursor)
        if page.is_cut:
            raise SchemaDriftError("The API gives no cursors, so that not all products can be read.")
        ours = [node for node in page.nodes if shop_of(node) == shop]
        return ListingPage([one for node in ours for one in read_listings(node)], page.cursor)

    def tell_levels(self, levels: Mapping[str, int], *, key: str) -> None:
        """Nothing to do: what is available stands in the feed, and Letzshop takes no levels."""

    def hand_feed(self, language: str, file: Path, *, key: str) -> None:
        """Nothing to do: Letzshop fetches the feed at its address, and nothing is known that tells it to."""

    def close(self) -> None:
        """Let go of the network."""
        self._client.close()

    def _shipment(self, external_id: str) -> Node | None:
        found = ask_for(self._client, names.SHIPMENT, {"id": external_id}).get("shipment")
        return found if isinstance(found, Mapping) else None

    def _shipments(self, state: ShipmentState, cursor: str | None) -> Page:
        return read_pages(self._client, names.SHIPMENTS[state], "shipments", PAGE, cursor)

    def _orders(self, nodes: Sequence[Node]) -> list[ExternalOrder]:
        """Those of our shop, or of a shop that is not said. Where several may be ours, none can be placed."""
        shop = self._shop or self._only_shop()
        found = [(shop_of(node), read_shipment(node)) for node in nodes]
        if shop is None and self._key_shops():
            return [replace(order, order=None, fault="shop_unclear") for _, order in found]
        return [order for said, order in found if shop is None or said in (None, shop)]

    def _total(self) -> int | None:
        """How many shipments there are in both states; None where the API does not say."""
        try:
            data = self._client.ask(names.TOTALS)
        except SchemaDriftError:
            return None
        found = [
            data[state].get("totalCount") for state in ShipmentState if isinstance(data.get(state), dict)
        ]
        counted = [number for number in found if isinstance(number, int)]
        return sum(counted) if len(counted) == len(ShipmentState) else None

    def _states(self, external_id: str, unit_ids: Sequence[str] | Mapping[str, bool]) -> dict[str, UnitState]:
        """The states of all units of the shipment, which has these. Raises ChannelRefusedError."""
        node = self._shipment(external_id)
        if node is None:
            raise ChannelRefusedError("Letzshop does not have this shipment.", reason="not_found")
        states = {unit.id: unit.state for unit in read_shipment(node).units}
        if not set(unit_ids) <= set(states):
            raise ChannelRefusedError("The shipment does not have these units.", reason="not_found")
        return states

    def _only_shop(self) -> str | None:
        """The shop of the key's shipments, if it is one and the same."""
        shops = self._key_shops()
        return next(iter(shops)) if len(shops) == 1 else None

    def _key_shops(self) -> frozenset[str]:
        """All shops whose shipments the key sees, as far as they tell; each process asks now and then."""
        known = _shops_of_keys.get(self._client.digest)
        if known is not None and time.monotonic() - known[0] < _SHOPS_SECONDS:
            return known[1]
        try:
            data = self._client.ask(names.SHOPS)
        except SchemaDriftError:
            data = {}
        pages = [data[state] for state in ShipmentState if isinstance(data.get(state), dict)]
        nodes = [node for page in pages for node in page.get("nodes") or ()]
        shops = frozenset(slug for node in nodes if (slug := shop_of(node)))
        if len(_shops_of_keys) >= _MAX_KEYS:
            _shops_of_keys.clear()
        _shops_of_keys[self._client.digest] = time.monotonic(), shops
        return shops


def forget() -> None:
    """Forget what this process has learnt of keys; for tests."""
    _shops_of_keys.clear()


def _refuse_unless(
    states: Mapping[str, UnitState], wanted: Sequence[str] | Mapping[str, bool], allowed: set[UnitState]
) -> None:
    wrong = sorted({states[unit].value for unit in wanted} - {state.value for state in allowed})
    if wrong:
        raise ChannelRefusedError(
            f"A unit is {', '.join(wrong)} at Letzshop already.", reason="invalid_state"
        )


def _write_cursor(state: ShipmentState, total: int | None, after: str | None) -> str:
    return f"{state}:{'' if total is None else total}:{after or ''}"


def _read_cursor(text: str) -> tuple[ShipmentState, int | None, str | None]:
    state, total, after = text.split(":", 2)
    return ShipmentState(state), int(total) if total else None, after or None
