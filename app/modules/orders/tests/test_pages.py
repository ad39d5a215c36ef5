"""The order desk as people work at it: pages and forms, without scripts."""

import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from app.core.ids import to_public
from app.modules.orders.adapters.barcode import bars_of, symbols_of
from app.modules.orders.contracts import NewLine
from app.modules.orders.tests.conftest import ANNE, Desk
from app.modules.orders.tests.page_kit import GUTLAND, WHO, fill, owner, page_of, press
from app.modules.pages import LANGUAGE_COOKIE
from app.testing.browsing import sign_in, token_of
from app.testing.working import work

__all__ = ["owner"]


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


def test_fewer_than_were_ordered_are_confirmed(owner: TestClient, desk: Desk) -> None:
    order_id = desk.place(desk.line("A", 3), desk.line("B", 2), desk.line("C")).order_id
    page = page_of(order_id)
    keys = [to_public("oln", line.id) for line in desk.view(order_id).lines]
    assert "whole number" in press(owner, page, "confirm", part=keys, quantity=["some", "1", "1"])
    assert "are left for this" in press(owner, page, "confirm", part=keys, quantity=["4", "1", "1"])
    assert {line.decision for line in desk.view(order_id).lines} == {"pending"}
    shown = press(owner, page, "confirm", part=keys, quantity=["2", "0", "1"])
    assert "To ship" in shown
    lines = desk.view(order_id).lines
    assert [line.decision for line in lines] == ["confirmed", "declined", "confirmed"]
    assert [line.cancelled_quantity for line in lines] == [1, 2, 0]
    assert desk.level("A") == (10, 2)
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


def test_an_answer_is_taken_back_on_the_page(owner: TestClient, desk: Desk) -> None:
    unknown = NewLine(None, None, "4006381333931", "Mystery pen", 1, 500)
    order_id = desk.place(unknown, when_short="exception", channel="c").order_id
    inbox = f"{GUTLAND}/orders/exceptions"
    here = f"{inbox}/{to_public('oex', desk.view(order_id).exceptions[0].id)}"
    data = {"csrf_token": token_of(owner.get(inbox)), "sku": "A"}
    answered = owner.post(f"{here}/resolve", data=data, follow_redirects=True).text
    assert f"{here}/undo" in answered
    assert desk.level("A") == (10, 1)
    assert "the line waits again" in owner.post(f"{here}/undo", data=data, follow_redirects=True).text
    assert desk.level("A") == (10, 0)
    assert desk.view(order_id).order.pending_exceptions == 1


def test_a_blocked_buyer_is_refused_at_the_form_and_let_pass_on_the_page(
    owner: TestClient, desk: Desk
) -> None:
    order_id = desk.place(desk.line("A"), buyer=replace(ANNE, email="weber@mail.example")).order_id
    desk.rows(
        "UPDATE customers SET status = 'blocked' WHERE vendor_id = :vendor AND email_norm = 'weber@mail.example'"
    )
    lines = {"sku_1": "A", "quantity_1": "1"}
    status, page = fill(owner, f"{GUTLAND}/orders/new", **WHO, **lines, email="weber@mail.example")
    assert (status, "This buyer is blocked" in page) == (422, True)
    assert desk.level("A") == (10, 1)
    desk.rows("UPDATE orders SET held_for = 'buyer' WHERE vendor_id = :vendor")
    assert "blocked" in owner.get(GUTLAND).text
    assert to_public("ord", order_id) in owner.get(f"{GUTLAND}/orders?needs=buyer").text
    assert "The buyer is blocked" in owner.get(page_of(order_id)).text
    assert "can be worked on" in press(owner, page_of(order_id), "let-pass")
    assert "Confirmed." in press(owner, page_of(order_id), "confirm")


def test_labels_have_the_address_and_the_number_as_bars(owner: TestClient, desk: Desk) -> None:
    order_id = desk.place(desk.line("A", 2)).order_id
    press(owner, page_of(order_id), "confirm")
    packed = {"line_1": "2", "carrier": "post-lu", "tracking": "LX1LU\nLX2LU"}
    fill(owner, f"{page_of(order_id)}/ship", **packed)
    paper = owner.get(f"{GUTLAND}/orders/labels").text
    assert paper.count('class="sheet label"') == 2
    assert "1, rue du Fort" in paper
    assert paper.count("LX2LU") == 3  # the label, its bars, and the number below
    width, bars = bars_of("LX2LU")
    assert f'viewBox="0 0 {width} 40"' in paper
    assert all(f'<rect x="{offset}" width="{width}"' in paper for offset, width in bars)


def test_bars_are_those_of_the_standard() -> None:
    assert symbols_of("PJJ123C") == [
        104,
        48,
        42,
        42,
        17,
        18,
        19,
        35,
        55,
        106,
    ]  # a worked example with its check symbol
    width, bars = bars_of("A")
    assert width == 10 + 11 * 3 + 13 + 10
    assert bars[:3] == [(10, 2), (13, 1), (16, 1)]  # start B: 2 1 1 2 1 4
    for unreadable in ("", "é", "\n"):
        with pytest.raises(ValueError, match="ASCII"):
            symbols_of(unreadable)


