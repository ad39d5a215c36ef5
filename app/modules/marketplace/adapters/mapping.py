"""Which column of any table stands for which field of the feed: proposals, and the renaming itself."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from app.modules.catalog.contracts import GtinError, parse_gtin
from app.modules.marketplace.adapters.columns import COLUMNS, column_names
from app.modules.marketplace.adapters.feed_errors import (
    FeedColumnsDuplicateError,
    FeedMappingColumnError,
    FeedMappingFieldError,
    FeedMappingTwiceError,
)
from app.modules.marketplace.adapters.mapping_words import ALSO, NAMES, NOT_A_PRICE, SAFETY
from app.modules.marketplace.adapters.shop_values import plain

SAMPLE_ROWS = 100
_FOUND_CUT = 300
_VALUE_CUT = 1000
_LONGEST_PRICE = 30
_PRICE = re.compile(
    r"(?:[A-Z]{3}|[€£])?\s*[0-9]{1,7}(?:[.,' ][0-9]{3})*(?:[.,][0-9]{1,2})?\s*(?:[A-Z]{3}|[€£])?"
)
_MONEY = re.compile(r"\D*[0-9.,' ]*[0-9][.,][0-9]{2}\D*")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_IMAGE = re.compile(r"https?://\S+\.(?:jpe?g|png|webp|gif|avif)(?:[?,]\S*)?", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{8,14}")

Why = Literal["name", "synonym", "words", "values"]


class Suggestion(NamedTuple):
    """A proposal for one column. ``confidence`` is above 0 and at most 1; ``why`` says what spoke for it:
    the column has the field's own name, a known other name, a name with such words in it, or such values.
    """

    field: str
    confidence: float
    why: Why


class _Candidate(NamedTuple):
    confidence: float
    place: int
    field: str
    why: Why


def suggest_mapping(header: Sequence[str], sample_rows: Sequence[Sequence[str]]) -> dict[str, Suggestion]:
    """Column to proposal, in the order of the header, for the columns about which there is one.

    No field is proposed twice; of the rows, the first 100 are looked at.
    """
    rows = sample_rows[:SAMPLE_ROWS]
    candidates: list[_Candidate] = []
    for place, cell in enumerate(header):
        values = [text for row in rows if place < len(row) and (text := row[place].strip()[:_VALUE_CUT])]
        candidates += _candidates(place, cell, values)
    columns: dict[int, Suggestion] = {}
    fields: set[str] = set()
    for candidate in sorted(candidates, key=lambda found: (-found.confidence, found.place)):
        if candidate.place not in columns and candidate.field not in fields:
            fields.add(candidate.field)
            columns[candidate.place] = Suggestion(candidate.field, candidate.confidence, candidate.why)
    return {header[place]: columns[place] for place in sorted(columns)}


def apply_mapping(header: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    """The header with the mapped columns renamed to their fields.

    ``mapping`` is column (as in the header) to field; "" takes a column out of the feed's fields. Columns that
    it does not name keep their names, unless one is that of a mapped field. Raises a `FeedError` for unknown
    fields, for a field with several columns and for columns that the table does not have, or has twice.
    """
    chosen = {column.strip(): field for column, field in mapping.items()}
    _check(header, chosen)
    taken = {field for field in chosen.values() if field}
    used: Counter[str] = Counter()
    renamed = []
    for cell, name in zip(header, column_names(list(header)), strict=True):
        field = chosen.get(cell.strip())
        if not field:
            free = field is None and name not in taken
            name = name if free or name not in COLUMNS else f"unmapped_{name}"
            used[name] += 1
            # Two "Notes" of a table are no reason to refuse it; two prices are.
            if used[name] > 1 and name not in COLUMNS:
                name = f"{name}_{used[name]}"
        renamed.append(field or name)
    return renamed


def safety_columns(header: Sequence[str]) -> dict[str, int]:
    """Where the data that product safety law asks for stand, by field: shops have own columns for them."""
    found: dict[str, tuple[float, int]] = {}
    for place, cell in enumerate(header):
        best = next((one for one in _candidates(place, cell, []) if one.field in SAFETY), None)
        if best and best.confidence > found.get(best.field, (0.0, 0))[0]:
            found[best.field] = best.confidence, place
    return {field: place for field, (_, place) in found.items()}


def _check(header: Sequence[str], chosen: Mapping[str, str]) -> None:
    counts = Counter(cell.strip() for cell in header)
    if missing := [column for column in chosen if column not in counts]:
        found = ", ".join(header)[:_FOUND_CUT]
        raise FeedMappingColumnError(columns=", ".join(missing)[:_FOUND_CUT], found=found)
    if unknown := sorted({field for field in chosen.values() if field and field not in COLUMNS}):
        raise FeedMappingFieldError(fields=", ".join(unknown)[:_FOUND_CUT])
    fields = Counter(field for field in chosen.values() if field)
    if twice := [field for field, count in fields.items() if count > 1]:
        raise FeedMappingTwiceError(fields=", ".join(twice))
    if doubled := [column for column, field in chosen.items() if field and counts[column] > 1]:
        raise FeedColumnsDuplicateError(columns=", ".join(doubled)[:_FOUND_CUT])


def _candidates(place: int, cell: str, values: list[str]) -> Iterator[_Candidate]:
    name = column_names([cell])[0]
    words = plain(cell).split()
    if name in COLUMNS:
        yield _Candidate(_weighed(name, 1.0, values), place, name, "name")
        return
    is_no_price = not NOT_A_PRICE.isdisjoint(words)
    joined = " ".join(words)
    if (field := NAMES.get(joined)) and not (field == "price" and is_no_price):
        other = ALSO.get(joined)
        yield _Candidate(_weighed(field, 0.8 if other else 0.9, values), place, field, "synonym")
        if other:
            yield _Candidate(_weighed(other, 0.7, values), place, other, "synonym")
        return
    for field in dict.fromkeys(_fields_within(words)):
        if not (is_no_price and field in ("price", "sale_price")):
            yield _Candidate(_weighed(field, 0.6, values), place, field, "words")
    yield from _by_values(place, values)


def _fields_within(words: list[str]) -> Iterator[str]:
    """Fields whose names are words of the column's name, the longest names first: "EAN (code-barres)"."""
    for length in range(len(words) - 1, 0, -1):
        for start in range(len(words) - length + 1):
            part = " ".join(words[start : start + length])
            field = NAMES.get(part) or (part if part in COLUMNS else None)
            if field and len(part) > 2:
                yield field


