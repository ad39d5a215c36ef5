"""The stand-in for Letzshop: what its API answers, to whom, and how it can be made to fail."""

from typing import Any

import httpx2
import pytest
from graphql import build_client_schema, get_introspection_query

from sandbox.letzshop.settings import DEFAULTS
from sandbox.letzshop.testing import LetzshopBox
from sandbox.testing import Sandbox, running_sandbox
from sandbox.tests.kit import DAY, START

KEY = "lz_test_abc_manager"
ADDRESS = "firstName lastName company streetName streetNumber city zipCode phone country { name iso }"
KNOWN = f"""query ($state: ShipmentStateEnum, $first: Int, $after: String) {{
  shipments(state: $state, first: $first, after: $after) {{
    nodes {{
      id number state
      order {{
        id number email total completedAt locale shipAddress {{ {ADDRESS} }} billAddress {{ {ADDRESS} }} }}
      inventoryUnits {{
        id state variant {{ id sku mpn price tradeId {{ number parser }}
          product {{ name {{ en fr de }} _brand {{ ... on Brand {{ name }} }} }} }} }}
    }}
    pageInfo {{ hasNextPage endCursor }} totalCount
  }}
}}"""
CONFIRM = """mutation ($units: [InventoryUnitConfirmationInput!]!) {
  confirmInventoryUnits(input: {inventoryUnits: $units, clientMutationId: "m1"}) {
    inventoryUnits { id state } errors { id code message } clientMutationId } }"""


@pytest.fixture
def letzshop(box: Sandbox) -> LetzshopBox:
    """Two shops; ABC sells a mug, a book and something strange."""
    found = box.letzshop()
    found.door("/clear")
    found.door("/shops", code="ABC", name="A B C", slug="a-b-c")
    found.door("/shops", code="XYZ", name="X Y Z", slug="x-y-z")
    mug = {
        "name": {"fr": "Tasse", "de": "Tasse"},
        "gtin": "0012345678905",
        "brand": "Mugs",
        "price_cents": 1999,
    }
    found.door("/products", shop="ABC", sku="MUG", is_known=True, **mug)
    found.door("/products", shop="ABC", sku="BOOK", gtin="316148410X", price_cents=500, name={"en": "Book"})
    found.door("/products", shop="ABC", name={"de": "Ding"}, price_cents=5)
    found.door("/products", shop="XYZ", sku="HAT", price_cents=3000, is_known=True)
    return found


def data(answer: httpx2.Response) -> Any:
    value = answer.json()
    assert "errors" not in value, value["errors"]
    return value["data"]


def shipments(letzshop: LetzshopBox, key: str = KEY, **variables: Any) -> Any:
    return data(letzshop.ask(KNOWN, key, **variables))["shipments"]


def confirm(letzshop: LetzshopBox, *decisions: tuple[str, bool], key: str = KEY) -> Any:
    units = [{"inventoryUnitId": unit, "isAvailable": is_available} for unit, is_available in decisions]
    return data(letzshop.ask(CONFIRM, key, units=units))["confirmInventoryUnits"]


def place(letzshop: LetzshopBox, quantity: int = 3, **given: Any) -> tuple[str, list[str]]:
    """An order of mugs: the shipment and its units."""
    placed = letzshop.place(shop="ABC", lines=[{"sku": "MUG", "quantity": quantity}], **given)[0]
    shipment = placed["shipments"][0]
    return shipment["id"], [unit["id"] for unit in shipment["units"]]


def test_an_order_as_the_api_shows_it(letzshop: LetzshopBox) -> None:
    lines = [{"sku": "MUG", "quantity": 2}, {"sku": "BOOK"}]
    letzshop.place(shop="ABC", lines=lines, locale="de", country="BE", placed_at=START - DAY)
    node = shipments(letzshop, state="unconfirmed")["nodes"][0]
    assert (node["state"], len(node["inventoryUnits"])) == ("unconfirmed", 3)
    mugs = [one for one in node["inventoryUnits"] if one["variant"]["sku"] == "MUG"]
    assert len({one["id"] for one in mugs}) == 2
    assert len({one["variant"]["id"] for one in mugs}) == 1
    mug = mugs[0]["variant"]
    assert (mug["price"], mug["tradeId"]) == ("19.99", {"number": "0012345678905", "parser": "gtin13"})
    assert mug["product"] == {"name": {"en": None, "fr": "Tasse", "de": "Tasse"}, "_brand": {"name": "Mugs"}}
    book = next(one["variant"] for one in node["inventoryUnits"] if one["variant"]["sku"] == "BOOK")
    assert (book["tradeId"]["parser"], book["product"]["_brand"]) == ("isbn10", {})
    order = node["order"]
    assert (order["total"], order["locale"], order["completedAt"]) == ("44.98", "de", "2025-12-31T00:00:00Z")
    assert order["shipAddress"]["country"] == {"name": "Belgium", "iso": "BE"}
    assert order["number"].startswith("R")
    assert node["number"].startswith("H")


