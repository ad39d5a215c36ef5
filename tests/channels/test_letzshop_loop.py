"""The loop with the stand-in for Letzshop over real HTTP: the past, new orders, and all that is told, with faults."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from app.core.config import get_settings
from app.modules.marketplace import facade
from app.modules.marketplace.adapters.letzshop import bucket, channel
from app.modules.marketplace.services import letzshop_credentials_service
from app.modules.orders import facade as orders
from app.modules.orders.contracts import NewParcel
from app.modules.tenancy import facade as tenancy
from app.testing.database import Database
from sandbox.testing import Sandbox, running_sandbox
from tests.channels.conftest import BY, Shop

KEY = "lz_test_loop_manager"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with running_sandbox(seed="loop") as running:
        yield running


@pytest.fixture
def shop(app: FastAPI, world: Database, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("WIZAMART_SANDBOX_URL", box.url)
    monkeypatch.setenv("MARKETPLACE_LETZSHOP_CALLS_PER_MINUTE", "100000")
    get_settings.cache_clear()
    bucket.forget()
    channel.forget()
    door(box, "/clear")
    door(box, "/shops", code="LOOP", slug="loop", name="Loop")
    door(box, "/settings", page_cap=3)
    vendor = tenancy.get_vendor("MOSELLE")
    shop = Shop(vendor.id, world.owner_engine)
    shop.rows("DELETE FROM connections WHERE vendor_id = :vendor")
    shop.rows("DELETE FROM directory_shops WHERE vendor_id = :vendor")
    shop.rows("UPDATE jobs SET state = 'cancelled' WHERE state = 'queued'")
    for sku in ("A", "B"):
        shop.product(sku)
        shop.stock(sku, 100)
        door(box, "/products", shop="LOOP", sku=sku, price_cents=1000, name={"fr": f"Chose {sku}"})
    return shop


def door(box: Sandbox, path: str, **given: Any) -> Any:
    return box.control("POST", f"/letzshop{path}", given)


def place(box: Sandbox, *lines: tuple[str, int]) -> str:
    listed = [{"sku": sku, "quantity": quantity} for sku, quantity in lines]
    (order,) = door(box, "/place", shop="LOOP", lines=listed)["data"]
    return str(order["shipments"][0]["id"])


class Sides:
    """What is said of an order on both sides."""

    def __init__(self, shop: Shop, box: Sandbox) -> None:
        self.shop, self.box = shop, box

    def there(self, external_id: str) -> Any:
        dump = self.box.control("GET", "/letzshop/dump", None)["shipments"]
        return next(one for one in dump if one["id"] == external_id)

    def units(self, external_id: str) -> Counter[str]:
        return Counter(self.there(external_id)["units"].values())

    def order(self, external_id: str) -> Any:
        sql = "SELECT * FROM orders WHERE vendor_id = :vendor AND channel = 'letzshop' AND external_id = :id"
        found = self.shop.rows(sql, id=external_id)
        assert len(found) == 1
        return found[0]


def test_what_is_said_on_one_side_is_said_on_the_other(shop: Shop, box: Sandbox) -> None:
    past = [place(box, ("A", 2)) for _ in range(4)]
    sides = Sides(shop, box)
    there, units, order = sides.there, sides.units, sides.order
    door(box, "/decide", shipment=past[0])
    with shop.session() as session:
        connection_id = facade.connect(session, shop.vendor_id, "letzshop")
        letzshop_credentials_service.store_key(session, connection_id, KEY)
        facade.import_history(session, connection_id)
    shop.connection_id = connection_id
    door(box, "/faults", name="rate_limit", times=1)
    shop.work()
    shop.work()
    assert [order(one).status for one in past] == ["shipped", "pending", "pending", "pending"]
    assert shop.level("A") == (100, 6)

    fresh = place(box, ("A", 3), ("B", 1))
    shop.sync()
    decided = there(fresh)["units"]
    a = next(unit for unit in decided)
    with shop.session() as session:
        said = {unit: unit != a for unit in decided}
        orders.decide_units(session, order(fresh).id, said, "Broken", BY)
        orders.decline_lines(session, order(past[1]).id, None, "Sold out", BY)
        orders.confirm_lines(session, order(past[2]).id, None, BY)
    door(box, "/faults", name="server_error", times=2)
    shop.work()
    assert units(fresh) == {"confirmed_available": 3, "confirmed_unavailable": 1}
    assert (units(past[1]), units(past[2])) == ({"confirmed_unavailable": 2}, {"confirmed_available": 2})

    with shop.session() as session:
        orders.ship(session, order(fresh).id, None, [NewParcel("greco", "H0042")], BY)
        orders.ship(session, order(past[2]).id, None, [NewParcel("dhl", "JD7")], BY)
    shop.work()
    assert there(fresh)["tracking"] == {"code": "H0042", "provider": "greco"}
    with shop.session() as session:
        back = next(iter(there(past[2])["units"]))
        orders.return_units(session, order(past[2]).id, [back], "Too large", BY)
    shop.work()
    assert units(past[2]) == {"confirmed_available": 1, "returned": 1}
    assert {state for _, state in shop.acts()} == {"done"}
    assert {row.fault for row in shop.records().values()} == {None}
    assert {str(row.drift) for row in shop.records().values()} == {"None"}
    assert shop.problems() == set()