def _by_values(place: int, values: list[str]) -> Iterator[_Candidate]:
    if len(values) < 3:
        return
    for field, test, confidence in _SHAPES:
        if _share(values, test) >= 0.9:
            yield _Candidate(confidence, place, field, "values")


def _weighed(field: str, confidence: float, values: list[str]) -> float:
    """Values that cannot be the field's make its name doubtful."""
    test = _TESTS.get(field)
    if test is None or not values:
        return confidence
    return round(confidence * (0.4 + 0.6 * _share(values, test)), 2)


def _share(values: list[str], test: Callable[[str], object]) -> float:
    return sum(map(bool, map(test, values))) / len(values)


def _is_gtin(text: str) -> bool:
    try:
        return bool(_DIGITS.fullmatch(text) and parse_gtin(text))
    except GtinError:
        return False


def _is_price(text: str) -> bool:
    return len(text) <= _LONGEST_PRICE and _PRICE.fullmatch(text) is not None


def _is_contact(text: str) -> bool:
    """An e-mail address, or the page with a form, which the law takes as well."""
    return "@" in text or _URL.fullmatch(text) is not None


_TESTS: dict[str, Callable[[str], object]] = {
    "id": lambda text: len(text) <= 50,
    "title": lambda text: len(text) <= 150 and not _URL.match(text),
    "link": _URL.fullmatch,
    "image_link": _URL.fullmatch,
    "additional_image_link": _URL.match,
    "price": _is_price,
    "sale_price": _is_price,
    "gtin": _is_gtin,
    **dict.fromkeys(("manufacturer_email", "responsible_email"), _is_contact),
}
_SHAPES: tuple[tuple[str, Callable[[str], object], float], ...] = (
    ("gtin", _is_gtin, 0.55),
    ("image_link", _IMAGE.fullmatch, 0.5),
    ("link", lambda text: _URL.fullmatch(text) and not _IMAGE.fullmatch(text), 0.45),
    ("price", lambda text: len(text) <= _LONGEST_PRICE and _MONEY.fullmatch(text), 0.3),
)
