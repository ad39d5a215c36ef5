"""The client of Letzshop against its stand-in: what every connector keeps to, and the quirks of this one."""

from typing import Any

import pytest

from app.core.config import get_settings
from app.modules.marketplace.adapters.letzshop.client import LETZSHOP_URL, LetzshopClient, api_url
from app.modules.marketplace.adapters.letzshop.names import Document
from app.modules.marketplace.contracts import CheckOutcome, ExternalOrder, UnitState
from app.modules.marketplace.exceptions import (
    ChannelRefusedError,
    ChannelUnavailableError,
    SchemaDriftError,
)
from app.modules.marketplace.services.letzshop_service import LETZSHOP
from app.modules.marketplace.tests.letzshop_world import (
    CHAIR,
    KEY,
    LAMP,
    SHOP,
    LetzshopWorld,
    box,
    history,
    line,
    only,
    there,
)
from app.testing.connectors import ConnectorConformance, MarketplaceWorld

__all__ = ["box", "there"]


class TestConnector(ConnectorConformance):
    """The rules of the kit."""

    def test_it_says_who_it_is(self, there: MarketplaceWorld, world: object) -> None:  # type: ignore[override]
        super().test_it_says_who_it_is(there)


def test_q1_tracking_is_set_and_never_asked_for(there: LetzshopWorld) -> None:
    order_id = there.place([LAMP])
    asking = Document("ask", "query ask($id: ID!) { shipment(id: $id) { tracking { code } } }", None)
    with LetzshopClient(KEY) as client, pytest.raises(ChannelUnavailableError, match=r"shipment\.tracking"):
        client.ask(asking, {"id": order_id})
    with line() as found:
        order = found.read_order(order_id)
        assert order is not None
        assert order.tracking is None
        found.decide(order_id, {order.units[0].id: True}, key="k1")
        found.track(order_id, "LU1", "post-lu", key="k2")
    assert there.tracking(order_id) == ("LU1", "post-lu")


def test_q2_declined_is_no_filter_and_is_seen_on_the_units(there: LetzshopWorld) -> None:
    wrong = Document("wrong", "query wrong { shipments(state: declined, first: 1) { nodes { id } } }", None)
    with LetzshopClient(KEY) as client, pytest.raises(SchemaDriftError, match="declined"):
        client.ask(wrong)
    there.place([LAMP], state="declined")
    with line() as found:
        (order,) = history(found)
    assert [unit.state for unit in order.units] == [UnitState.UNAVAILABLE]
    assert not order.is_open


def test_q3_three_pieces_are_three_units_of_one_line(there: LetzshopWorld) -> None:
    order_id = there.place([CHAIR, LAMP])
    order = only(there).order
    assert order is not None
    lines = {line.sku: (line.quantity, set(line.external_unit_ids)) for line in order.lines}
    assert [lines[sku][0] for sku in ("CHAIR", "LAMP")] == [3, 1]
    assert lines["CHAIR"][1] | lines["LAMP"][1] == set(there.states(order_id))


@pytest.mark.parametrize("money_format", ["number", "string", "string_currency"])
def test_amounts_come_in_three_forms(there: LetzshopWorld, money_format: str) -> None:
    there.switch(money_format=money_format)
    there.place([CHAIR])
    order = only(there).order
    assert order is not None
    assert [(line.unit_price_cents, order.currency) for line in order.lines] == [(1999, "EUR")]


def test_q4_q5_q6_goods_may_have_no_brand_no_number_and_no_variant(there: LetzshopWorld) -> None:
    there.offer(LAMP, gtin="0012345678905", parser="gtin13", brand="Acme")
    there.place([LAMP], locale="fr")

    def gtin(**switches: Any) -> tuple[str | None, str | None, str]:
        there.switch(**switches)
        order = only(there).order
        assert order is not None
        return order.lines[0].sku, order.lines[0].gtin, order.lines[0].title

    assert gtin(strip_zeros=True) == ("LAMP", "00012345678905", "Lampe")
    assert gtin(brand_unknown=True) == ("LAMP", "00012345678905", "Lampe")
    assert gtin(null_trade_ids=True) == ("LAMP", None, "Lampe")
    sku, number, title = gtin(null_variants=True)
    assert (sku, number) == (None, None)
    assert title


