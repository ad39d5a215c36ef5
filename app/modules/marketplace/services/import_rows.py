"""Rows of a feed as the lines that COPY takes into the catalogue's intake."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import orjson

from app.core.database import COPY_NULL, copy_array, copy_line
from app.core.ids import new_id_text
from app.modules.catalog.contracts import KEPT_BITS
from app.modules.marketplace.adapters.feed_reader import RawRow
from app.modules.marketplace.services.feed_columns import (
    COPIED,
    attributes_of,
    copied_fields,
    given_bits,
    spoken_bits,
)
from app.modules.marketplace.services.feed_row import ROW_COLUMNS, ParsedRow, RowError
from app.modules.marketplace.services.row_error_service import FailedRow, failed_row
from app.modules.marketplace.services.row_pipeline import RowPipeline

LINE_COLUMNS = ("id", *COPIED, "attributes", "raw", "line", "given", "kept_fields", "row_hash")
"""The columns of a line, in their order."""

Outcome = bytes | list[RowError] | None
"""What became of a row: its line for COPY, all that is wrong with it, or None because a rule left it out."""

_RAW = ROW_COLUMNS.index("raw")
_ALL_BITS = sum(KEPT_BITS.values())
_NO_TEXTS = tuple(
    COPIED.index(name)
    for name in (
        "availability_date",
        "price_cents",
        "sale_price_cents",
        "sale_starts_at",
        "sale_ends_at",
        "additional_image_links",
    )
)


class RowReader:
    """Finds out what becomes of the rows of one feed; with ``keeps_blanks`` an empty cell changes nothing."""

    def __init__(self, pipeline: RowPipeline, *, keeps_blanks: bool) -> None:
        self.pipeline = pipeline
        self._keeps_blanks = keeps_blanks
        self._id = pipeline.names.index("id")

    def read(self, raw: RawRow, row_hash: bytes) -> Outcome:
        """The row, with a new id, as a line of ``LINE_COLUMNS`` if nothing is wrong with it."""
        parsed = self.pipeline.parse(raw)
        if isinstance(parsed, tuple):
            return _line(raw.line, parsed, row_hash, keeps_blanks=self._keeps_blanks)
        return parsed

    def failed(self, raw: RawRow, errors: list[RowError] | None = None) -> FailedRow:
        """What is kept of a bad row; without ``errors`` it has no id, and they are what the parser says."""
        found = errors or self.pipeline.parse(raw)
        assert isinstance(found, list)
        return failed_row(raw, self._id, found)


def _line(line: int, row: ParsedRow, row_hash: bytes, *, keeps_blanks: bool) -> bytes:
    values = [COPY_NULL if value is None else value for value in copied_fields(row)]
    for place in _NO_TEXTS:
        value = values[place]
        if value is not COPY_NULL:
            values[place] = _WRITTEN[type(value)](value)
    attributes = attributes_of(row)
    values += orjson.dumps(attributes).decode(), orjson.dumps(row[_RAW]).decode()
    given = given_bits(row, attributes)
    kept = _ALL_BITS & ~given if keeps_blanks else COPY_NULL
    head = f"{new_id_text()}\t{copy_line(values)}"
    return f"{head}\t{line}\t{spoken_bits(given)}\t{kept}\t\\\\x{row_hash.hex()}\n".encode()


_WRITTEN: dict[type, Callable[[Any], str]] = {
    int: str,
    list: copy_array,
    date: date.isoformat,
    datetime: datetime.isoformat,
}
