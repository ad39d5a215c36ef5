"""Turns raw rows of a feed into validated, normalised rows, or into a list of everything wrong with them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from operator import itemgetter
from typing import Any, NamedTuple

from app.modules.marketplace.adapters.columns import REQUIRED_COLUMNS, column_names
from app.modules.marketplace.adapters.feed_errors import FeedColumnsDuplicateError, FeedColumnsMissingError
from app.modules.marketplace.adapters.feed_reader import MAX_RECORD_BYTES, RawRow
from app.modules.marketplace.enums import RowErrorCode
from app.modules.marketplace.services.feed_values import (
    MAX_IMAGES,
    MAX_URL,
    BadValueError,
    column_converters,
)

# Feeds without these columns are read, with a warning; where the column is there, its cells must be filled.
EXPECTED_COLUMNS = ("description", "link", "image_link", "availability")

ROW_COLUMNS = (
    "external_id",
    "title",
    "description",
    "link",
    "image_link",
    "additional_image_links",
    "availability",
    "availability_date",
    "price_cents",
    "currency",
    "sale_price_cents",
    "sale_starts_at",
    "sale_ends_at",
    "gtin",
    "mpn",
    "brand",
    "identifier_exists",
    "condition",
    "is_adult",
    "multipack",
    "is_bundle",
    "age_group",
    "color",
    "gender",
    "material",
    "pattern",
    "size",
    "size_type",
    "size_system",
    "item_group_id",
    "google_category",
    "product_type",
    "unit_pricing_measure",
    "unit_pricing_base_measure",
    "shipping",
    "shipping_label",
    "shipping_weight",
    "shipping_size",
    "energy_class",
    "min_energy_class",
    "max_energy_class",
    "manufacturer_name",
    "manufacturer_address",
    "manufacturer_email",
    "responsible_name",
    "responsible_address",
    "responsible_email",
    "safety_warning",
    "custom_labels",
    "raw",
)
"""What a parsed row holds, in this order.

