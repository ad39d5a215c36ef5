"""Many buyers at once of the last few of one thing, served by one process with few connections to the database."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event, text

from app.core.config import get_settings
from app.core.database import SYSTEM, dispose_engine, engine, unit_of_work
from app.core.ids import new_id, to_public
from app.modules.api import ROOT
from app.modules.idempotency import Act, begin
from app.modules.state import forget_snapshot
from app.testing.bench.load import ask_at_once, request_bytes
from tests.api.conftest import VENDOR, Program

_BUYERS, _THINGS = 30, 5
_STOCKED = text(
    """
    WITH made AS (
        INSERT INTO products (id, vendor_id, sku, price_cents, currency, additional_image_links, attributes, is_active,
            edited_fields, created_at, updated_at, version)
        SELECT :id, v.id, 'SCARCE', 1990, 'EUR', '{}', '{}', true, '{}', now(), now(), 1
        FROM vendors v WHERE v.code = :code
        RETURNING id, vendor_id
    ), house AS (
        INSERT INTO warehouses (id, vendor_id, code, name, is_default, priority, created_at, updated_at, version)
        SELECT gen_random_uuid(), vendor_id, 'SCARCE', 'Scarce', false, 99, now(), now(), 1 FROM made
        RETURNING id, vendor_id
    )
    INSERT INTO inventory (id, vendor_id, product_id, warehouse_id, bin_location, on_hand, reserved, created_at,
        updated_at, version)
    SELECT gen_random_uuid(), m.vendor_id, m.id, h.id, '', :things, 0, now(), now(), 1 FROM made m, house h
    """
)


@pytest.fixture
def few_connections(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two at a time, and nothing known yet of what is on."""
    monkeypatch.setenv("WIZAMART_DATABASE_POOL_SIZE", "2")
    get_settings.cache_clear()
    dispose_engine()
    forget_snapshot()
    yield
    dispose_engine()
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
def scarce(owner_engine: Engine) -> str:
    """A product of which there are five."""
    product_id = new_id()
    with owner_engine.begin() as connection:
        connection.execute(_STOCKED, {"id": product_id, "code": VENDOR, "things": _THINGS})
    return to_public("prd", product_id)


def _order(number: int, product_id: str) -> dict[str, Any]:
    line = {"product_id": product_id, "title": "Scarce", "quantity": 1, "unit_price_cents": 1990}
    return {"buyer": {"email": f"buyer{number}@mail.example"}, "lines": [line]}


def test_a_crowd_gets_what_there_is_and_nobody_is_turned_away_unanswered(
    few_connections: None, api_url: str, vendor_key: str, scarce: str, owner_engine: Engine
) -> None:
    headers = {"Authorization": f"Bearer {vendor_key}"}
    path = f"{ROOT}/vendor/orders"
    wanted = [
        request_bytes(
            "POST",
            path,
            headers | {"Idempotency-Key": f"crowd-{number}"},
            orjson.dumps(_order(number, scarce)),
        )
        for number in range(_BUYERS)
    ]
    answers = ask_at_once(int(api_url.rpartition(":")[2]), wanted)
    assert Counter(status for status, _ in answers) == {201: _THINGS, 409: _BUYERS - _THINGS}
    with owner_engine.connect() as connection:
        left = connection.execute(
            text(
                "SELECT on_hand - reserved FROM inventory i JOIN products p ON p.id = i.product_id AND sku = 'SCARCE'"
            )
        )
        assert left.scalar_one() == 0


def test_an_order_takes_one_connection(
    few_connections: None, vendor: Program, scarce: str, owner_engine: Engine
) -> None:
    with owner_engine.begin() as connection:  # so many that nobody is told that little is left
        connection.execute(text("UPDATE inventory SET on_hand = on_hand + 1000"))
    held: list[int] = []
    pool = engine().pool
    event.listen(pool, "checkout", lambda *_: held.append(pool.checkedout()))  # type: ignore[attr-defined]
    for number in range(2):
        forget_snapshot()
        key = {"Idempotency-Key": str(number)}
        placed = vendor("POST", "/vendor/orders", json=_order(number, scarce), headers=key)
        assert placed.status_code == 201
    assert set(held) == {1}


def test_what_follows_an_act_waits_for_others_as_long_as_ever(app: FastAPI) -> None:
    with unit_of_work(SYSTEM) as session:
        session.execute(text("SET LOCAL lock_timeout = '7s'"))
        assert begin(session, Act(None, new_id(), "POST /here", "once")) is None
        assert session.execute(text("SHOW lock_timeout")).scalar_one() == "7s"
