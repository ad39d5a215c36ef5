"""The stock through pages and API: reasons, counts, deliveries, alerts, and who may."""

import html
import re
from collections.abc import Mapping
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select, text

from app.core.database import unit_of_work
from app.core.ids import new_id, to_public
from app.modules.inventory.contracts import Rule
from app.modules.inventory.models.level import Level, Movement
from app.modules.inventory.models.planning import IncomingStock, StockCount, StockCountLine
from app.modules.inventory.routes import vendor_count_sheet
from app.modules.inventory.services.rule_service import kept_back_of, set_rule
from app.modules.inventory.services.stock_service import Stock
from app.testing.browsing import sign_in, token_of
from app.testing.working import vendor_scope

_ROOT = "/vendor/MINETT"


@pytest.fixture
def owner(client: TestClient) -> TestClient:
    sign_in(client, "vendor", "owner@minett.example")
    return client


def _send(client: TestClient, path: str, values: Mapping[str, str]) -> tuple[int, str]:
    page = client.get(path)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    answer = client.post(path, data={**hidden, "csrf_token": token_of(page), **values})
    return answer.status_code, answer.text


def _levels() -> list[Level]:
    """Places of the first warehouse where something lies, in an order that stays."""
    found = (
        select(Level)
        .where(Level.bin_location != "", Level.on_hand > 0)
        .order_by(Level.bin_location, Level.id)
    )
    with unit_of_work(vendor_scope()) as session:
        return list(session.scalars(found))


def _movements(product_id: UUID) -> list[Movement]:
    with unit_of_work(vendor_scope()) as session:
        found = select(Movement).where(Movement.product_id == product_id).order_by(Movement.id.desc())
        return list(session.scalars(found))


def test_adjusting_asks_for_a_reason_and_writes_the_ledger(owner: TestClient) -> None:
    level = _levels()[0]
    path = f"{_ROOT}/inventory/{to_public('stk', level.id)}"
    known = len(_movements(level.product_id))
    status, _ = _send(owner, f"{path}/adjust", {"mode": "change", "units": "3", "reason": ""})
    assert status == 422
    assert len(_movements(level.product_id)) == known
    status, _ = _send(owner, f"{path}/adjust", {"mode": "change", "units": "+3", "reason": "received"})
    assert status == 303
    line = _movements(level.product_id)[0]
    assert (line.on_hand_change, line.on_hand_after, line.reason) == (3, level.on_hand + 3, "received")
    assert line.user_id is not None
    assert f"{level.on_hand} → {level.on_hand + 3}" in owner.get(path).text


def test_less_than_orders_hold_is_refused_at_the_field(owner: TestClient) -> None:
    level = _levels()[0]
    with unit_of_work(vendor_scope()) as session:
        assert (
            Stock.reserve(
                session, new_id(), "R-1", [(new_id(), level.product_id, level.on_hand - level.reserved)]
            )
            == {}
        )
    path = f"{_ROOT}/inventory/{to_public('stk', level.id)}/adjust"
    status, text = _send(owner, path, {"mode": "set", "units": "0", "reason": "count"})
    assert status == 422
    assert "orders hold" in text


def test_a_typed_count_is_compared_and_then_applied(owner: TestClient) -> None:
    first, second = _levels()[:2]
    with unit_of_work(vendor_scope()) as session:
        Stock.reserve(session, new_id(), "R-1", [(new_id(), second.product_id, 1)])
    rows = "\n".join(
        f"{_sku(one)};{units};LUX;{one.bin_location}" for one, units in ((first, 77), (second, 0))
    )
    status, _ = _send(
        owner, f"{_ROOT}/inventory/counts/new", {"name": "Rack S", "rows": f"{rows}\nNOTHING;1"}
    )
    assert status == 303
    with unit_of_work(vendor_scope()) as session:
        count = session.scalars(select(StockCount).where(StockCount.name == "Rack S")).one()
        faults = select(StockCountLine.fault).where(StockCountLine.count_id == count.id)
        found = list(session.scalars(faults.order_by(StockCountLine.line)))
    assert found == [None, "below_reserved", "unknown_sku"]
    assert [one.on_hand for one in _levels()[:2]] == [first.on_hand, second.on_hand]
    path = f"{_ROOT}/inventory/counts/{to_public('cnt', count.id)}"
    page = owner.get(path)
    assert page.text.count("<tr>") == 1 + 3
    applied = owner.post(f"{path}/apply", data={"csrf_token": token_of(page)})
    assert applied.status_code == 303
    assert [one.on_hand for one in _levels()[:2]] == [77, second.on_hand]
    again = owner.post(f"{path}/apply", data={"csrf_token": token_of(page)})
    assert again.status_code == 409


def _sku(level: Level) -> str:
    from app.modules.catalog import facade as catalog

    with unit_of_work(vendor_scope()) as session:
        return catalog.get_product(session, level.product_id, language="en").summary.sku