Absent values are None, but lists are empty, ``condition`` is "new", ``is_adult`` and ``is_bundle`` are False.
Prices are cents, times UTC, ``gtin`` has 14 digits. ``raw`` has the cells that are not empty, trimmed and
without control characters, by normalised column name, unknown columns included.
"""

ParsedRow = tuple[Any, ...]

# Feed column -> (place in the row, longest text).
_TEXTS = {
    "id": ("external_id", 50),
    "title": ("title", 150),
    "description": ("description", 5000),
    "link": ("link", MAX_URL),
    "image_link": ("image_link", MAX_URL),
    "additional_image_link": ("additional_image_links", MAX_IMAGES * (MAX_URL + 2)),
    "availability": ("availability", 50),
    "availability_date": ("availability_date", 50),
    "price": ("price_cents", 50),
    "sale_price": ("sale_price_cents", 50),
    "sale_price_effective_date": ("sale_starts_at", 100),
    "gtin": ("gtin", 50),
    "mpn": ("mpn", 70),
    "brand": ("brand", 70),
    "identifier_exists": ("identifier_exists", 50),
    "condition": ("condition", 50),
    "adult": ("is_adult", 50),
    "multipack": ("multipack", 50),
    "is_bundle": ("is_bundle", 50),
    "age_group": ("age_group", 50),
    "color": ("color", 100),
    "gender": ("gender", 50),
    "material": ("material", 200),
    "pattern": ("pattern", 100),
    "size": ("size", 100),
    "size_type": ("size_type", 100),
    "size_system": ("size_system", 50),
    "item_group_id": ("item_group_id", 50),
    "google_product_category": ("google_category", 750),
    "product_type": ("product_type", 750),
    "unit_pricing_measure": ("unit_pricing_measure", 50),
    "unit_pricing_base_measure": ("unit_pricing_base_measure", 50),
    "shipping": ("shipping", 2000),
    "shipping_label": ("shipping_label", 100),
    "shipping_weight": ("shipping_weight", 50),
    "shipping_size": ("shipping_size", 100),
    "energy_efficiency_class": ("energy_class", 10),
    "min_energy_efficiency_class": ("min_energy_class", 10),
    "max_energy_efficiency_class": ("max_energy_class", 10),
    "manufacturer_name": ("manufacturer_name", 200),
    "manufacturer_address": ("manufacturer_address", 500),
    "manufacturer_email": ("manufacturer_email", 300),
    "responsible_name": ("responsible_name", 200),
    "responsible_address": ("responsible_address", 500),
    "responsible_email": ("responsible_email", 300),
    "safety_warning": ("safety_warning", 2000),
}
_LABELS = tuple(f"custom_label_{number}" for number in range(5))
_MAX_LABEL = 100
_SLOTS = {name: slot for slot, name in enumerate(ROW_COLUMNS)}
# One place behind the row takes what belongs to no column.
_NOWHERE = len(ROW_COLUMNS)
_IMAGES, _CONDITION, _ADULT, _BUNDLE = itemgetter(
    "additional_image_links", "condition", "is_adult", "is_bundle"
)(_SLOTS)
_PRICE, _CURRENCY, _SALE_PRICE, _SALE_START, _SALE_END = itemgetter(
    "price_cents", "currency", "sale_price_cents", "sale_starts_at", "sale_ends_at"
)(_SLOTS)
_CUSTOM_LABELS, _RAW = itemgetter("custom_labels", "raw")(_SLOTS)

_VALUE_CUT = 200
_SPREADSHEET_ERRORS = frozenset(
    (
        *("#N/A", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!"),
        *("#NV", "#WERT!", "#BEZUG!", "#NOM?", "#VALEUR!", "#NOMBRE!"),
    )
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\ufeff\ud800-\udfff]")
_BREAKS = re.compile(r"[\t\r\n\x0b\x0c\x85\u2028\u2029]+")


class RowError(NamedTuple):
    """One thing wrong with one row; ``params`` is what its text needs besides column and value.

    ``value`` is cut to 200 characters. ``column`` is the normalised name, or "" if the whole row is at fault.
    """

    line: int
    column: str
    code: RowErrorCode
    value: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FeedHeader:
    """The columns of a feed by normalised name, in file order.

    ``unknown`` are kept in ``raw`` only; ``missing`` are the expected columns that the feed does not have.
    """

    names: tuple[str, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]


def compile_header(header: Sequence[str]) -> FeedHeader:
    """Normalises and checks the header line.

    Raises `FeedColumnsMissingError` without id, title or price and `FeedColumnsDuplicateError` for names
    that occur twice.
    """
    names = tuple(column_names(list(header)))
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates:
        raise FeedColumnsDuplicateError(columns=", ".join(duplicates))
    missing = [name for name in REQUIRED_COLUMNS if name not in names]
    if missing:
        found = ", ".join(names)
        raise FeedColumnsMissingError(columns=", ".join(missing), found=found[:_VALUE_CUT])
    return FeedHeader(
        names=names,
        unknown=tuple(name for name in names if name not in _TEXTS and name not in _LABELS),
        missing=tuple(name for name in EXPECTED_COLUMNS if name not in names),
    )


def clean_text(cell: str, column: str = "") -> str:
    """A cell without control characters; line breaks stay in a description only."""
    if cell.isprintable():
        return cell
    if column == "description":
        return _CONTROLS.sub("", cell.replace("\r\n", "\n").replace("\r", "\n"))
    return _CONTROLS.sub("", _BREAKS.sub(" ", cell))


class RowParser:
    """Parses the rows of one feed; what each column needs is decided once, here.

    ``language`` (en, fr, de, lb) says in which language, besides English, yes and no are understood;
    ``default_currency`` is the currency of prices that name none.
    """

    def __init__(self, header: FeedHeader, *, language: str, default_currency: str = "EUR") -> None:
        self._width = len(header.names)
        self._order = {name: place for place, name in enumerate(header.names)}
        self._names = header.names
        converters = column_converters(language, default_currency)
        targets = [_target(name) for name in self._names]
        self._plan = tuple(
            (name, _SLOTS.get(column, _NOWHERE), limit, converters.get(name))
            for name, (column, limit) in zip(self._names, targets, strict=True)
        )
        present = [name for name in header.names if name not in header.missing]
        self._required = tuple(name for name in REQUIRED_COLUMNS + EXPECTED_COLUMNS if name in present)
        self._labels = tuple(name for name in _LABELS if name in header.names)

    def parse(self, raw: RawRow) -> ParsedRow | list[RowError]:
        """The row in the order of `ROW_COLUMNS`, or all its errors in the order of the file's columns."""
        cells, width = raw.cells, self._width
        if raw.problem or len(cells) < width or any(cells[width:]):
            return [self._row_error(raw)]
        errors: list[RowError] = []
        joined = "".join(cells)
        if "#" in joined or not joined.isprintable():
            cells = self._clean(raw.line, cells[:width], errors)
        values, out = self._convert(raw.line, cells, errors)
        errors += [
            RowError(raw.line, name, RowErrorCode.REQUIRED_EMPTY, "", {})
            for name in self._required
            if name not in values
        ]
        self._finish(raw.line, values, out, errors)
        if errors:
            return self._first_per_column(errors)
        out[_RAW] = values
        return tuple(out[:_NOWHERE])

    def _convert(
        self, line: int, cells: list[str], errors: list[RowError]
    ) -> tuple[dict[str, str], list[Any]]:
        texts = list(map(str.strip, cells[: self._width]))
        values = dict(compress(zip(self._names, texts, strict=True), texts))
        out: list[Any] = [None] * (_NOWHERE + 1)
        out[_CONDITION] = "new"
        out[_ADULT] = out[_BUNDLE] = False
        for (name, slot, limit, convert), text in compress(zip(self._plan, texts, strict=True), texts):
            if len(text) > limit:
                params = {"limit": limit, "found": len(text)}
                errors.append(_error(line, name, RowErrorCode.TEXT_TOO_LONG, text, params))
            elif convert is None:
                out[slot] = text
            else:
                try:
                    out[slot] = convert(text)
                except BadValueError as error:
                    errors.append(_error(line, name, error.code, text, error.params))
        return values, out

    def _finish(self, line: int, values: dict[str, str], out: list[Any], errors: list[RowError]) -> None:
        """Spreads the values that fill two places and checks those that depend on each other."""
        price, sale, dates = out[_PRICE], out[_SALE_PRICE], out[_SALE_START]
        if price:
            out[_PRICE], out[_CURRENCY] = price
        if sale:
            out[_SALE_PRICE] = sale[0]
            text = values["sale_price"]
            if price and sale[1] != price[1]:
                params = {"currency": price[1]}
                errors.append(_error(line, "sale_price", RowErrorCode.SALE_PRICE_CURRENCY, text, params))
            elif price and sale[0] >= price[0]:
                params = {"price": values["price"]}
                errors.append(_error(line, "sale_price", RowErrorCode.SALE_PRICE_NOT_LOWER, text, params))
        if dates:
            out[_SALE_START], out[_SALE_END] = dates
        if out[_IMAGES] is None:
            out[_IMAGES] = []
        out[_CUSTOM_LABELS] = self._custom_labels(values)

    def _custom_labels(self, values: dict[str, str]) -> list[str]:
        if not self._labels:
            return []
        labels = [values.get(name, "") for name in _LABELS]
        while labels and not labels[-1]:
            labels.pop()
        return labels

    def _clean(self, line: int, cells: list[str], errors: list[RowError]) -> list[str]:
        cleaned = []
        for name, cell in zip(self._order, cells, strict=True):
            if "\0" in cell:
                text = cell.replace("\0", "")
                errors.append(_error(line, name, RowErrorCode.NUL_CHARACTER, text, {}))
            else:
                text = clean_text(cell, name)
            if text.strip().upper() in _SPREADSHEET_ERRORS:
                errors.append(_error(line, name, RowErrorCode.SPREADSHEET_ERROR, text, {}))
            cleaned.append(text)
        return cleaned

    def _row_error(self, raw: RawRow) -> RowError:
        if raw.problem:
            return _error(raw.line, "", raw.problem, raw.cells[0], raw.params)
        params = {"line": raw.line, "last_line": raw.end_line - 1}
        params |= {"found": len(raw.cells), "expected": self._width}
        return _error(raw.line, "", RowErrorCode.WRONG_CELL_COUNT, " | ".join(raw.cells[:20]), params)

    def _first_per_column(self, errors: list[RowError]) -> list[RowError]:
        # What makes a cell unreadable ("#REF!") makes its value wrong as well: say the cause only.
        by_column: dict[str, RowError] = {}
        for error in errors:
            by_column.setdefault(error.column, error)
        return sorted(by_column.values(), key=lambda error: self._order[error.column])


def _error(line: int, column: str, code: RowErrorCode, value: str, params: dict[str, Any]) -> RowError:
    return RowError(line, column, code, value[:_VALUE_CUT], params)


def _target(name: str) -> tuple[str, int]:
    if name in _LABELS:
        return "", _MAX_LABEL
    return _TEXTS.get(name, ("", MAX_RECORD_BYTES))