def test_who_may_see_what(letzshop: LetzshopBox) -> None:
    place(letzshop)
    public = "{ vendors { nodes { slug owner { id } } } products { nodes { id vendor { slug } } } }"
    secret = "{ shipments { nodes { id } } }"
    shown = data(letzshop.ask(public))
    assert [one["slug"] for one in shown["vendors"]["nodes"]] == ["a-b-c", "x-y-z"]
    assert {one["vendor"]["slug"] for one in shown["products"]["nodes"]} == {"a-b-c", "x-y-z"}
    refused = {
        None: "unauthenticated",
        "lz_test_nobody": "unauthenticated",
        "lz_test_abc_reader": "forbidden",
    }
    for style in ("errors", "401"):
        letzshop.door("/settings", auth_error_style=style)
        for key, code in refused.items():
            answer = letzshop.ask(secret, key)
            value = answer.json()
            if style == "401":
                assert (answer.status_code, value["code"]) == (401, code)
            else:
                assert (answer.status_code, value["data"]) == (200, None)
                assert value["errors"][0]["extensions"] == {"code": code}
    assert shipments(letzshop, "lz_test_xyz_manager")["nodes"] == []
    letzshop.door("/keys", key="lz_both_shops", shops=["abc", "xyz"])
    assert len(shipments(letzshop, "lz_both_shops")["nodes"]) == 1
    letzshop.control("DELETE", "/letzshop/keys/lz_both_shops", None)
    assert letzshop.ask(secret, "lz_both_shops").status_code == 401


def test_units_are_decided_one_by_one(letzshop: LetzshopBox) -> None:
    shipment, (first, second, third) = place(letzshop)
    done = confirm(letzshop, (first, True), (second, False))
    assert [one["state"] for one in done["inventoryUnits"]] == [
        "confirmed_available",
        "confirmed_unavailable",
    ]
    assert (done["errors"], done["clientMutationId"]) == ([], "m1")
    assert len(shipments(letzshop, state="unconfirmed")["nodes"]) == 1
    again = confirm(letzshop, (first, True), (second, True), ("nothing", True), (third, False))
    assert [(one["id"], one["code"]) for one in again["errors"]] == [
        (second, "invalid_state"),
        ("nothing", "not_found"),
    ]
    assert {one["id"] for one in again["inventoryUnits"]} == {first, third}
    assert shipments(letzshop, state="unconfirmed")["nodes"] == []
    foreign = confirm(letzshop, (first, False), key="lz_test_xyz_manager")
    assert (foreign["inventoryUnits"], foreign["errors"][0]["code"]) == ([], "not_found")
    assert letzshop.shipments("ABC")[shipment]["units"] == {
        first: "confirmed_available",
        second: "confirmed_unavailable",
        third: "confirmed_unavailable",
    }
    told = [one for one in letzshop.look("/events?shop=ABC")["data"] if one["type"] == "unit_changed"]
    assert [(one["unit"], one["is_new"]) for one in told] == [
        (first, True),
        (second, True),
        (first, False),
        (third, True),
    ]


