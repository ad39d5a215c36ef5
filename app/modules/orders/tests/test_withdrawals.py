"""Buyers who give back what they bought, from the notice to the money."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.policy import SMTP
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app.core import clock
from app.core.config import get_settings
from app.core.database import IdentityScope, unit_of_work
from app.core.ids import to_public
from app.modules.orders.models.withdrawal import Withdrawal
from app.modules.orders.services.decide_service import confirm_lines
from app.modules.orders.services.oss_total_service import ZONE
from app.modules.orders.services.shipment_service import ship
from app.modules.orders.services.withdrawal_service import refund_until
from app.modules.orders.tests.conftest import ANNE, BY, Desk
from app.modules.orders.tests.page_kit import GUTLAND, fill, owner, page_of, press
from app.modules.tenancy import facade as tenancy
from app.testing.api_keys import make_key, owner_of
from app.testing.working import work

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


@dataclass
class Program:
    """A program with a key of the vendor's, and an order of two goods that were sent, with a listener to its events."""

    client: TestClient
    headers: dict[str, str]
    reader: dict[str, str]
    order_id: UUID
    lines: list[str]

    @property
    def notices(self) -> str:
        return f"/orders/{to_public('ord', self.order_id)}/withdrawals"

    def call(self, path: str, json: object = None, key: str | None = None, *, is_reader: bool = False) -> Any:
        """Post something."""
        headers = self.reader if is_reader else self.headers
        more = {"Idempotency-Key": key} if key else {}
        return self.client.post(f"/api/v1/vendor{path}", json=json, headers=headers | more)

    def notice(self, line: int, quantity: int = 1, **more: str) -> dict[str, Any]:
        """What a buyer says."""
        lines = [{"line_id": self.lines[line], "quantity": quantity}]
        return {"lines": lines, "source": "channel", "message": "Too small", **more}


@pytest.fixture
def program(client: TestClient, desk: Desk) -> Program:
    for sku in ("A", "B"):
        desk.product(sku)
        desk.stock(sku, 10)
    company = tenancy.get_vendor("GUTLAND").company_id
    with unit_of_work(IdentityScope()) as session:
        holder = tenancy.vendor_holder(session, desk.vendor_id, owner_of(session, company))
    assert holder
    keys = (make_key(holder), make_key(holder, "orders.orders.view"))
    headers, reader = ({"Authorization": f"Bearer {key}"} for key in keys)
    events = ["orders.withdrawal_noted", "orders.withdrawal_settled"]
    listener = {"url": "https://hooks.example/x", "event_types": events}
    assert client.post("/api/v1/vendor/webhooks", json=listener, headers=headers).status_code == 201
    order_id = desk.place(desk.line("A", 2), desk.line("B"), is_paid=True).order_id
    with desk.session() as session:
        confirm_lines(session, order_id, None, BY)
        ship(session, order_id, None, (), BY)
    lines = [to_public("oln", line.id) for line in desk.view(order_id).lines]
    return Program(client, headers, reader, order_id, lines)


def test_a_program_notes_a_withdrawal_once_and_the_buyer_is_told(program: Program, desk: Desk) -> None:
    here, given = program.notices, program.notice(0)
    assert program.call(here, given, "a", is_reader=True).status_code == 403
    assert program.call(here, given).status_code == 400  # a creation needs a key
    assert program.call(here, program.notice(0, 3), "b").status_code == 422  # more than was sent
    assert program.call(here, program.notice(0, received_at="2999-01-01T00:00:00Z"), "c").status_code == 422
    made = program.call(here, given, "d")
    assert made.status_code == 201, made.text
    assert program.call(here, given, "d").json() == made.json()
    number = made.json()["number"]
    query = f"?status=open&order_id={made.json()['order_id']}"
    found = program.client.get(f"/api/v1/vendor/withdrawals{query}", headers=program.reader).json()["data"]
    assert [row["number"] for row in found] == [number]
    one = program.client.get(f"/api/v1/vendor/withdrawals/{made.json()['id']}", headers=program.reader)
    assert (one.json()["message"], one.json()["is_in_time"]) == ("Too small", True)

    work()
    outbox = sorted((get_settings().data_dir / "outbox").glob("*.eml"))
    mails: list[Any] = [message_from_bytes(file.read_bytes(), policy=SMTP) for file in outbox]
    (mail,) = [mail for mail in mails if number in mail.get_body().get_content()]
    assert mail["To"] == ANNE.email
    assert "Votre rétractation" in mail["Subject"]  # in the language of the order
    text = mail.get_body().get_content()
    assert "1 × Thing A" in text
    assert "Too small" in text
    assert f"{clock.now().astimezone(ZONE):%Y}" in text
    assert desk.kinds(program.order_id)[-1] == "withdrawal_mailed"


def test_a_program_answers_and_settles_and_listeners_are_told(program: Program, desk: Desk) -> None:
    call, made = program.call, program.call(program.notices, program.notice(0), "a").json()
    one = f"/withdrawals/{made['id']}"
    assert call(f"{one}/refund", {}, "b").status_code == 409  # nobody has agreed
    assert call(f"{one}/approve", is_reader=True).status_code == 403
    assert call(f"{one}/approve").json()["status"] == "approved"
    assert call(f"{one}/goods", {"is_restocked": True}).json()["status"] == "received"
    assert desk.level("A") == (9, 0)
    done = call(f"{one}/refund", {"method": "voucher"}, "c")
    assert done.json()["status"] == "refunded", done.text
    assert call(f"{one}/refund", {"method": "voucher"}, "c").json() == done.json()
    assert desk.view(program.order_id).order.refunded_cents == 1000
    second = call(program.notices, program.notice(1), "d").json()
    refused = call(f"/withdrawals/{second['id']}/refuse", {"reason": "Worn"}).json()
    assert (refused["status"], refused["refusal"]) == ("refused", "Worn")
    work()
    told = desk.rows("SELECT body FROM webhook_deliveries WHERE vendor_id = :vendor ORDER BY id")
    bodies = [one for one in map(json.loads, (row.body for row in told)) if "withdrawal" in one["type"]]
    assert [(one["type"], one["data"]["withdrawal_id"], one["data"].get("status")) for one in bodies] == [
        ("orders.withdrawal_noted", made["id"], None),
        ("orders.withdrawal_settled", made["id"], "refunded"),
        ("orders.withdrawal_noted", second["id"], None),
        ("orders.withdrawal_settled", second["id"], "refused"),
    ]
