"""What becomes of a row of a feed: a hash tells whether it changed, rules change its cells, the parser checks them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from operator import itemgetter
from typing import Any

import orjson

from app.modules.marketplace.adapters.columns import column_names
from app.modules.marketplace.adapters.feed_reader import RawRow
from app.modules.marketplace.services.feed_columns import present_fields
from app.modules.marketplace.services.feed_row import (
    EXPECTED_COLUMNS,
    ROW_COLUMNS,
    ParsedRow,
    RowError,
    RowParser,
    clean_text,
    compile_header,
)
from app.modules.marketplace.services.feed_rules import RuleSet

_VERSION = 1  # raise it when rows must be read again although neither they nor the feed's settings changed
_MAX_ID = 50
_SEPARATOR = "\x1f"
_RAW = ROW_COLUMNS.index("raw")


@dataclass(frozen=True, slots=True)
class Reading:
    """What decides, besides a row's cells, what becomes of it."""

    language: str
    currency: str = "EUR"
    keeps_blanks: bool = False
    rules: RuleSet = field(default_factory=RuleSet)


class RowPipeline:
    """Reads the rows of one feed with these columns.

    Raises `FeedColumnsMissingError` and `FeedColumnsDuplicateError` as `compile_header` does; columns that rules write
    to need not be in the file.
    """

    def __init__(self, header: Sequence[str], reading: Reading) -> None:
        known = column_names(list(header))
        own = compile_header([*header, *(name for name in reading.rules.columns if name not in known)])
        # What the file lacks may stay empty, also where a rule fills it in some rows.
        own = replace(own, missing=tuple(name for name in EXPECTED_COLUMNS if name not in known))
        self.names = own.names
        self.unknown = own.unknown
        self.fields = present_fields(own.names)
        self.width = len(known)
        self._added = [""] * (len(own.names) - len(known))
        self._id = own.names.index("id")
        self._parser = RowParser(own, language=reading.language, default_currency=reading.currency)
        self._written = [(own.names.index(name), name) for name in reading.rules.columns]
        self._apply = reading.rules.compile(own.names)
        # Cells are hashed in the order of their names: a feed that only moves its columns did not change.
        places = sorted(range(self.width), key=own.names.__getitem__)
        self._pick = itemgetter(*places)
        self._context = _digest(sorted(own.names[: self.width]), reading)

    def key(self, raw: RawRow) -> tuple[str, bytes] | None:
        """The row's id and hash; None when it has no id by which it could be known."""
        cells, width = raw.cells, self.width
        if raw.problem or len(cells) < width or any(cells[width:]):
            return None
        external_id = cells[self._id].strip()
        if not external_id.isprintable():
            external_id = clean_text(external_id).strip()
        if not external_id or len(external_id) > _MAX_ID:
            return None
        joined = _SEPARATOR.join(self._pick(cells)).encode("utf-8", "surrogatepass")
        return external_id, blake2b(joined, digest_size=16, key=self._context).digest()

    def parse(self, raw: RawRow) -> ParsedRow | list[RowError] | None:
        """The row in the order of ``ROW_COLUMNS``, or all that is wrong with it; None when a rule leaves it out.

        ``raw`` in it has the cells before rules.
        """
        if self._apply is None or raw.problem or len(raw.cells) < self.width:
            return self._parser.parse(raw)
        cells = [*raw.cells[: self.width], *self._added, *raw.cells[self.width :]]
        if not self._apply(cells):
            return None
        parsed = self._parser.parse(RawRow(raw.line, cells, raw.end_offset, raw.end_line))
        if isinstance(parsed, tuple):
            self._put_back(parsed[_RAW], cells, raw.cells)
        return parsed

    def _put_back(self, texts: dict[str, str], cells: list[str], before: list[str]) -> None:
        """Let the texts by column be those of before rules."""
        for place, name in self._written:
            if place < self.width and cells[place] is before[place]:
                continue
            text = clean_text(before[place], name).strip() if place < self.width else ""
            if text:
                texts[name] = text
            else:
                texts.pop(name, None)


def _digest(columns: list[str], reading: Reading) -> bytes:
    # With the columns: an empty cell clears a field, a column that is not there leaves it.
    parts: list[Any] = [_VERSION, columns, reading.language, reading.currency, reading.keeps_blanks]
    return blake2b(orjson.dumps(parts) + reading.rules.digest, digest_size=32).digest()
