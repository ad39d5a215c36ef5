"""The file of an import in parts, read ahead: while the database works on one part, the next is read."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

from app.modules.marketplace.adapters.feed_reader import Position, RawRow
from app.modules.marketplace.services.feed_row import ParsedRow, RowError
from app.modules.marketplace.services.row_pipeline import RowPipeline

PART_ROWS = 5000
_AHEAD = 2
_LOOK_SECONDS = 0.2

Parsed = ParsedRow | list[RowError] | None


@dataclass(slots=True)
class Part:
    """Rows that follow each other. ``keys`` has id and hash by line, of rows that have an id; ``filled`` counts the
    cells that are not empty by column."""

    raws: dict[int, RawRow]
    keys: dict[int, tuple[str, bytes]]
    filled: list[int]
    end: Position
    parsed: dict[int, Parsed] = field(default_factory=dict)

    def parse(self, pipeline: RowPipeline, line: int) -> Parsed:
        """The row of this line, read now unless that was done ahead."""
        if line in self.parsed:
            return self.parsed[line]
        return pipeline.parse(self.raws[line])


def read_parts(
    rows: Iterable[RawRow], pipeline: RowPipeline, wants_parsed: Callable[[], bool]
) -> Iterator[Part]:
    """The rows in parts; where ``wants_parsed``, because most rows are new, with their values."""
    rows = iter(rows)
    while found := list(islice(rows, PART_ROWS)):
        keys = {raw.line: key for raw in found if (key := pipeline.key(raw)) is not None}
        columns = zip(*(raw.cells[: pipeline.width] for raw in found if raw.line in keys), strict=True)
        part = Part(
            {raw.line: raw for raw in found},
            keys,
            [len(cells) - cells.count("") for cells in columns],
            found[-1].end,
        )
        if wants_parsed():
            part.parsed = {line: pipeline.parse(part.raws[line]) for line in keys}
        yield part


@contextmanager
def ahead(parts: Iterator[Part]) -> Iterator[Iterator[Part]]:
    """The same parts, made by a thread that is at most two ahead; what it raises is raised here."""
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
    thread.start()
    try:
        yield take()
    finally:
        is_over.set()
        thread.join()
