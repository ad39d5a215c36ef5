"""The order desk as people work at it: pages and forms, without scripts."""

import re
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app.core.ids import to_public
from app.modules.orders.contracts import NewLine
from app.modules.orders.tests.conftest import Desk
from app.modules.pages import LANGUAGE_COOKIE
from app.testing.browsing import sign_in, token_of

GUTLAND = "/vendor/GUTLAND"
WHO = {
    "last_name": "Weber", "language": "de", "shipping_line1": "1, rue du Fort", "shipping_postcode": "L-2226",
    "shipping_city": "Luxembourg", "shipping_country": "LU", "billing_country": "LU",
}  # fmt: skip


@pytest.fixture
def owner(desk: Desk, client: TestClient) -> TestClient:
    """The owner of GUTLAND at the browser, in English; three products are on the shelf."""
    for sku in ("A", "B", "C"):
        desk.product(sku)
        desk.stock(sku, 10)
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set(LANGUAGE_COOKIE, "en")
    return client


def page_of(order_id: UUID) -> str:
    return f"{GUTLAND}/orders/{to_public('ord', order_id)}"


def press(client: TestClient, page: str, act: str, **values: object) -> str:
    """Press a button of a page and give the page that comes then."""
    data = {"csrf_token": token_of(client.get(page)), **values}
    answer = client.post(f"{page}/{act}" if act else page, data=data, follow_redirects=True)
    assert answer.status_code < 500, answer.text[:500]
    return answer.text


def fill(client: TestClient, page: str, **values: object) -> tuple[int, str]:
    """Send a form with these values; status and page, followed where it led on."""
    shown = client.get(page)
    hidden = dict(re.findall(r'type="hidden" name="(form_token|version)" value="([^"]*)"', shown.text))
    data = {"csrf_token": token_of(shown), **hidden, **values}
    answer = client.post(page, data=data, follow_redirects=True)
    return answer.status_code, answer.text


def test_an_order_is_taken_by_hand(owner: TestClient, desk: Desk) -> None:
    lines = {"sku_1": "A", "quantity_1": "2", "sku_2": "B", "quantity_2": "1", "price_2": "7.50"}
    status, page = fill(owner, f"{GUTLAND}/orders/new", **WHO, **lines, shipping="5.90", payment="cash")
    assert status == 200
    assert "Thing" not in page
    assert "€33.40" in page
    assert desk.level("A") == (10, 2)
    assert desk.level("B") == (10, 1)
    assert desk.rows("SELECT channel, paid_at FROM orders WHERE vendor_id = :vendor")[0].paid_at


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({"sku_1": "NOPE"}, "no product with this SKU"),
        ({"sku_1": "A", "quantity_1": "-1"}, "whole number above nought"),
        ({"sku_1": "A", "quantity_1": "11"}, "not enough"),
        ({}, "Enter"),
    ],
)
def test_what_cannot_be_ordered_is_said_and_nothing_is_written(
    owner: TestClient, desk: Desk, lines: dict[str, str], said: str
) -> None:
    status, page = fill(owner, f"{GUTLAND}/orders/new", **WHO, **lines)
    assert status == 422
    assert said in page
    assert "1, rue du Fort" in page  # what was typed stays
    assert desk.level("A") == (10, 0)
    assert not desk.rows("SELECT FROM orders WHERE vendor_id = :vendor")


def test_lines_are_confirmed_and_declined_one_by_one(owner: TestClient, desk: Desk) -> None:
    order_id = desk.place(desk.line("A", 2), desk.line("B"), desk.line("C")).order_id
    page = page_of(order_id)
    keys = [to_public("oln", line.id) for line in desk.view(order_id).lines]
    assert "Say why you decline" in press(owner, page, "decline", line=keys[1])
    assert "Tick the lines" in press(owner, page, "decline", reason="Broken")
    assert "Broken" in press(owner, page, "decline", line=keys[1], reason="Broken")
    shown = press(owner, page, "confirm", line=[keys[0], keys[2]])
    assert "To ship" in shown
    assert [line.decision for line in desk.view(order_id).lines] == ["confirmed", "declined", "confirmed"]
    assert desk.level("B") == (10, 0)


def test_goods_go_in_two_shipments_and_what_is_sent_stays_sent(owner: TestClient, desk: Desk) -> None:
    order_id = desk.place(desk.line("A", 2), desk.line("B"), desk.line("C")).order_id
    page = page_of(order_id)
    press(owner, page, "confirm")
    first = {"line_1": "1", "line_2": "1", "line_3": "0", "carrier": "post-lu", "tracking": "LX1LU\nLX2LU"}
    status, shown = fill(owner, f"{page}/ship", **first, is_sent="true")
    assert status == 200
    assert "Partially shipped" in shown
    assert "LX1LU" in shown
    assert "LX2LU" in shown
    assert f"{page}/cancel" in shown  # what was not sent can still be cancelled
    assert desk.view(order_id).remaining == dict(
        zip([line.id for line in desk.view(order_id).lines], (1, 0, 1), strict=True)
    )
    status, shown = fill(
        owner, f"{page}/ship", line_1="5", line_3="1", carrier="", tracking="", is_sent="true"
    )
    assert status == 422  # more than there is
    status, shown = fill(
        owner, f"{page}/ship", line_1="1", line_3="1", carrier="dhl", tracking="JD1", is_sent="true"
    )
    assert status == 200
    assert f"{page}/cancel" not in shown
    assert desk.view(order_id).order.status == "shipped"
    assert desk.level("A") == (8, 0)


