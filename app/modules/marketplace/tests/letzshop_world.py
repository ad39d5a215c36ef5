"""A world for tests of the client of Letzshop: the stand-in with one shop."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pytest

from app.core.config import get_settings
from app.modules.marketplace.adapters.letzshop import bucket, channel
from app.modules.marketplace.adapters.letzshop.channel import LetzshopChannel
from app.modules.marketplace.adapters.letzshop.client import LetzshopClient
from app.modules.marketplace.adapters.letzshop.names import UNIT_STATES
from app.modules.marketplace.contracts import CheckOutcome, Connector, ExternalOrder, Finding, UnitState
from app.modules.marketplace.services.letzshop_service import LETZSHOP
from app.testing.connectors import Goods
from sandbox.testing import Sandbox, running_sandbox

KEY, READER, SHOP = "lz_test_kit_manager", "lz_test_kit_reader", "kit-shop"
LAMP, CHAIR = Goods("LAMP", "Lampe", 1, 4550), Goods("CHAIR", "Chaise", 3, 1999)


class TickingChannel(LetzshopChannel):
    """Each act is at a second of its own, so that the stand-in's events tell the acts apart."""

    def __init__(self, box: Sandbox) -> None:
        super().__init__(LetzshopClient(KEY), SHOP)
        self._box = box

    def decide(self, external_id: str, decisions: Mapping[str, bool], *, key: str) -> None:
        self._box.advance(seconds=1)
        super().decide(external_id, decisions, key=key)

    def track(self, external_id: str, number: str, carrier_code: str, *, key: str) -> None:
        self._box.advance(seconds=1)
        super().track(external_id, number, carrier_code, key=key)

    def take_back(self, external_id: str, unit_ids: Sequence[str], *, key: str) -> None:
        self._box.advance(seconds=1)
        super().take_back(external_id, unit_ids, key=key)


class LetzshopWorld:
    """The stand-in with one empty shop. Its pages have five rows."""

    connector: Connector = LETZSHOP
    few = 6

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.control("POST", "/clear")
        self.control("POST", "/shops", {"code": "KIT", "slug": SHOP, "name": "Kit"})
        self.control("POST", "/settings", {"page_cap": 5})

    def control(self, method: str, path: str, given: Any = None) -> Any:
        return self.box.control(method, f"/letzshop{path}", given)

    def switch(self, **switches: Any) -> None:
        self.control("POST", "/settings", switches)

    def fault(self, name: str, **more: Any) -> None:
        self.control("POST", "/faults", {"name": name, **more})

    def open(self) -> LetzshopChannel:
        return TickingChannel(self.box)

    def offer(self, goods: Goods, **more: Any) -> None:
        told = {"shop": "KIT", "sku": goods.sku, "price_cents": goods.price_cents}
        self.control(
            "POST", "/products", {**told, "name": {"fr": goods.title, "en": f"A {goods.sku}"}, **more}
        )

    def place(self, basket: Sequence[Goods], **more: Any) -> str:
        offered = {one["sku"] for one in self.control("GET", "/listings?shop=KIT")["data"]}
        for goods in basket:
            if goods.sku not in offered:
                self.offer(goods)
        lines = [{"sku": goods.sku, "quantity": goods.quantity} for goods in basket]
        (order,) = self.control("POST", "/place", {"shop": "KIT", "lines": lines, **more})["data"]
        return str(order["shipments"][0]["id"])

    def states(self, order_id: str) -> Mapping[str, UnitState]:
        return {unit: UNIT_STATES[state] for unit, state in self._shipment(order_id)["units"].items()}

    def tracking(self, order_id: str) -> tuple[str, str] | None:
        told = self._shipment(order_id)["tracking"]
        return (told["code"], told["provider"]) if told else None

    def told(self) -> int:
        events = self.control("GET", "/events")["data"]
        return len({one["at"] for one in events if one.get("by") == "api" and one["is_new"]})

    @contextmanager
    def unavailable(self) -> Iterator[None]:
        self.fault("unavailable", times=None)
        yield
        self.control("DELETE", "/faults")

    def levels(self) -> None:
        return None

    def _shipment(self, order_id: str) -> Any:
        return next(one for one in self.control("GET", "/dump")["shipments"] if one["id"] == order_id)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with running_sandbox(seed="letzshop") as running:
        yield running


@pytest.fixture
def there(box: Sandbox, data_dir: object, monkeypatch: pytest.MonkeyPatch) -> LetzshopWorld:
    monkeypatch.setenv("WIZAMART_SANDBOX_URL", box.url)
    monkeypatch.setenv("MARKETPLACE_LETZSHOP_CALLS_PER_MINUTE", "100000")
    get_settings.cache_clear()
    bucket.forget()
    channel.forget()
    return LetzshopWorld(box)


@contextmanager
def line(key: str = KEY, shop: str | None = None) -> Iterator[LetzshopChannel]:
    with closing(LetzshopChannel(LetzshopClient(key), shop)) as found:
        yield found


def only(there: LetzshopWorld) -> ExternalOrder:
    with line() as found:
        (order,) = found.read_open(None).orders
    return order


def history(found: LetzshopChannel) -> Iterator[ExternalOrder]:
    cursor = None
    while True:
        page = found.read_history(cursor)
        yield from page.orders
        cursor = page.cursor
        if cursor is None:
            return


def findings(there: LetzshopWorld, **switches: Any) -> tuple[CheckOutcome, set[Finding]]:
    there.switch(**switches)
    report = LETZSHOP.try_key(KEY)
    return report.outcome, set(report.findings)
