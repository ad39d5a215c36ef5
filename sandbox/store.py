"""State of the stand-ins in one SQLite file: objects, agenda, events to send, idempotency keys, faults, clock."""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

Object = dict[str, Any]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
  seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS objects_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_customer ON objects (kind, json_extract(data, '$.customer'), seq);
CREATE INDEX IF NOT EXISTS objects_invoice ON objects (kind, json_extract(data, '$.invoice'), seq);
CREATE INDEX IF NOT EXISTS objects_subscription ON objects (kind, json_extract(data, '$._subscription'), seq);
CREATE TABLE IF NOT EXISTS agenda (
  seq INTEGER PRIMARY KEY, clock TEXT NOT NULL, at INTEGER NOT NULL, action TEXT NOT NULL, object_id TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS agenda_due ON agenda (clock, at, seq);
CREATE INDEX IF NOT EXISTS agenda_object ON agenda (object_id);
CREATE TABLE IF NOT EXISTS deliveries (
  seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL, endpoint_id TEXT NOT NULL, due REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'waiting', answer TEXT, fault TEXT);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due, seq);
CREATE TABLE IF NOT EXISTS answers (
  key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS faults (id INTEGER PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_NAMES = ("objects", "agenda", "deliveries", "answers", "faults", "meta")


class Store:
    """One connection, one writer at a time. Every reader and writer is inside of ``transaction()``."""

    def __init__(self, path: Path | None = None, seed: str = "wizamart") -> None:
        self.seed = seed
        self.lock = threading.RLock()
        self._depth = 0
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self.connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; {_TABLES}")
        self._names = list(_NAMES)

    def extend(self, tables: str, *names: str) -> None:
        """Tables of one stand-in of its own; they are forgotten with the rest."""
        with self.lock:
            self.connection.executescript(tables)
        self._names += names

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, also inside of another one."""
        with self.lock:
            name = f"level_{self._depth}"
            self.connection.execute(f"SAVEPOINT {name}")
            self._depth += 1
            try:
                yield
            except BaseException:
                self.connection.execute(f"ROLLBACK TO {name}")
                raise
            finally:
                self._depth -= 1
                self.connection.execute(f"RELEASE {name}")

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Nothing of what happens inside stays."""
        with self.lock:
            name = f"level_{self._depth}"
            self.connection.execute(f"SAVEPOINT {name}")
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                self.connection.execute(f"ROLLBACK TO {name}")
                self.connection.execute(f"RELEASE {name}")

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    def reset(self) -> None:
        """Forget everything."""
        with self.transaction():
            for name in self._names:
                self.connection.execute(f"DELETE FROM {name}")

    # Settings, clock, identifiers

    def setting(self, name: str, default: Any = None) -> Any:
        row = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return default if row is None else orjson.loads(row[0])

    def set(self, name: str, value: Any) -> None:
        self.connection.execute(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, orjson.dumps(value).decode())
        )

    def now(self) -> int:
        """The sandbox clock: frozen, or system time moved by the offset. Unix seconds."""
        frozen = self.setting("frozen_at")
        return int(time.time() if frozen is None else frozen) + int(self.setting("offset", 0))

    def number(self, name: str) -> int:
        """1, 2, 3, … of this name."""
        value: int = self.setting(f"number:{name}", 0) + 1
        self.set(f"number:{name}", value)
        return value

    def new_id(self, prefix: str, length: int = 24) -> str:
        """The next identifier of this prefix; the same for the same seed and the same calls."""
        number = int.from_bytes(
            hashlib.sha512(f"{self.seed}:{prefix}:{self.number(f'id:{prefix}')}".encode()).digest()
        )
        letters = []
        for _ in range(length):
            number, letter = divmod(number, 62)
            letters.append(_ALPHABET[letter])
        return f"{prefix}_{''.join(letters)}"

    # Objects

    def load(self, object_id: str) -> Object | None:
        row = self.connection.execute("SELECT data FROM objects WHERE id = ?", (object_id,)).fetchone()
        return None if row is None else orjson.loads(row[0])

    def save(self, value: Object) -> None:
        self.connection.execute(
            "INSERT INTO objects (id, kind, data) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data",
            (value["id"], value["object"], orjson.dumps(value).decode()),
        )

    def remove(self, object_id: str) -> None:
        self.connection.execute("DELETE FROM objects WHERE id = ?", (object_id,))

    def position(self, object_id: str) -> int | None:
        row = self.connection.execute("SELECT seq FROM objects WHERE id = ?", (object_id,)).fetchone()
        return None if row is None else int(row[0])

    def find(
        self,
        kind: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int = -1,
        **fields: Any,
    ) -> list[Object]:
        """Objects of a kind whose fields have these values, oldest first; those after or before a position."""
        terms, values = ["kind = ?"], [kind]
        for name, value in fields.items():
            terms.append(f"json_extract(data, '$.{name.replace('__', '.')}') = ?")
            values.append(value)
        if after is not None:
            terms.append("seq > ?")
            values.append(after)  # type: ignore[arg-type]
        order = "seq"
        if before is not None:
            terms.append("seq < ?")
            values.append(before)  # type: ignore[arg-type]
            order = "seq DESC"
        query = f"SELECT data FROM objects WHERE {' AND '.join(terms)} ORDER BY {order} LIMIT {int(limit)}"
        found = [orjson.loads(row[0]) for row in self.connection.execute(query, values)]
        return found if before is None else found[::-1]

    # Agenda: what falls due

    def plan(self, clock: str, at: int, action: str, object_id: str) -> None:
        """Do this then; instead of what was planned under the same action for the same object."""
        self.unplan(object_id, action)
        self.connection.execute(
            "INSERT INTO agenda (clock, at, action, object_id) VALUES (?, ?, ?, ?)",
            (clock, at, action, object_id),
        )

    def unplan(self, object_id: str, action: str | None = None) -> None:
        self.connection.execute(
            "DELETE FROM agenda WHERE object_id = ? AND (? IS NULL OR action = ?)",
            (object_id, action, action),
        )

    def take_due(self, clock: str, until: int) -> tuple[int, str, str] | None:
        """The next thing due by ``until``: when, what, of which object. It is off the agenda then."""
        row = self.connection.execute(
            "SELECT seq, at, action, object_id FROM agenda WHERE clock = ? AND at <= ? ORDER BY at, seq LIMIT 1",
            (clock, until),
        ).fetchone()
        if row is None:
            return None
        self.connection.execute("DELETE FROM agenda WHERE seq = ?", (row[0],))
        return row[1], row[2], row[3]

    def dump(self, kinds: list[str] | None = None) -> dict[str, Any]:
        """Everything, for looking and comparing; of the objects only some kinds, if they are given."""
        query = (
            "SELECT kind, data FROM objects WHERE ? OR kind IN (SELECT value FROM json_each(?)) ORDER BY seq"
        )
        rows = self.connection.execute(query, (kinds is None, orjson.dumps(kinds or []).decode())).fetchall()
        objects: dict[str, list[Any]] = {}
        for kind, data in rows:
            objects.setdefault(kind, []).append(orjson.loads(data))
        agenda = self.connection.execute(
            "SELECT clock, at, action, object_id FROM agenda ORDER BY clock, at, seq"
        )
        return {"objects": objects, "agenda": [list(row) for row in agenda]}
