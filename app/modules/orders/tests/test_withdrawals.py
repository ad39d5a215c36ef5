"""Buyers who give back what they bought, from the notice to the money."""

import re
from datetime import UTC, date, datetime

import pytest
from fastapi.testclient import TestClient

from app.core import clock
from app.modules.orders.models.withdrawal import Withdrawal
from app.modules.orders.services.withdrawal_service import refund_until
from app.modules.orders.tests.conftest import Desk
from app.modules.orders.tests.page_kit import GUTLAND, fill, owner, page_of, press

__all__ = ["owner"]


def test_a_withdrawal_goes_from_the_notice_to_the_money(owner: TestClient, desk: Desk) -> None:
    order_id = desk.place(desk.line("A", 2), desk.line("B"), shipping_cents=500, is_paid=True).order_id
    page = page_of(order_id)
    press(owner, page, "confirm")
    assert f"{page}/withdrawal" not in owner.get(page).text  # nothing was sent yet
    fill(owner, f"{page}/ship", line_1="2", line_2="1", carrier="", tracking="", is_sent="true")
    asked = {"line_2": "0", "source": "email", "message": "Too small"}
    for wrong in ({"line_1": "3"}, {"line_1": "0"}, {"line_1": "1", "received_on": "2999-01-01"}):
        assert fill(owner, f"{page}/withdrawal", **({"received_on": "2026-11-20"} | asked | wrong))[0] == 422
    status, shown = fill(
        owner, f"{page}/withdrawal", **asked, line_1="1", received_on=str(clock.today("Europe/Luxembourg"))
    )
    assert (status, "Too small" in shown) == (200, True)
    here = f"{GUTLAND}/orders/withdrawals/{re.findall(r'withdrawals/(wdr_[a-z0-9]+)', shown)[0]}"
    assert "1 withdrawal to settle" in owner.get(GUTLAND).text
    assert here in owner.get(f"{GUTLAND}/orders/withdrawals?status=open").text
    assert f"{here}/refund" not in press(owner, here, "")  # not before somebody agreed
    assert "Days left to give the money back: 14" in press(owner, here, "approve")
    press(owner, here, "goods?to=stock")
    assert desk.level("A") == (9, 0)
    assert "Refunded" in press(owner, here, "refund")
    order = desk.view(order_id).order
    assert (order.refunded_cents, order.status) == (1000, "shipped")
    press(owner, here, "refund")
    assert desk.view(order_id).order.refunded_cents == 1000  # once
    assert desk.kinds(order_id).count("withdrawal_refunded") == 1
    _, shown = fill(
        owner, f"{page}/withdrawal", **(asked | {"line_2": "1"}), received_on="2026-11-01", line_1="1"
    )
    refused = re.findall(r"withdrawals/(wdr_[a-z0-9]+)", shown)[0]
    assert fill(owner, f"{GUTLAND}/orders/withdrawals/{refused}/refuse", reason="Worn")[0] == 200
    assert "Worn" in owner.get(f"{GUTLAND}/orders/withdrawals/{refused}").text


def test_with_all_of_the_goods_their_shipping_goes_back(owner: TestClient, desk: Desk) -> None:
    order_id = desk.place(desk.line("A", 2), shipping_cents=500, is_paid=True).order_id
    page = page_of(order_id)
    press(owner, page, "confirm")
    fill(owner, f"{page}/ship", line_1="2", carrier="", tracking="", is_sent="true")
    desk.rows("UPDATE orders SET shipped_at = now() - interval '20 days' WHERE id = :id", id=order_id)
    today = str(clock.today("Europe/Luxembourg"))
    _, shown = fill(owner, f"{page}/withdrawal", line_1="2", source="letter", received_on=today)
    assert "more than 14 days after delivery" in shown
    here = f"{GUTLAND}/orders/withdrawals/{re.findall(r'withdrawals/(wdr_[a-z0-9]+)', shown)[0]}"
    press(owner, here, "approve")
    press(owner, here, "goods?to=aside")
    assert desk.level("A") == (8, 0)
    press(owner, here, "refund")
    order = desk.view(order_id).order
    assert (order.refunded_cents, order.status) == (2500, "refunded")


@pytest.mark.parametrize(
    ("received_at", "last_day"),
    [
        (datetime(2026, 3, 20, 22, 59, tzinfo=UTC), date(2026, 4, 3)),
        (datetime(2026, 3, 20, 23, tzinfo=UTC), date(2026, 4, 4)),  # summer time begins on the 29th
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), date(2027, 1, 15)),
    ],
)
def test_the_last_day_is_one_of_the_vendors_calendar(received_at: datetime, last_day: date) -> None:
    assert refund_until(Withdrawal(received_at=received_at), "Europe/Luxembourg") == last_day
