"""Orders from a folder go the whole way: in, decided unit by unit, sent, and back; no other module knows of it."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.database import unit_of_work
from app.modules.marketplace import facade as marketplace
from app.modules.orders import facade as orders
from app.modules.orders.contracts import BY_TASK, NewParcel
from app.testing.database import Database
from app.testing.working import vendor_scope, work

_FILE = (
    "order,line,sku,title,quantity,unit_price,email,first_name,last_name,street,postcode,city\n"
    "F-1,1,{sku},Chair,3,12.50,anne@example.lu,Anne,Weber,1 rue du Fort,L-2226,Luxembourg\n"
    "F-2,1,{sku},Chair,none,12.50,anne@example.lu,Anne,Weber,1 rue du Fort,L-2226,Luxembourg\n"
)


@pytest.fixture
def folder(world: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORDER_FOLDER_ROOT", str(tmp_path))
    folder = tmp_path / "minett"
    (folder / "orders").mkdir(parents=True)
    return folder


@contextmanager
def vendor() -> Iterator[Session]:
    with unit_of_work(vendor_scope()) as session:
        yield session


def answers(folder: Path, kind: str) -> list[dict[str, str]]:
    found = []
    for path in sorted((folder / kind).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found += list(csv.DictReader(file))
    return sorted(found, key=lambda one: sorted(one.items()))


def some_sku(world: Database) -> str:
    """Of a product without stock, which can always be sold."""
    statement = text(
        "SELECT sku FROM products p WHERE vendor_id = :vendor AND archived_at IS NULL "
        "AND NOT EXISTS (SELECT FROM inventory i WHERE i.product_id = p.id) ORDER BY sku LIMIT 1"
    )
    with world.owner_engine.connect() as connection:
        return str(connection.execute(statement, {"vendor": vendor_scope().vendor_id}).scalar_one())


def test_an_order_goes_the_whole_way(folder: Path, world: Database) -> None:
    (folder / "orders" / "today.csv").write_text(_FILE.format(sku=some_sku(world)), "utf-8")
    with vendor() as session:
        connection_id = marketplace.connect(session, vendor_scope().vendor_id, "order_folder")
    for _ in range(2):  # read again, nothing is new
        with vendor() as session:
            marketplace.sync_now(session, connection_id)
        work()
    with vendor() as session:
        order_id = orders.find_by_external(session, "order_folder", "F-1")
        assert order_id is not None
        assert orders.find_by_external(session, "order_folder", "F-2") is None, "it is parked"
        found = orders.get_order(session, order_id)
        assert (found.total_cents, found.pending_exceptions) == (3750, 0)
        first, second, third = sorted(orders.units_of(session, order_id))
        orders.decide_units(session, order_id, {first: True, second: True, third: False}, "Sold out", BY_TASK)
    work()
    assert [(one["unit"], one["state"]) for one in answers(folder, "decisions")] == [
        ("F-1/1/1", "available"),
        ("F-1/1/2", "available"),
        ("F-1/1/3", "unavailable"),
    ]
    with vendor() as session:
        orders.ship(session, order_id, None, [NewParcel("post-lu", "LU123456789")], BY_TASK)
    work()
    (sent,) = answers(folder, "tracking")
    assert (sent["order"], sent["number"]) == ("F-1", "LU123456789")
    with vendor() as session:
        orders.return_units(session, order_id, [first], "Too small", BY_TASK)
    work()
    assert [(one["unit"], one["state"]) for one in answers(folder, "returns")] == [(first, "returned")]
    with vendor() as session:
        units = orders.units_of(session, order_id)
        assert [str(units[one]) for one in (first, second, third)] == ["returned", "available", "unavailable"]