def test_tracking_and_returns(letzshop: LetzshopBox) -> None:
    shipment, units = place(letzshop, 2)
    track = """mutation ($id: ID!, $code: String!) {
      setShipmentTracking(input: {shipmentId: $id, code: $code, provider: "post"}) {
        shipment { id state } errors { code } } }"""
    give_back = """mutation ($units: [ID!]!) {
      returnInventoryUnits(input: {inventoryUnitIds: $units}) { inventoryUnits { state } errors { code } } }"""
    early = data(letzshop.ask(track, KEY, id=shipment, code="T1"))["setShipmentTracking"]
    assert early == {"shipment": None, "errors": [{"code": "invalid_state"}]}
    confirm(letzshop, (units[0], True), (units[1], False))
    done = data(letzshop.ask(track, KEY, id=shipment, code="T1"))["setShipmentTracking"]
    assert done == {"shipment": {"id": shipment, "state": "confirmed"}, "errors": []}
    assert letzshop.shipments()[shipment]["tracking"] == {"code": "T1", "provider": "post"}
    back = data(letzshop.ask(give_back, KEY, units=units))["returnInventoryUnits"]
    assert back == {"inventoryUnits": [{"state": "returned"}], "errors": [{"code": "invalid_state"}]}
    other, [unit] = place(letzshop, 1)
    letzshop.door("/decide", shipment=other)
    assert letzshop.door("/track", shipment=other)["tracking"]["provider"] == "greco"
    letzshop.door("/return", shipment=other)
    assert letzshop.shipments()[other]["units"] == {unit: "returned"}
    changed = letzshop.door("/change", shipment=other, shipAddress={"city": "Wiltz"})
    assert changed["shipAddress"]["city"] == "Wiltz"
    asked = letzshop.ask("{ shipments { nodes { id tracking { code } } } }", KEY).json()
    assert len(asked["errors"]) == 2
    assert asked["data"]["shipments"]["nodes"][0] == {"id": shipment, "tracking": None}
    letzshop.door("/settings", tracking_bug=False)
    shown = data(letzshop.ask("{ shipments { nodes { tracking { code } } } }", KEY))
    assert shown["shipments"]["nodes"][0] == {"tracking": {"code": "T1"}}


@pytest.mark.parametrize("is_trap", [False, True])
def test_pages_while_orders_leave_the_list(letzshop: LetzshopBox, is_trap: bool) -> None:
    letzshop.door("/settings", offset_cursors=is_trap, page_cap=2)
    everything = {place(letzshop, 1)[0] for _ in range(6)}
    seen, after = [], None
    while True:
        page = shipments(letzshop, state="unconfirmed", first=50, after=after)
        assert len(page["nodes"]) <= 2
        for node in page["nodes"]:
            seen.append(node["id"])
            confirm(letzshop, (node["inventoryUnits"][0]["id"], True))
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen))
    assert (set(seen) == everything) is not is_trap
    wrong = letzshop.ask(KNOWN, KEY, after="bm9uc2Vuc2U=").json()
    assert "Invalid cursor" in wrong["errors"][0]["message"]


def test_the_switches(letzshop: LetzshopBox) -> None:
    place(letzshop, 1, state="declined")
    shipment, [unit] = place(letzshop, 1)

    def seen(**switches: Any) -> Any:
        letzshop.door("/settings", **{**DEFAULTS, **switches})
        return shipments(letzshop)["nodes"]

    assert [one["state"] for one in seen()] == ["confirmed", "unconfirmed"]
    declined = letzshop.ask("{ shipments(state: declined) { nodes { id } } }", KEY).json()
    assert "declined" in declined["errors"][0]["message"]
    assert [one["state"] for one in seen(declined_enum=True)] == ["declined", "unconfirmed"]
    found = letzshop.ask("{ shipments(state: declined) { nodes { state } } }", KEY)
    assert data(found)["shipments"]["nodes"] == [{"state": "declined"}]
    variant = seen(money_format="number", null_trade_ids=True, brand_unknown=True)[1]["inventoryUnits"][0][
        "variant"
    ]
    assert (variant["price"], variant["tradeId"], variant["product"]["_brand"]) == (19.99, None, {})
    variant = seen(money_format="string_currency", strip_zeros=True)[1]["inventoryUnits"][0]["variant"]
    assert (variant["price"], variant["tradeId"]["number"]) == ("19.99 EUR", "12345678905")
    assert seen(null_variants=True)[1]["inventoryUnits"][0]["variant"] is None
    letzshop.door("/decide", shipment=shipment)
    letzshop.door("/track", shipment=shipment)
    letzshop.door("/return", units=[unit])
    strange = seen(extra_states=True)
    assert [one["state"] for one in strange] == ["canceled", "shipped"]
    assert strange[1]["inventoryUnits"][0]["state"] == "refunded"
    letzshop.door("/settings", pageinfo_absent=True, hidden_fields=["Mutation.setShipmentTracking"])
    assert "pageInfo" in letzshop.ask(KNOWN, KEY).json()["errors"][0]["message"]
    schema = build_client_schema(data(letzshop.ask(get_introspection_query(), KEY)))
    assert schema.mutation_type is not None
    assert set(schema.mutation_type.fields) == {"confirmInventoryUnits", "returnInventoryUnits"}
    with pytest.raises(ValueError, match="Unknown switch"):
        letzshop.door("/settings", nonsense=True)


