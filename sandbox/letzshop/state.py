"""What the stand-in for Letzshop knows: shops, keys, products, orders, shipments and their units, and what happened."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from sandbox.letzshop.settings import DEFAULTS, Settings, checked
from sandbox.store import Object, Store

# Kinds: shop, key, product, withdrawn (a product no feed has any more), order, shipment, unit (points at its shipment),
# event, push. State of a product: live, sold_out, own (the shop's feed does not have it).
# ``ref``: code of a shop, SKU of a product, order of a shipment, shipment of a unit.
_TABLES = """
CREATE TABLE IF NOT EXISTS letzshop (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT UNIQUE NOT NULL, shop TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT '', ref TEXT NOT NULL DEFAULT '', data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS letzshop_state ON letzshop (kind, shop, state, seq);
CREATE INDEX IF NOT EXISTS letzshop_shop ON letzshop (kind, shop, seq);
CREATE INDEX IF NOT EXISTS letzshop_ref ON letzshop (kind, ref, shop);
"""


class NotThereError(ValueError):
    """There is no such shop, product, shipment or unit."""


class Letzshop:
    """One request at a time: the caller is inside of ``work()``."""

    def __init__(
        self, store: Store, url: str, on_first_use: Callable[["Letzshop"], object] = lambda _shop: None
    ) -> None:
        self.store = store
        self.url = url
        self._on_first_use = on_first_use
        self.last_pulls: dict[tuple[str, ...], dict[str, Any]] = {}  # rows by feed; only to be quick
        store.extend(_TABLES, "letzshop")

    @contextmanager
    def work(self) -> Iterator[None]:
        """All or nothing. What is there from the beginning is made by the first one, and after a reset again."""
        with self.store.transaction():
            if self.epoch() is None:
                self._begin_epoch()
                self._on_first_use(self)
            yield

    def epoch(self) -> str | None:
        """Changes when everything is forgotten."""
        found: str | None = self.store.setting("letzshop_epoch")
        return found

    # Switches

    def settings(self) -> Settings:
        return {**DEFAULTS, **self.store.setting("letzshop_settings", {})}

    def change_settings(self, given: Settings) -> Settings:
        """Raises SettingsError."""
        changed = {**self.store.setting("letzshop_settings", {}), **checked(given)}
        self.store.set("letzshop_settings", changed)
        return self.settings()

    # Rows

    def new_id(self) -> str:
        """Short and opaque, as those of the API."""
        return self.store.new_id("letzshop", 14).partition("_")[2]

    def put(self, kind: str, value: Object, *, shop: str = "", state: str = "", ref: str = "") -> Object:
        """Add the object, or store what has changed of it."""
        self.store.connection.execute(
            "INSERT INTO letzshop (kind, id, shop, state, ref, data) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, shop = excluded.shop, state = excluded.state, "
            "ref = excluded.ref, data = excluded.data",
            (kind, value["id"], shop, state, ref, orjson.dumps(value).decode()),
        )
        return value

    def get(self, kind: str, object_id: str) -> Object | None:
        row = self.store.connection.execute(
            "SELECT data FROM letzshop WHERE id = ? AND kind = ?", (object_id, kind)
        ).fetchone()
        return None if row is None else orjson.loads(row[0])

    def by_ref(self, kind: str, ref: str, shop: str | None = None) -> list[Object]:
        """Those that belong to ``ref``, oldest first."""
        rows = self.store.connection.execute(
            "SELECT data FROM letzshop WHERE kind = ? AND ref = ? AND (? IS NULL OR shop = ?) ORDER BY seq",
            (kind, ref, shop, shop),
        )
        return [orjson.loads(row[0]) for row in rows]

    def rows(
        self,
        kind: str,
        *,
        shops: Sequence[str] | None = None,
        state: str | None = None,
        after: int = 0,
        skip: int = 0,
        limit: int = -1,
    ) -> list[tuple[int, Object]]:
        """Position and object, oldest first; those after a position, or without the first so many."""
        where, values = _where(kind, shops, state)
        found = self.store.connection.execute(
            f"SELECT seq, data FROM letzshop WHERE {where} AND seq > ? ORDER BY seq LIMIT ? OFFSET ?",
            (*values, after, limit, skip),
        )
        return [(row[0], orjson.loads(row[1])) for row in found]

    def latest(self, kind: str, limit: int, *, shop: str | None = None) -> list[Object]:
        """The newest first."""
        where, values = _where(kind, None if shop is None else [shop], None)
        query = f"SELECT data FROM letzshop WHERE {where} ORDER BY seq DESC LIMIT ?"
        return [orjson.loads(row[0]) for row in self.store.connection.execute(query, (*values, limit))]

    def every(self, kind: str, *, shop: str | None = None, state: str | None = None) -> list[Object]:
        return [value for _seq, value in self.rows(kind, shops=None if shop is None else [shop], state=state)]

    def count(self, kind: str, *, shops: Sequence[str] | None = None, state: str | None = None) -> int:
        where, values = _where(kind, shops, state)
        query = f"SELECT count(*) FROM letzshop WHERE {where}"
        return int(self.store.connection.execute(query, values).fetchone()[0])

    def remove(self, object_id: str) -> None:
        self.store.connection.execute("DELETE FROM letzshop WHERE id = ?", (object_id,))

    def clear(self) -> None:
        """Forget shops, products, orders and switches, and do not make them again."""
        self.store.connection.execute("DELETE FROM letzshop")
        self.store.set("letzshop_settings", {})
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        self.store.set("letzshop_epoch", secrets.token_hex(8))
        self.last_pulls.clear()

    # Shops

    def shop(self, code: str) -> Object:
        """By its code. Raises NotThereError."""
        found = self.by_ref("shop", code.upper())
        if not found:
            raise NotThereError(f"There is no shop {code}.")
        return found[0]

    def put_shop(self, shop: Object) -> Object:
        return self.put("shop", shop, state="active" if shop["active"] else "closed", ref=shop["code"])

    def put_shipment(self, shipment: Object) -> Object:
        """Store it under the state that its units give it."""
        is_open = any(unit["state"] == "unconfirmed" for unit in shipment["units"])
        return self.put(
            "shipment",
            shipment,
            shop=shipment["shop"],
            state="unconfirmed" if is_open else "confirmed",
            ref=shipment["order"],
        )

    def shipment_of(self, unit_id: str) -> Object | None:
        pointer = self.get("unit", unit_id)
        return None if pointer is None else self.get("shipment", pointer["shipment"])

    def note(self, what: str, shipment: Object, **more: Any) -> None:
        """Write down what happened, and have it pushed if somebody wants that."""
        event = {
            "id": self.store.new_id("letzshop_event", 14).rpartition("_")[2],
            "type": what,
            "at": self.store.now(),
            "shop": shipment["shop"],
            "shipment": shipment["id"],
            **more,
        }
        self.put("event", event, shop=shipment["shop"], ref=shipment["id"])
        if self.settings()["push_url"]:
            self.put("push", {**event, "id": f"push_{event['id']}"}, state="waiting")


def _where(kind: str, shops: Sequence[str] | None, state: str | None) -> tuple[str, list[Any]]:
    terms, values = ["kind = ?"], [kind]
    if shops is not None:
        terms.append(f"shop IN ({', '.join('?' * len(shops))})")
        values += shops
    if state is not None:
        terms.append("state = ?")
        values.append(state)
    return " AND ".join(terms), values
