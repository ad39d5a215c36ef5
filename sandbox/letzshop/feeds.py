"""Reading a shop's feed: the columns of the Google product feed, tab-separated or comma-separated, UTF-8."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

COLUMNS = frozenset(
    {
        *("id", "title", "description", "link", "image_link", "additional_image_link"),
        *("availability", "availability_date", "price", "sale_price", "sale_price_effective_date"),
        *("gtin", "mpn", "brand", "identifier_exists", "condition", "adult", "multipack", "is_bundle"),
        *("age_group", "color", "gender", "material", "pattern", "size", "size_type", "size_system"),
        *("item_group_id", "google_product_category", "product_type"),
        *("unit_pricing_measure", "unit_pricing_base_measure"),
        *("shipping", "shipping_label", "shipping_weight", "shipping_size"),
        *("energy_efficiency_class", "min_energy_efficiency_class", "max_energy_efficiency_class"),
        *("custom_label_0", "custom_label_1", "custom_label_2", "custom_label_3", "custom_label_4"),
        *("default_tax_rate", "boost_sort", "delivery_method", "preorder_days"),  # the platform's own
        *("manufacturer_name", "manufacturer_address", "manufacturer_email"),
        *("responsible_name", "responsible_address", "responsible_email", "safety_warning"),
    }
)
_REQUIRED = ("id", "title", "price")
_AVAILABILITIES = frozenset({"in_stock", "out_of_stock", "preorder", "backorder"})
_PRICE = re.compile(r"(\d{1,7})(?:\.(\d{1,2}))? EUR")
_GTIN_LENGTHS = (8, 12, 13, 14)
_LONGEST = {"id": 50, "title": 150, "description": 5000}
_MOST_PROBLEMS = 100


class FeedError(ValueError):
    """Nothing of the file can be used."""


@dataclass(frozen=True)
class Row:
    """One product in one language; ``sale``: another price, and from when to when (Unix times) buyers pay it."""

    sku: str
    title: str
    description: str
    price_cents: int
    availability: str
    gtin: str | None
    mpn: str | None
    brand: str | None
    category: str | None
    sale: tuple[int, float | None, float | None] | None = None


@dataclass
class Reading:
    """What was wrong, line by line, at most a hundred of it."""

    problems: list[dict[str, object]] = field(default_factory=list)
    bad_rows: int = 0

    def note(self, line: int, column: str, text: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append({"line": line, "column": column, "problem": text})


def read_feed(content: bytes, reading: Reading) -> Iterator[Row]:
    """The rows that are good; the others are noted. Raises FeedError when the file is no feed."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FeedError("The file is not UTF-8.") from error
    first = text.partition("\n")[0]
    delimiter = next((one for one in "\t;," if one in first), "\t")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = [name.strip().lower() for name in next(lines, [])]
    if missing := [name for name in _REQUIRED if name not in names]:
        raise FeedError(f"Columns are missing: {', '.join(missing)}.")
    for name in names:
        if name not in COLUMNS:
            reading.note(1, name, "is no column of the product feed")
    seen: set[str] = set()
    for cells in lines:
        row = _read_row(dict(zip(names, cells, strict=False)), lines.line_num, seen, reading)
        if row is None:
            reading.bad_rows += 1
        else:
            yield row


def _read_row(cells: Mapping[str, str], line: int, seen: set[str], reading: Reading) -> Row | None:
    problems = list(_problems(cells, seen))
    for column, text in problems:
        reading.note(line, column, text)
    if problems:
        return None
    seen.add(cells["id"])
    gtin = cells.get("gtin", "")
    return Row(
        sku=cells["id"],
        title=cells["title"],
        description=cells.get("description", ""),
        price_cents=_cents(cells["price"]) or 0,
        availability=_availability(cells),
        gtin=gtin or None,
        mpn=cells.get("mpn") or None,
        brand=cells.get("brand") or None,
        category=cells.get("google_product_category") or cells.get("product_type") or None,
        sale=_sale(cells),
    )


def _problems(cells: Mapping[str, str], seen: set[str]) -> Iterator[tuple[str, str]]:
    for name in _REQUIRED:
        if not cells.get(name, "").strip():
            yield name, "is empty"
    for name, longest in _LONGEST.items():
        if len(cells.get(name, "")) > longest:
            yield name, f"is longer than {longest} characters"
    if cells.get("id") in seen:
        yield "id", "is there twice"
    for name in ("price", "sale_price"):
        if cells.get(name) and _cents(cells[name]) is None:
            yield name, "is no amount in EUR"
    if _dates(cells) is None:
        yield "sale_price_effective_date", "is no pair of times with a slash between them"
    if _availability(cells) not in _AVAILABILITIES:
        yield "availability", "is none of in_stock, out_of_stock, preorder, backorder"
    gtin = cells.get("gtin", "")
    if gtin and not _is_gtin(gtin):
        yield "gtin", "is no GTIN"


def _availability(cells: Mapping[str, str]) -> str:
    return cells.get("availability", "in_stock").strip().replace(" ", "_") or "in_stock"


def _sale(cells: Mapping[str, str]) -> tuple[int, float | None, float | None] | None:
    cents = _cents(cells.get("sale_price", ""))
    return None if cents is None else (cents, *(_dates(cells) or (None, None)))


def _dates(cells: Mapping[str, str]) -> tuple[float | None, float | None] | None:
    """From when to when the sale price is good; None where it cannot be read. Times without a zone are UTC."""
    said = cells.get("sale_price_effective_date", "").strip()
    if not said:
        return None, None
    begins, slash, ends = said.partition("/")
    try:
        first, last = _time(begins), _time(ends)
    except ValueError:
        return None
    return (first, last) if slash and first <= last else None


def _time(text: str) -> float:
    found = datetime.fromisoformat(text.strip())
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _cents(text: str) -> int | None:
    found = _PRICE.fullmatch(text.strip())
    return None if found is None else int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


def _is_gtin(text: str) -> bool:
    if not text.isascii() or not text.isdigit() or len(text) not in _GTIN_LENGTHS:
        return False
    total = sum(int(digit) * (3 if number % 2 else 1) for number, digit in enumerate(reversed(text)))
    return total % 10 == 0