def test_tracking_numbers_without_a_carrier_are_refused(owner: TestClient, desk: Desk) -> None:
    order_id = desk.place(desk.line("A")).order_id
    press(owner, page_of(order_id), "confirm")
    status, page = fill(
        owner, f"{page_of(order_id)}/ship", line_1="1", carrier="", tracking="JD1", is_sent="true"
    )
    assert status == 422
    assert "Choose the carrier" in page
    assert not desk.view(order_id).shipments


def test_a_refund_leaves_stock_and_a_cancellation_frees_it(owner: TestClient, desk: Desk) -> None:
    order_id = desk.place(desk.line("A", 3), is_paid=True).order_id
    page = page_of(order_id)
    status, _ = fill(owner, f"{page}/cancel", line_1="1", reason="Not wanted")
    assert status == 200
    assert desk.level("A") == (10, 2)
    press(owner, page, "confirm")
    fill(owner, f"{page}/ship", line_1="2", carrier="", tracking="", is_sent="true")
    status, shown = fill(owner, f"{page}/refund", line_1="1", reason="Scratched", method="cash")
    assert status == 200
    assert "Scratched" in shown
    assert desk.level("A") == (8, 0)
    assert desk.view(order_id).order.refunded_cents == 1000
    fill(owner, f"{page}/return", line_1="1")
    assert desk.level("A") == (9, 0)


def test_one_answer_frees_every_line_that_waits_for_it(owner: TestClient, desk: Desk) -> None:
    unknown = NewLine(None, None, "4006381333931", "Mystery pen", 1, 500)
    ids = [desk.place(unknown, when_short="exception", channel=f"c{place}").order_id for place in range(5)]
    inbox = f"{GUTLAND}/orders/exceptions"
    shown = owner.get(inbox).text
    assert shown.count("This is the product") == 1  # one question for five lines
    assert "exception" in owner.get(page_of(ids[0])).text
    key = re.findall(r"/orders/exceptions/(oex_\w+)/resolve", shown)[0]
    token = token_of(owner.get(inbox))
    missing = owner.post(
        f"{inbox}/{key}/resolve", data={"csrf_token": token, "sku": "NOPE"}, follow_redirects=True
    )
    assert "no product with this SKU" in missing.text
    answer = {"csrf_token": token, "sku": "A", "remember": "true"}
    freed = owner.post(f"{inbox}/{key}/resolve", data=answer, follow_redirects=True).text
    assert "5 lines are free" in freed
    assert [desk.view(one).order.pending_exceptions for one in ids] == [0] * 5
    assert desk.level("A") == (10, 5)
    assert "Confirmed." in press(owner, page_of(ids[0]), "confirm")
    again = desk.place(unknown, when_short="exception", channel="later").order_id
    assert desk.view(again).order.pending_exceptions == 0


def test_slips_and_pick_lists_have_a_sheet_for_each_order(owner: TestClient, desk: Desk) -> None:
    ids = [desk.place(desk.line("A")).order_id for _ in range(3)]
    for key in ids:
        press(owner, page_of(key), "confirm")
    for kind in ("slip", "pick"):
        paper = owner.get(f"{GUTLAND}/orders/print", params={"kind": kind}).text
        assert paper.count('class="sheet"') == 3
        assert 'class="sidebar"' not in paper
    one = owner.get(
        f"{GUTLAND}/orders/print", params={"kind": "slip", "order": to_public("ord", ids[0])}
    ).text
    assert one.count('class="sheet"') == 1


def test_an_order_over_the_plan_is_shown_and_held(owner: TestClient, desk: Desk) -> None:
    order_id = desk.place(desk.line("A")).order_id
    desk.rows("UPDATE orders SET held_for = 'plan' WHERE vendor_id = :vendor")
    shown = owner.get(page_of(order_id)).text
    assert "plan allows no more orders" in shown
    assert "orders/" in shown
    answer = press(owner, page_of(order_id), "confirm")
    assert "plan" in answer
    assert desk.view(order_id).order.status == "pending"
    assert "1 order over the plan" in owner.get(GUTLAND).text


def test_the_operator_finds_orders_of_all_vendors(client: TestClient, desk: Desk) -> None:
    desk.product("A")
    order_id = desk.place(desk.line("A"), external_number="X-4711").order_id
    sign_in(client, "admin", "admin@wizamart.example")
    assert to_public("ord", order_id) in client.get("/admin/orders?q=x-47").text
    assert to_public("ord", order_id) not in client.get("/admin/orders?q=nowhere").text
