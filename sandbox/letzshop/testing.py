"""For tests: the stand-in for Letzshop of a running sandbox, its API and its doors."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2


@dataclass(frozen=True)
class LetzshopBox:
    """``url`` is that of the API; ``control`` uses a door, as that of the sandbox does."""

    url: str
    control: Callable[[str, str, Any], Any]
    client: httpx2.Client

    def door(self, path: str, /, **given: Any) -> Any:
        """``door("/place", shop="MOSELLE", count=3)``; raises ValueError for what makes no sense."""
        return self.control("POST", f"/letzshop{path}", given)

    def look(self, path: str) -> Any:
        """``look("/dump?shop=MOSELLE")``"""
        return self.control("GET", f"/letzshop{path}", None)

    def place(self, **given: Any) -> list[dict[str, Any]]:
        """Buyers order; see ``sandbox.letzshop.orders.place``. Returns the orders with their shipments and units."""
        placed: list[dict[str, Any]] = self.door("/place", **given)["data"]
        return placed

    def shipments(self, shop: str | None = None) -> dict[str, dict[str, Any]]:
        """Every shipment by its id: number, tracking, units with their states."""
        found = self.look(f"/dump?shop={shop}" if shop else "/dump")["shipments"]
        return {one["id"]: one for one in found}

    def break_next(self, name: str, times: int | None = 1, **more: Any) -> None:
        """The next calls fail in this way; times None: all of them."""
        self.door("/faults", name=name, times=times, **more)

    def ask(self, query: str, key: str | None = None, **variables: Any) -> httpx2.Response:
        """What a client gets; ``key`` e.g. ``lz_test_moselle_manager``."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        body = json.dumps({"query": query, "variables": variables})
        return self.client.post(
            self.url, content=body, headers={"Content-Type": "application/json", **headers}
        )
