"""A feed that is ready to be read row by row, whatever it was; and the writing of converted ones.

A converted feed is a tab-separated table of ours. Two columns stand before those of the feed: the line of the
original file, so that errors name a place people can find, and what was wrong with that line already.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TextIO

import orjson

from app.core.storage import atomic_file
from app.modules.marketplace.adapters.feed_reader import FeedFormat, Position, RawRow, read_rows
from app.modules.marketplace.enums import RowErrorCode

Profile = Literal["google", "shopify", "woocommerce", "table"]

SOURCE_COLUMNS = ("source_line", "source_problem")
CONVERTED_FORMAT = FeedFormat("utf-8", "\t")
# What the row reader takes in one cell; a row has to stay below `MAX_RECORD_BYTES` with every quote doubled.
MAX_ROW_CHARS = csv.field_size_limit()
_VALUE_CUT = 200


@dataclass(frozen=True, slots=True)
class PreparedFeed:
    """A table for `read_prepared`; the same input gives the same one.

    ``header`` has the columns' names after mapping, without those of a converted file for itself. With
    ``is_converted`` the file at ``path`` was written by us. ``left_out`` says how many products are not for
    sale, by reason: draft, archived, unpublished, gift_card, grouped, external.
    """

    path: Path
    format: FeedFormat
    profile: Profile
    header: list[str]
    is_converted: bool = False
    left_out: dict[str, int] = field(default_factory=dict)


def read_prepared(feed: PreparedFeed, *, start: Position | None = None) -> Iterator[RawRow]:
    """The rows of a prepared feed after the header, or from ``start`` (the ``end`` of an earlier row) on.

    ``line`` is that of the original file (of an XML file: the number of the product), ``end`` is a place in
    ``feed.path``. Raises a `FeedError` where the file cannot be read any further.
    """
    rows = read_rows(feed.path, feed.format, start=start)
    if not feed.is_converted:
        yield from rows
        return
    for row in rows:
        line, problem, *cells = row.cells
        if problem:
            code, _, params = problem.partition(" ")
            yield RawRow(
                int(line), cells[:1], row.end_offset, row.end_line, RowErrorCode(code), orjson.loads(params)
            )
        else:
            yield RawRow(int(line), cells, row.end_offset, row.end_line)


class TableWriter:
    """Writes the rows of a converted feed; ``width`` is the number of the feed's own columns."""

    def __init__(self, file: TextIO, columns: Sequence[str]) -> None:
        self._write = csv.writer(file, delimiter="\t", lineterminator="\n").writerow
        self._blank = [""] * (len(columns) - 1)
        self.left_out: Counter[str] = Counter()
        self.rows = 0
        self._write([*SOURCE_COLUMNS, *columns])

    def row(self, line: int, cells: Sequence[str]) -> None:
        """One row of the feed."""
        joined = "".join(cells)
        if len(joined) > MAX_ROW_CHARS:
            self.problem(line, RowErrorCode.CELL_TOO_LARGE, cells[0], {})
            return
        if "\r" in joined:
            cells = [cell.replace("\r\n", "\n").replace("\r", "\n") for cell in cells]
        self.rows += 1
        self._write([line, "", *cells])

    def problem(self, line: int, code: RowErrorCode, value: str, params: dict[str, Any]) -> None:
        """A row that cannot be converted."""
        self.rows += 1
        text = value[:_VALUE_CUT].replace("\r", " ")
        self._write([line, f"{code} {orjson.dumps(params).decode()}", text, *self._blank])

    def bad_row(self, raw: RawRow, width: int) -> bool:
        """Whether a row of the original is unusable; it is then reported. ``width``: cells of its header."""
        if raw.problem:
            self.problem(raw.line, raw.problem, raw.cells[0], raw.params)
        elif len(raw.cells) < width or any(raw.cells[width:]):
            params = {"line": raw.line, "last_line": raw.end_line - 1}
            params |= {"found": len(raw.cells), "expected": width}
            self.problem(raw.line, RowErrorCode.WRONG_CELL_COUNT, " | ".join(raw.cells[:20]), params)
        else:
            return False
        return True


def write_table(target: Path, columns: Sequence[str], convert: Callable[[TableWriter], None]) -> TableWriter:
    """Write ``target`` as a whole or not at all; ``convert`` gives the rows. Its writer, for the counts."""
    with atomic_file(target) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="", write_through=False)
        writer = TableWriter(text, columns)
        convert(writer)
        text.flush()
        text.detach()
    return writer
