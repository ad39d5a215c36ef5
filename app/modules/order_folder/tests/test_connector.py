"""The order folder keeps to what every connector keeps to."""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.modules.marketplace.contracts import Channel, Connector, UnitState
from app.modules.order_folder.adapters.folder import OrderFolder
from app.modules.order_folder.services.order_folder_service import CONNECTOR, OrderFolderChannel
from app.testing.connectors import ConnectorConformance, Goods

_HEAD = (
    "order,line,sku,title,quantity,unit_price,placed_at,first_name,last_name,street,postcode,city,country\n"
)


class FolderWorld:
    """Whoever puts files into the folder and reads what lies there."""

    connector: Connector = CONNECTOR
    few = 52

    def __init__(self, root: Path) -> None:
        self.root = root / "moselle"
        self._placed = 0

    def open(self) -> Channel:
        return OrderFolderChannel(self.root)

    def place(self, basket: Sequence[Goods]) -> str:
        self._placed += 1
        order_id = f"W-{self._placed:04}"
        buyer = "2026-03-01T10:00:00+00:00,Anne,Weber,1 rue du Fort,L-2226,Luxembourg,LU"
        rows = [
            f"{order_id},{number},{goods.sku},{goods.title},{goods.quantity},{goods.price_cents / 100:.2f},{buyer}\n"
            for number, goods in enumerate(basket, 1)
        ]
        folder = self.root / "orders"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{order_id}.csv").write_text(_HEAD + "".join(rows), "utf-8")
        return order_id

    def states(self, order_id: str) -> Mapping[str, UnitState]:
        folder = OrderFolder(self.root)
        folder.prepare()
        folder.take_in()
        known = folder.find(order_id)
        assert known is not None
        return known.states

    def tracking(self, order_id: str) -> tuple[str, str] | None:
        rows = [row for path in (self.root / "tracking").glob("*.csv") for row in _rows(path)]
        return next(((row["number"], row["carrier"]) for row in rows if row["order"] == order_id), None)

    def told(self) -> int:
        return sum(
            len(list((self.root / kind).glob("*.csv"))) for kind in ("decisions", "returns", "tracking")
        )

    @contextmanager
    def unavailable(self) -> Iterator[None]:
        away = self.root.parent.with_name("away")
        os.rename(self.root.parent, away)
        yield
        os.rename(away, self.root.parent)

    def levels(self) -> Mapping[str, int]:
        return {row["sku"]: int(row["quantity"]) for row in _rows(self.root / "levels.csv")}

    def offer(self, goods: Goods) -> None:
        raise AssertionError("a folder says nothing of what is offered")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestConnector(ConnectorConformance):
    @pytest.fixture
    def there(self, tmp_path: Path) -> FolderWorld:
        (tmp_path / "root").mkdir()
        return FolderWorld(tmp_path / "root")
