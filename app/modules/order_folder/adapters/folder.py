"""A vendor's folder: files that came, what is known of their orders, and what was answered.

What is known of an order is one file, written as a whole, so that whoever is interrupted can begin again: a file of
orders is moved away only after all its orders are known.
"""

import csv
import fcntl
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.storage import atomic_file
from app.modules.marketplace.contracts import UnitState
from app.modules.order_folder.adapters.order_csv import OrderFileError, Row, read_orders, unit_ids

_MAX_BYTES = 5 * 1024 * 1024
_READABLE_BY_ALL = 0o644  # what is answered is there for others; what is known of buyers is not
_OPEN, _SETTLED = "open", "settled"


@dataclass(slots=True)
class KnownOrder:
    """An order, its units by id, and how its parcel can be followed (number, carrier)."""

    id: str
    rows: Sequence[Row]
    states: dict[str, UnitState] = field(default_factory=dict)
    tracking: tuple[str, str] | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Where it stands among the others: by the time that its file says, then by id."""
        return self.rows[0].get("placed_at", ""), self.id

    @property
    def is_open(self) -> bool:
        """Whether somebody must still say yes or no to a unit, or it cannot be read."""
        return not self.states or UnitState.OPEN in self.states.values()


class OrderFolder:
    """One folder, which is there. Methods raise OSError where it cannot be read or written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def prepare(self) -> None:
        """Make the folders that others put files into and take them from."""
        for name in ("orders", "done", "failed", "decisions", "tracking", "returns", "feeds"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        for name in (_OPEN, _SETTLED):
            (self.root / "known" / name).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with the folder, among all processes of this machine."""
        with (self.root / "known" / ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def take_in(self) -> None:
        """Read all files of orders that came. One that cannot be read goes to ``failed``, with the reason beside it."""
        for path in sorted((self.root / "orders").glob("*.csv")):
            if path.is_symlink() or not path.is_file() or path.name.startswith("."):
                continue
            try:
                if path.stat().st_size > _MAX_BYTES:
                    raise OrderFileError(f"It has more than {_MAX_BYTES} bytes.")
                orders = read_orders(path.read_bytes())
            except OrderFileError as error:
                moved = self._move(path, "failed")
                moved.with_name(f"{moved.name}.error.txt").write_text(f"{error}\n", "utf-8")
                continue
            for order_id, rows in orders.items():
                self._learn(order_id, rows)
            self._move(path, "done")

    def find(self, order_id: str) -> KnownOrder | None:
        """What is known of an order."""
        for name in (_OPEN, _SETTLED):
            path = self._path(name, order_id)
            if path.is_file():
                return _load(path)
        return None

    def list_known(self, *, only_open: bool) -> list[KnownOrder]:
        """Orders by the time they were placed."""
        names = (_OPEN,) if only_open else (_OPEN, _SETTLED)
        paths = [path for name in names for path in (self.root / "known" / name).glob("*.json")]
        return sorted(map(_load, paths), key=lambda order: order.place)

    def keep(self, order: KnownOrder) -> None:
        """Write down what is known of an order."""
        name, other = (_OPEN, _SETTLED) if order.is_open else (_SETTLED, _OPEN)
        stored: dict[str, Any] = {
            "id": order.id,
            "rows": [dict(row) for row in order.rows],
            "states": order.states,
            "tracking": order.tracking,
        }
        with atomic_file(self._path(name, order.id)) as file:
            file.write(json.dumps(stored, ensure_ascii=False).encode())
        self._path(other, order.id).unlink(missing_ok=True)

    def answer(self, kind: str, key: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Write a file with an answer; the same key writes the same file."""
        self.write(Path(kind) / f"{_digest(key)}.csv", rows)

    def write(self, name: Path, rows: Sequence[Mapping[str, object]]) -> None:
        """Write a table as a whole."""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        with atomic_file(self.root / name) as file:
            os.fchmod(file.fileno(), _READABLE_BY_ALL)
            file.write(text.getvalue().encode())

    def copy(self, name: Path, source: Path) -> None:
        """Put a file there as a whole."""
        with source.open("rb") as content, atomic_file(self.root / name) as file:
            os.fchmod(file.fileno(), _READABLE_BY_ALL)
            shutil.copyfileobj(content, file, 1024 * 1024)

    def _learn(self, order_id: str, rows: Sequence[Row]) -> None:
        """A file may name an order again: its lines are then as the last file says, and units keep their states."""
        known = self.find(order_id) or KnownOrder(order_id, rows)
        known.rows = rows
        known.states = {key: known.states.get(key, UnitState.OPEN) for key in unit_ids(order_id, rows)}
        self.keep(known)

    def _path(self, name: str, order_id: str) -> Path:
        return self.root / "known" / name / f"{_digest(order_id)}.json"

    def _move(self, path: Path, folder: str) -> Path:
        target, number = self.root / folder / path.name, 1
        while target.exists():
            number += 1
            target = self.root / folder / f"{path.stem}-{number}{path.suffix}"
        return path.rename(target)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _load(path: Path) -> KnownOrder:
    stored = json.loads(path.read_bytes())
    states = {key: UnitState(state) for key, state in stored["states"].items()}
    tracking = (stored["tracking"][0], stored["tracking"][1]) if stored["tracking"] else None
    return KnownOrder(stored["id"], stored["rows"], states, tracking)