def test_a_delivery_arrives_in_parts(owner: TestClient) -> None:
    with unit_of_work(vendor_scope()) as session:
        coming = session.scalars(select(IncomingStock)).one()
    path = f"{_ROOT}/inventory/incoming/{to_public('inc', coming.id)}"
    assert _send(owner, path, {"quantity": "20", "bin_location": "Z-01"})[0] == 303
    assert _send(owner, path, {"quantity": "29"})[0] == 422
    assert _send(owner, path, {"quantity": "8", "bin_location": "Z-01", "is_last": "true"})[0] == 303
    assert [one.on_hand for one in _levels() if one.bin_location == "Z-01"] == [28]
    assert _send(owner, path, {"quantity": "1"})[0] == 422


def test_what_is_low_stands_on_the_home_page_and_in_lists(owner: TestClient) -> None:
    assert "low or sold out" in owner.get(_ROOT).text
    page = owner.get(f"{_ROOT}/inventory?state=low&state=out").text
    assert "Low" in page
    products = owner.get(f"{_ROOT}/products?columns=sku,inventory.available&inventory.stock=low")
    assert products.status_code == 200
    assert "Available" in products.text


def test_another_vendor_and_the_operator(client: TestClient) -> None:
    level = _levels()[0]
    sign_in(client, "vendor", "owner@moselle.example")
    assert client.get(f"/vendor/MOSELLE/inventory/{to_public('stk', level.id)}").status_code == 404
    client.cookies.clear()
    sign_in(client, "admin", "admin@wizamart.example")
    page = client.get("/admin/inventory")
    assert page.status_code == 200
    assert "MINETT" in page.text


def test_counting_on_the_page_makes_a_count_of_the_rows_that_were_typed(owner: TestClient) -> None:
    first, second = _levels()[:2]
    sheet = f"{_ROOT}/inventory/counts/sheet"
    page = owner.get(sheet, params={"q": _sku(first)})
    assert to_public("stk", first.id) in page.text
    assert to_public("stk", second.id) not in page.text
    typed = {
        "place": [to_public("stk", one.id) for one in (first, second)],
        "units": ["", "41"],
        "name": "By hand",
    }
    answer = owner.post(sheet, data={"csrf_token": token_of(page), **typed}, follow_redirects=True)
    assert "By hand" in answer.text
    with unit_of_work(vendor_scope()) as session:
        count = session.scalars(select(StockCount).where(StockCount.name == "By hand")).one()
        lines = session.scalars(select(StockCountLine).where(StockCountLine.count_id == count.id)).all()
    assert [(one.product_id, one.bin_location, one.on_hand, one.fault) for one in lines] == [
        (second.product_id, second.bin_location, 41, None)
    ]
    assert [one.on_hand for one in _levels()[:2]] == [first.on_hand, second.on_hand]  # nothing is applied yet
    empty = owner.post(
        sheet,
        data={"csrf_token": token_of(page), "place": typed["place"], "units": ["", " "]},
        follow_redirects=True,
    )
    assert "at least one figure" in empty.text


def test_a_count_goes_on_over_the_next_places(owner: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor_count_sheet, "MOST_ROWS", 2)
    here, seen = f"{_ROOT}/inventory/counts/sheet", []
    for number, act in enumerate(("next", "next", "compare")):
        page = owner.get(here)
        places = re.findall(r'name="place" value="(stk_\w+)"', page.text)
        seen += places
        data = {"csrf_token": token_of(page), "place": places, "units": [str(70 + number), ""]}
        data |= {"name": "Walk"} if number == 0 else {}
        action = html.unescape(
            re.findall(r'<form method="post" action="([^"]*counts/sheet[^"]*)"', page.text)[0]
        )
        answer = owner.post(action, data=data | {"then": act}, follow_redirects=False)
        assert answer.status_code == 303
        here = answer.headers["location"]
        if number == 0:
            assert "Walk" in owner.get(here).text  # the page says to which count it adds
    assert len(set(seen)) == len(seen) == 6
    with unit_of_work(vendor_scope()) as session:
        count = session.scalars(select(StockCount).where(StockCount.name == "Walk")).one()
        counted = select(StockCountLine.line, StockCountLine.on_hand, StockCountLine.fault)
        lines = session.execute(
            counted.where(StockCountLine.count_id == count.id).order_by(StockCountLine.line)
        )
        assert [tuple(one) for one in lines] == [(1, 70, None), (2, 71, None), (3, 72, None)]
    assert here.endswith(to_public("cnt", count.id))


def test_what_is_kept_back_and_what_is_stale_is_shown(owner: TestClient, owner_engine: Engine) -> None:
    level = _levels()[0]
    with unit_of_work(vendor_scope()) as session:
        rule = Rule(kept_back=3)
        set_rule(session, level.vendor_id, level.product_id, None, rule)
    with unit_of_work(vendor_scope()) as session:
        kept = session.execute(
            select(kept_back_of(Level.product_id)).where(Level.id == level.id)
        ).scalar_one()
        assert kept == min(3, level.on_hand - level.reserved)
    assert "Kept back" in owner.get(f"{_ROOT}/inventory").text
    with owner_engine.begin() as connection:
        connection.execute(
            text("UPDATE inventory SET updated_at = now() - interval '91 days' WHERE id = :id"),
            {"id": level.id},
        )
    owner.cookies.clear()
    sign_in(owner, "admin", "admin@wizamart.example")
    exported = owner.get("/admin/inventory?q=MINETT&columns=code,stale").text
    assert re.search(r'<td class="num[^"]*">\s*1\s*</td>', exported)
