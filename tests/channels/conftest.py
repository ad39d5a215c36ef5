"""A vendor with a connection to the marketplace on paper, with jobs run in this process."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from app.modules.marketplace import facade
from app.modules.orders.contracts import By
from app.modules.orders.enums import Source
from app.modules.orders.tests.conftest import Desk
from app.modules.registry import modules
from app.modules.tenancy import facade as tenancy
from app.tasks.runner import run_until_idle
from app.testing.database import Database
from tests.channels.paper import WORLD

BY = By(Source.USER)


@dataclass
class Shop(Desk):
    """A vendor with a connection, and the marketplace at its other end."""

    connection_id: UUID | None = None

    def work(self) -> None:
        """Do all that waits, and what waits for later."""
        for _ in range(30):
            run_until_idle(["default", "long_running"], timeout_seconds=0.3)
            late = "UPDATE jobs SET run_after = now() WHERE module = 'marketplace' AND state = 'queued' "
            if not self.rows(f"{late} AND vendor_id = :vendor AND task NOT LIKE '%feed_push%' RETURNING id"):
                return

    def sync(self) -> None:
        assert self.connection_id
        with self.session() as session:
            facade.sync_now(session, self.connection_id)
        self.work()

    def records(self) -> dict[str, Any]:
        found = self.rows("SELECT * FROM external_orders WHERE vendor_id = :vendor")
        return {row.external_id: row for row in found}

    def order(self, name: str) -> Any:
        return self.rows(
            "SELECT * FROM orders WHERE vendor_id = :vendor AND channel = 'paper' AND external_id = :name",
            name=name,
        )[0]

    def acts(self) -> list[tuple[str, str]]:
        found = self.rows("SELECT kind, state FROM outgoing_acts WHERE vendor_id = :vendor ORDER BY id")
        return [(row.kind, row.state) for row in found]

    def problems(self) -> set[str]:
        found = self.rows(
            "SELECT key FROM problems WHERE vendor_id = :vendor AND cleared_at IS NULL AND key LIKE 'marketplace.%'"
        )
        return {row.key.split(":")[0] for row in found}


@pytest.fixture
def shop(app: FastAPI, world: Database, monkeypatch: pytest.MonkeyPatch) -> Shop:
    providers = modules()["marketplace"].providers
    monkeypatch.setitem(providers, "marketplace.connectors", "tests.channels.paper:PAPER")
    WORLD.__init__()  # type: ignore[misc]
    vendor = tenancy.get_vendor("MOSELLE")
    shop = Shop(vendor.id, world.owner_engine)
    shop.rows("DELETE FROM connections WHERE vendor_id = :vendor")
    shop.rows("UPDATE jobs SET state = 'cancelled' WHERE state = 'queued'")
    for sku, count in (("A", 10), ("B", 10)):
        shop.product(sku)
        shop.stock(sku, count)
    with shop.session() as session:
        shop.connection_id = facade.connect(session, vendor.id, "paper")
    return shop