@pytest.mark.parametrize(
    ("fault", "status", "is_done"),
    [
        ("rate_limit", 429, False),
        ("server_error", 500, False),
        ("bad_gateway", 502, False),
        ("unavailable", 503, False),
        ("html_page", 200, False),
        ("partial", 200, True),
        ("cut", None, True),
        ("lost_answer", None, True),
        ("timeout", None, False),
        ("timeout_after", None, True),
    ],
)
def test_faults(letzshop: LetzshopBox, fault: str, status: int | None, is_done: bool) -> None:
    shipment, [unit] = place(letzshop, 1)
    letzshop.break_next(fault, path="confirmInventoryUnits", seconds=0.1 if "timeout" in fault else 7)
    assert len(shipments(letzshop)["nodes"]) == 1  # strikes other calls only
    decision = [{"inventoryUnitId": unit, "isAvailable": True}]
    if status is None:
        with pytest.raises(httpx2.HTTPError):
            letzshop.ask(CONFIRM, KEY, units=decision)
    else:
        answer = letzshop.ask(CONFIRM, KEY, units=decision)
        assert answer.status_code == status
        assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
        assert "<html>" in answer.text or answer.json()["errors"]
    assert letzshop.shipments()[shipment]["units"][unit] == (
        "confirmed_available" if is_done else "unconfirmed"
    )
    assert confirm(letzshop, (unit, True))["errors"] == []


def test_broken_pages_and_the_limit_of_calls(letzshop: LetzshopBox) -> None:
    for _ in range(4):
        place(letzshop, 1)
    plain = [one["id"] for one in shipments(letzshop)["nodes"]]
    letzshop.break_next("repeated")
    assert [one["id"] for one in shipments(letzshop)["nodes"]] == [one for one in plain for _ in range(2)]
    letzshop.break_next("shuffled")
    assert [one["id"] for one in shipments(letzshop)["nodes"]] == plain[::-1]
    letzshop.break_next("partial")
    half = letzshop.ask(KNOWN, KEY).json()
    assert [one["id"] for one in half["data"]["shipments"]["nodes"]] == plain[:2]
    assert half["errors"]
    letzshop.door("/keys", key="lz_fresh_key", shops=["XYZ"])
    letzshop.door("/settings", calls_per_minute=1)
    answers = [letzshop.ask(KNOWN, "lz_fresh_key") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 429, 429]
    assert 1 <= int(answers[1].headers["retry-after"]) <= 61
    with pytest.raises(ValueError, match="Unknown fault"):
        letzshop.break_next("double")  # one of Stripe's


def test_random_orders_are_the_same_every_time() -> None:
    def run() -> Any:
        with running_sandbox(seed="any") as box:
            box.control("POST", "/clock", {"frozen_at": START})
            letzshop = box.letzshop()
            placed = letzshop.place(count=60, unknown_share=0.2)
            return placed, letzshop.shipments(), letzshop.look("/shops")

    first, second = run(), run()
    assert first == second
    placed, found, _ = first
    assert len(found) == 33 + sum(len(order["shipments"]) for order in placed)
    assert any(len(order["shipments"]) > 1 for order in placed)
    skus = {sku for one in found.values() for sku in one["skus"].values()}
    assert {"MOS-011", "X-100", None} <= skus


def test_what_is_there_from_the_beginning(box: Sandbox) -> None:
    letzshop = box.letzshop()
    for code in ("moselle", "gutland", "minett"):
        key = f"lz_test_{code}_manager"
        open_ones, all_ones = shipments(letzshop, key, state="unconfirmed"), shipments(letzshop, key)
        assert (open_ones["totalCount"], all_ones["totalCount"]) == (3, 11)
    letzshop.door("/clear")
    assert letzshop.look("/shops")["data"] == []
    box.control("POST", "/reset", {})
    assert len(letzshop.look("/shops")["data"]) == 13
    assert len(shipments(letzshop, "lz_test_moselle_gutland_manager")["nodes"]) == 20