def test_a_carrier_of_ones_own_is_made_chosen_and_put_away(owner: TestClient, desk: Desk) -> None:
    new = f"{GUTLAND}/orders/carriers/new"
    van = {"code": "van", "name": "Our van", "tracking_url": "https://van.example/{number}"}
    for wrong in ({"code": "Our van"}, {"tracking_url": "http://van.example/"}):
        assert fill(owner, new, **(van | wrong))[0] == 422
    assert "Our van" in fill(owner, new, **van)[1]
    assert fill(owner, new, **van)[0] == 422  # the code is taken
    order_id = desk.place(desk.line("A", 2)).order_id
    page = page_of(order_id)
    press(owner, page, "confirm")
    _, shown = fill(owner, f"{page}/ship", line_1="1", carrier="van", tracking="V 1", is_sent="true")
    assert "https://van.example/V%201" in shown
    key = to_public("car", desk.rows("SELECT id FROM carriers WHERE vendor_id = :vendor")[0].id)
    fill(owner, f"{GUTLAND}/orders/carriers/{key}", name="Our van", tracking_url="")
    assert 'value="van"' not in owner.get(f"{page}/ship").text
    assert "Our van" in owner.get(page).text  # parcels that went keep it


def test_the_operator_sees_documents_and_who_sees_to_what(client: TestClient, desk: Desk) -> None:
    desk.product("A")
    unknown = NewLine(None, None, "4006381333931", "Mystery pen", 1, 500)
    order_id = desk.place(unknown, when_short="exception", channel="c").order_id
    waiting = desk.view(order_id).exceptions[0].id
    sign_in(client, "admin", "admin@wizamart.example")
    client.cookies.set(LANGUAGE_COOKIE, "en")
    assert client.get("/admin/documents?q=MO-").status_code == 200
    exceptions = "/admin/orders/exceptions"
    page = f"{exceptions}/{to_public('oex', waiting)}"
    me = re.findall(r'<option value="(usr_\w+)"', client.get(page).text)[0]
    assert fill(client, page, assigned_to=me)[0] == 200
    assert to_public("oex", waiting) in client.get(f"{exceptions}?assigned={me}").text
    assert to_public("oex", waiting) not in client.get(f"{exceptions}?assigned=nobody").text
    said = desk.rows(
        "SELECT action FROM audit_log WHERE vendor_id = :vendor AND action = 'orders.exception_assigned'"
    )
    assert len(said) == 2  # at the exception and at its order
    assert fill(client, page, assigned_to="")[0] == 200
    assert to_public("oex", waiting) in client.get(f"{exceptions}?assigned=nobody").text
    for act, shown in (("take", me), ("let_go", "nobody")):
        chosen = {
            "action": act,
            "ids": to_public("oex", waiting),
            "csrf_token": token_of(client.get(exceptions)),
        }
        client.post(f"{exceptions}/bulk", data=chosen, follow_redirects=True)
        assert to_public("oex", waiting) in client.get(f"{exceptions}?assigned={shown}").text
    everything = {
        "action": "take",
        "everything": "1",
        "query": "status=pending",
        "csrf_token": chosen["csrf_token"],
    }
    client.post(f"{exceptions}/bulk", data=everything, follow_redirects=True)
    work()  # more than fit on a page are done by a job, in the name of who pressed
    assert to_public("oex", waiting) in client.get(f"{exceptions}?assigned={me}").text
    desk.product("PEN", "04006381333931")
    picked = {"action": "retry", "ids": to_public("oex", waiting)}
    picked["csrf_token"] = token_of(client.get(exceptions))
    client.post(f"{exceptions}/bulk", data=picked, follow_redirects=True)
    assert desk.view(order_id).order.pending_exceptions == 0


def test_stock_that_arrives_goes_to_the_oldest_line_at_once(owner: TestClient, desk: Desk) -> None:
    desk.product("D")
    desk.stock("D", 0)
    first, second = (desk.place(desk.line("D", 2), when_short="exception").order_id for _ in range(2))
    (level,) = desk.rows("SELECT id FROM inventory WHERE product_id = :id", id=desk.goods["D"])
    adjust = f"{GUTLAND}/inventory/{to_public('stk', level.id)}/adjust"
    assert fill(owner, adjust, mode="change", units="3", reason="received")[0] == 200
    work()
    waiting = [desk.view(one).order.pending_exceptions for one in (first, second)]
    assert (waiting, desk.level("D")) == ([0, 1], (3, 2))
    fill(owner, f"{page_of(first)}/cancel", line_1="2", reason="Not wanted")
    work()
    assert (desk.view(second).order.pending_exceptions, desk.level("D")) == (0, (3, 2))
