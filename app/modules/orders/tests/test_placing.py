"""Placing: many at once, the plan, and the API."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core.database import IdentityScope, unit_of_work
from app.core.ids import to_public
from app.modules.api import callers as api_callers
from app.modules.customers.events import CustomerUpdated
from app.modules.events import publish
from app.modules.orders.contracts import NewOrder, PlacedOrder
from app.modules.orders.exceptions import BuyerBlockedError, OrderHeldError, OutOfStockError
from app.modules.orders.services.decide_service import confirm_lines
from app.modules.orders.services.hold_service import free_held, let_pass
from app.modules.orders.services.place_service import place_order
from app.modules.orders.tests.conftest import ANNE, BY, LIVE, Desk
from app.modules.tenancy.facade import find_vendor, vendor_holder
from app.testing.api_keys import make_key, owner_of
from app.testing.working import work


def test_buyers_at_once_never_get_more_than_there_is_and_numbers_have_no_gap(desk: Desk) -> None:
    desk.product("A")
    desk.stock("A", 5)

    def buy(number: int) -> PlacedOrder | None:
        try:
            return desk.place(desk.line("A"), external_id=f"E-{number % 16}")
        except OutOfStockError:
            return None

    with ThreadPoolExecutor(4) as pool:
        placed = [one for one in pool.map(buy, range(24)) if one]
    new = [one for one in placed if one.is_new]
    assert sorted(int(one.number) for one in new) == [1001, 1002, 1003, 1004, 1005]
    assert desk.level("A") == (5, 5)
    assert desk.rows("SELECT count(*) FROM orders WHERE vendor_id = :vendor") == [(5,)]


def test_over_the_plan_orders_are_stored_and_held_until_there_is_room(desk: Desk) -> None:
    desk.product("A")

    def allow(number: int) -> None:
        desk.rows("DELETE FROM limit_overrides WHERE vendor_id = :vendor AND feature_code = 'orders.orders'")
        desk.rows(
            """
            INSERT INTO limit_overrides (id, vendor_id, feature_code, limit_value, reason, created_at, updated_at,
                version)
            VALUES (gen_random_uuid(), :vendor, 'orders.orders', :number, 'test', now(), now(), 1)
            """,
            number=number,
        )

    allow(1)
    first, held = desk.place(desk.line("A")), desk.place(desk.line("A"))
    with desk.session() as session:
        confirm_lines(session, first.order_id, None, BY)
    with pytest.raises(OrderHeldError), desk.session() as session:
        confirm_lines(session, held.order_id, None, BY)
    with desk.session() as session:
        assert free_held(session, desk.vendor_id) == 0
    allow(2)
    with desk.session() as session:
        assert free_held(session, desk.vendor_id) == 1
        confirm_lines(session, held.order_id, None, BY)
    assert desk.kinds(held.order_id)[:3] == ["placed", "held", "freed"]


def test_a_blocked_buyer_is_refused_by_hand_and_held_from_a_channel(desk: Desk) -> None:
    desk.product("A")
    desk.stock("A", 3)
    known = desk.place(desk.line("A"))
    customer_id = desk.view(known.order_id).order.customer_id
    assert customer_id
    desk.rows("UPDATE customers SET status = 'blocked' WHERE id = :id", id=customer_id)
    with pytest.raises(BuyerBlockedError):
        desk.place(desk.line("A"))
    assert desk.level("A") == (3, 1)
    new = NewOrder("letzshop", ANNE, LIVE, None, [desk.line("A")], external_id="L-7")
    with desk.session() as session:
        held = place_order(session, desk.vendor_id, new, when_short="exception")
        later = place_order(session, desk.vendor_id, replace(new, external_id="L-8"), when_short="exception")
    assert (held.held_for, later.held_for, desk.level("A")) == ("buyer", "buyer", (3, 3))
    for refused in (
        confirm_lines,
        lambda *given: free_held(given[0], desk.vendor_id) or confirm_lines(*given),
    ):
        with pytest.raises(BuyerBlockedError), desk.session() as session:
            refused(session, held.order_id, None, BY)
    with desk.session() as session:
        let_pass(session, held.order_id, BY)
        confirm_lines(session, held.order_id, None, BY)
    changed = CustomerUpdated(customer_id)
    for status, held_for in (("blocked", "buyer"), ("active", None)):
        desk.rows("UPDATE customers SET status = :status WHERE id = :id", id=customer_id, status=status)
        with desk.session() as session:
            publish(session, changed, vendor_id=desk.vendor_id, aggregate=str(customer_id))
        work()
        assert desk.view(later.order_id).order.held_for == held_for
    assert desk.kinds(later.order_id)[-1] == "passed"


def test_the_api_takes_an_order_through_its_life(desk: Desk, client: TestClient) -> None:
    desk.product("A")
    desk.stock("A", 3)
    vendor = find_vendor(code="GUTLAND")
    assert vendor
    with unit_of_work(IdentityScope()) as session:
        holder = vendor_holder(session, vendor.id, owner_of(session, vendor.company_id))
    assert holder
    api_callers.forget()
    headers = {"Authorization": f"Bearer {make_key(holder)}"}

    def call(method: str, path: str, body: Any = None, status: int = 200, **more: str) -> Any:
        answer = client.request(method, f"/api/v1/vendor{path}", json=body, headers={**headers, **more})
        assert answer.status_code == status, answer.text
        return answer.json()

    body = {
        "buyer": {"email": "anne@mail.example", "first_name": "Anne", "last_name": "Weber"},
        "shipping_address": {"name": "Anne Weber", "city": "Arlon", "country": "BE"},
        "lines": [{"product_id": to_public("prd", desk.goods["A"]), "quantity": 2, "unit_price_cents": 1170}],
    }
    placed = call("POST", "/orders", body, 201, **{"Idempotency-Key": "k-1"})
    assert call("POST", "/orders", body, 201, **{"Idempotency-Key": "k-1"})["id"] == placed["id"]
    placed = call("GET", f"/orders/{placed['id']}")
    assert (placed["regime"], placed["total_cents"], placed["number"]) == ("origin", 2340, "1001")
    short = call("POST", "/orders", body | {"customer_note": "again"}, 409)
    assert short["code"] == "orders.out_of_stock"
    path = f"/orders/{placed['id']}"
    assert call("POST", f"{path}/confirm", {})["status"] == "processing"
    sent = call("POST", f"{path}/shipments", {"parcels": [{"carrier_code": "dhl"}]}, 201)
    assert (sent["number"], sent["status"]) == ("1001-1", "shipped")
    assert call("POST", f"/shipments/{sent['id']}/cancel", status=409)["code"] == "orders.order_state"
    line = placed["lines"][0]["id"]
    refund = {"lines": [{"line_id": line, "quantity": 1}], "reason": "Returned", "is_restocked": True}
    assert call("POST", f"{path}/refunds", refund, 201)["gross_cents"] == 1170
    assert call("GET", path)["refunded_cents"] == 1170
    assert desk.level("A") == (2, 0)
    listed = call("GET", "/orders?q=weber&status=shipped&include=total_count")
    assert (listed["total_count"], listed["data"][0]["id"]) == (1, placed["id"])
    assert call("GET", "/order-exceptions")["data"] == []
    wrong = body | {
        "lines": [{"product_id": to_public("prd", desk.vendor_id), "quantity": 1, "unit_price_cents": 1}]
    }
    assert call("POST", "/orders", wrong, 422)["errors"][0]["pointer"] == "#/lines/0/product_id"