def test_q7_q8_only_a_key_and_an_address_of_the_environment_lead_to_letzshop(
    there: LetzshopWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api_url() == (f"{there.box.url}/letzshop/graphql", True)
    monkeypatch.delenv("WIZAMART_SANDBOX_URL")
    get_settings.cache_clear()
    assert api_url() == (LETZSHOP_URL, False)
    # An address of our own network is not called only because somebody set it.
    monkeypatch.setenv("MARKETPLACE_LETZSHOP_URL", f"{there.box.url}/letzshop/graphql")
    assert LETZSHOP.try_key(KEY).outcome is CheckOutcome.UNREACHABLE


def test_q9_the_past_is_read_in_two_passes_and_goes_on_where_it_was(there: LetzshopWorld) -> None:
    done = [there.place([LAMP], state="confirmed") for _ in range(there.few)]
    opened = [there.place([LAMP]) for _ in range(there.few)]
    with line() as found:
        first = found.read_history(None)
    assert first.total == 2 * there.few
    assert first.cursor is not None
    with line() as found:  # another process, later
        rest: list[ExternalOrder] = []
        cursor: str | None = first.cursor
        while cursor is not None:
            page = found.read_history(cursor)
            rest += page.orders
            cursor = page.cursor
            assert page.total == first.total
    assert [one.external_id for one in [*first.orders, *rest]] == done + opened


def test_q11_q12_street_and_language_are_the_buyers(there: LetzshopWorld) -> None:
    where = {"streetName": "rue du Fort", "streetNumber": "12", "city": "Wiltz", "zipCode": "9501"}
    told = {"locale": "de", "country": "LU", "shipAddress": where, "email": "anna@buyer.example"}
    there.place([LAMP], **told)
    order = only(there).order
    assert order is not None
    assert order.shipping_address is not None
    address = order.shipping_address
    assert (address.line1, address.city, address.country) == ("rue du Fort 12", "Wiltz", "LU")
    assert (order.buyer.language, order.buyer.email) == ("de", "anna@buyer.example")
    assert order.lines[0].title == "Lampe", "without a German name the French one"


def test_what_is_settled_is_not_even_asked_for_again(there: LetzshopWorld) -> None:
    order_id = there.place([CHAIR], state="declined")
    (unit, *_) = there.states(order_id)
    with line() as found:
        there.fault("server_error", times=None, path="InventoryUnits")
        found.decide(order_id, {unit: False}, key="k1")
        with pytest.raises(ChannelRefusedError, match="unavailable at Letzshop already"):
            found.decide(order_id, {unit: True}, key="k2")
        with pytest.raises(ChannelRefusedError, match="unavailable at Letzshop already"):
            found.take_back(order_id, [unit], key="k3")


def test_unknown_states_are_read_and_change_nothing(there: LetzshopWorld) -> None:
    order_id = there.place([CHAIR], state="confirmed")
    (unit, *_) = there.states(order_id)
    there.control("POST", "/return", {"units": [unit]})
    there.switch(extra_states=True)
    with line() as found:
        order = found.read_order(order_id)
    assert order is not None
    assert {one.id: one.state for one in order.units}[unit] is UnitState.UNKNOWN


def test_pages_without_cursors_are_read_as_far_as_they_go(there: LetzshopWorld) -> None:
    there.switch(pageinfo_absent=True, page_cap=100)
    for _ in range(3):
        there.place([LAMP])
    with line() as found:
        assert len(found.read_open(None).orders) == 3
        assert len(list(history(found))) == 3
    there.control("POST", "/place", {"shop": "KIT", "count": 100, "lines": [{"sku": "LAMP"}]})
    with line() as found:
        assert len(found.read_open(None).orders) == 100
        with pytest.raises(SchemaDriftError):
            list(history(found))


@pytest.mark.parametrize(
    "fault", ["server_error", "bad_gateway", "unavailable", "html_page", "partial", "cut", "lost_answer"]
)
def test_a_broken_answer_is_no_answer(there: LetzshopWorld, fault: str) -> None:
    order_id = there.place([CHAIR])
    units = dict.fromkeys(there.states(order_id), True)
    with line() as found:
        there.fault(fault, times=1)
        with pytest.raises(ChannelUnavailableError):
            found.read_open(None)
        there.fault(fault, times=1, path="confirmInventoryUnits")
        with pytest.raises(ChannelUnavailableError):
            found.decide(order_id, units, key="again")
        found.decide(order_id, units, key="again")
    assert there.states(order_id) == dict.fromkeys(units, UnitState.AVAILABLE)
    changes = [one for one in there.control("GET", "/events")["data"] if one["type"] == "unit_changed"]
    assert len(changes) == len(units), "nothing was confirmed twice"


def test_silence_ends(there: LetzshopWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKETPLACE_LETZSHOP_TIMEOUT_SECONDS", "0.3")
    there.fault("timeout_after", times=1, seconds=2)
    with line() as found, pytest.raises(ChannelUnavailableError, match="too long"):
        found.read_open(None)


def test_who_is_told_to_wait_waits_and_so_do_all_with_the_key(there: LetzshopWorld) -> None:
    there.fault("rate_limit", times=1, seconds=40)
    with line() as found, pytest.raises(ChannelUnavailableError) as busy:
        found.read_open(None)
    assert (busy.value.retry_after, busy.value.http_status) == (40, 429)
    with line() as other, pytest.raises(ChannelUnavailableError) as waiting:
        other.read_open(None)
    assert 35 < waiting.value.retry_after <= 40
    assert LETZSHOP.read_directory(None).total == 1, "who has no key is somebody else"


def test_another_shops_orders_are_neither_seen_nor_changed(there: LetzshopWorld) -> None:
    there.control("POST", "/shops", {"code": "OTHER", "slug": "other-shop", "name": "Other"})
    mine = there.place([LAMP])
    there.control("POST", "/products", {"shop": "OTHER", "sku": "X", "name": {"fr": "X"}})
    (order,) = there.control("POST", "/place", {"shop": "OTHER", "lines": [{"sku": "X"}]})["data"]
    theirs = order["shipments"][0]
    with line() as found:
        assert found.read_order(theirs["id"]) is None
        with pytest.raises(ChannelRefusedError) as refused:
            found.decide(mine, {theirs["units"][0]["id"]: True}, key="k")
        assert refused.value.reason == "not_found"
    both = "lz_test_both_shops"
    there.control("POST", "/keys", {"key": both, "shops": ["KIT", "OTHER"], "role": "shop_manager"})
    with line(both, SHOP) as found:
        assert [one.external_id for one in found.read_open(None).orders] == [mine]
    with line(both) as found:
        orders = found.read_open(None).orders
    assert [(one.fault, one.order) for one in orders] == [("shop_unclear", None)] * 2


def test_the_directory_has_every_shop_page_by_page(there: LetzshopWorld) -> None:
    for number in range(there.few):
        there.control(
            "POST", "/shops", {"code": f"S{number}", "slug": f"shop-{number}", "name": f"Shop {number}"}
        )
    first = LETZSHOP.read_directory(None)
    rest = LETZSHOP.read_directory(first.cursor)
    slugs = [shop.slug for shop in (*first.shops, *rest.shops)]
    assert slugs == [SHOP, *(f"shop-{number}" for number in range(there.few))]
    assert (rest.cursor, rest.total) == (None, 7)
