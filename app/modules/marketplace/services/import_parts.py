"""The file of an import in parts, read ahead: while the database works on one part, the next is read."""

import gc
import queue
import sys
import threading
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from app.core.database import copy_line
from app.modules.marketplace.adapters.feed_reader import Position, RawRow
from app.modules.marketplace.enums import RowErrorCode
from app.modules.marketplace.services.feed_row import RowError
from app.modules.marketplace.services.import_rows import RowReader
from app.modules.marketplace.services.row_error_service import FailedRow

PART_ROWS = 5000
_AHEAD = 1  # parts that wait, while one more is being made
_LOOK_SECONDS = 0.2
# The thread that talks to the database has little to do, but at once: it must not wait for the one that reads.
_TURN_SECONDS = 0.00005
# Rows are many objects that refer to each other in no circles; looking for circles took a third of the time.
_OBJECTS_TO_A_LOOK = 200_000


@dataclass(slots=True)
class Sorted:
    """What becomes of rows: the good ones, as lines for COPY; the bad ones; how many are left out by rules."""

    lines: list[bytes]
    bad: list[FailedRow]
    excluded: int = 0


@dataclass(slots=True)
class Part:
    """Rows that follow each other. ``keys`` has id and hash by line, of rows that have an id; ``filled`` counts the
    cells that are not empty by column. Of a feed that had no rows, ``found`` is what becomes of them if no earlier part
    has the same ids; of another, ``key_lines`` are line, id and hash of each row as lines for COPY.
    """

    raws: dict[int, RawRow]
    keys: dict[int, tuple[str, bytes]]
    filled: list[int]
    end: Position
    reader: RowReader
    found: Sorted | None = None
    key_lines: bytes = b""

    def without_id(self) -> list[FailedRow]:
        """The rows that have no id by which they could be known."""
        return [self.reader.failed(raw) for line, raw in self.raws.items() if line not in self.keys]

    def refused(self, line: int, code: RowErrorCode) -> FailedRow:
        """The row of this line as a bad one, because of its id."""
        error = RowError(line, "id", code, self.keys[line][0], {})
        return self.reader.failed(self.raws[line], [error])

    def sort(self, taken: Set[str]) -> Sorted:
        """What becomes of the rows, where the ids ``taken`` have a row; the first good one of an id counts."""
        found, known = Sorted([], self.without_id()), set(taken)
        for line, (external_id, row_hash) in self.keys.items():
            if external_id in known:
                found.bad.append(self.refused(line, RowErrorCode.DUPLICATE_ID))
                continue
            outcome = self.reader.read(self.raws[line], row_hash)
            if isinstance(outcome, bytes):
                found.lines.append(outcome)
                known.add(external_id)
            elif outcome is None:
                found.excluded += 1
            else:
                found.bad.append(self.reader.failed(self.raws[line], outcome))
        return found


def read_parts(rows: Iterable[RawRow], reader: RowReader, *, are_new: bool) -> Iterator[Part]:
    """The rows in parts; ``are_new``: the feed had none."""
    rows = iter(rows)
    width = reader.pipeline.width
    while found := list(islice(rows, PART_ROWS)):
        keys = {raw.line: key for raw in found if (key := reader.pipeline.key(raw)) is not None}
        columns = zip(*(raw.cells[:width] for raw in found if raw.line in keys), strict=True)
        filled = [len(cells) - cells.count("") for cells in columns]
        part = Part({raw.line: raw for raw in found}, keys, filled, found[-1].end, reader)
        if are_new:
            part.found = part.sort(frozenset())
        else:
            part.key_lines = _key_lines(keys)
        yield part


def _key_lines(keys: dict[int, tuple[str, bytes]]) -> bytes:
    lines = [f"{line}\t{copy_line([key])}\t\\\\x{found.hex()}\n" for line, (key, found) in keys.items()]
    return "".join(lines).encode()


@contextmanager
def ahead(parts: Iterator[Part]) -> Iterator[Iterator[Part]]:
    """The same parts, made ahead by a thread; what it raises is raised here."""
    made: queue.Queue[Part | BaseException | None] = queue.Queue(_AHEAD)
    is_over = threading.Event()

    def put(item: Part | BaseException | None) -> None:
        while not is_over.is_set():
            try:
                made.put(item, timeout=_LOOK_SECONDS)
                return
            except queue.Full:
                continue

    def make() -> None:
        try:
            for part in parts:
                put(part)
                if is_over.is_set():
                    return
        except BaseException as error:
            put(error)
        put(None)

    def take() -> Iterator[Part]:
        while (item := made.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    thread = threading.Thread(target=make, name="feed-reader", daemon=True)
    with _in_quick_turns():
        thread.start()
        try:
            yield take()
        finally:
            is_over.set()
            thread.join()


@contextmanager
def _in_quick_turns() -> Iterator[None]:
    turn, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(_TURN_SECONDS)
    gc.set_threshold(_OBJECTS_TO_A_LOOK, *thresholds[1:])
    try:
        yield
    finally:
        sys.setswitchinterval(turn)
        gc.set_threshold(*thresholds)
