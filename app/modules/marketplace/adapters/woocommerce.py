"""WooCommerce's product export as a feed: one row for each simple product and each variation.

A variation takes what it lacks from its parent, which may stand anywhere in the file: the first pass keeps
what is needed of the parents in a file of its own, with their places in memory. Products with variations are
no rows themselves. Drafts and private products, groups, and products sold elsewhere are left out and counted.
"""

import re
import tempfile
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

import orjson

from app.modules.marketplace.adapters.columns import MAX_IMAGES
from app.modules.marketplace.adapters.feed_errors import FeedTooManyParentsError
from app.modules.marketplace.adapters.feed_reader import FeedFormat, read_rows
from app.modules.marketplace.adapters.html_text import html_to_text
from app.modules.marketplace.adapters.mapping_words import SAFETY
from app.modules.marketplace.adapters.prepared import TableWriter, write_table
from app.modules.marketplace.adapters.shop_values import (
    OPTION_COLUMNS,
    availability,
    is_yes,
    option_cells,
    short_id,
    variant_title,
    weight,
)
from app.modules.marketplace.adapters.woocommerce_columns import FIELDS, WooColumns
from app.modules.marketplace.enums import RowErrorCode

MAX_PARENTS = 200_000
_PARENTS_AT_HAND = 256
# A sale without a first or a last day; the feed's column needs both.
_FIRST_DAY, _LAST_DAY = "2000-01-01", "2099-12-31"
_COMMA = re.compile(r"(?<!\\),\s*")
_ESCAPED = re.compile(r"'(?=[=+\-@\t\r])")
_INHERITED = (
    "name",
    "description",
    "published",
    "tax_class",
    "categories",
    "tags",
    "images",
    "brands",
    "sku",
    "id",
    *SAFETY,
)

_Row = dict[str, str]
_Options = list[tuple[str, str]]


def convert_woocommerce(
    path: Path, fmt: FeedFormat, header: list[str], target: Path
) -> tuple[list[str], TableWriter]:
    """Write the products of a WooCommerce export as a table; its columns, and the writer with the counts.

    Raises a `FeedError` and writes nothing if the export cannot be read to its end or has more than
    `MAX_PARENTS` products with variations.
    """
    columns = WooColumns(header)

    def convert(table: TableWriter) -> None:
        with tempfile.TemporaryFile(dir=target.parent) as spool:
            converter = _Converter(header, columns, spool)
            converter.note_parents(path, fmt)
            converter.write_rows(path, fmt, table)

    return columns.feed_columns, write_table(target, columns.feed_columns, convert)


class _Parents:
    """What variations take from their parents, by ``id:<ID>`` and SKU, kept on disk."""

    def __init__(self, spool: BinaryIO) -> None:
        self._spool = spool
        self._places: dict[str, tuple[int, int]] = {}
        self._end = self._count = 0
        self.get = lru_cache(maxsize=_PARENTS_AT_HAND)(self._read)

    def add(self, row: _Row) -> None:
        """Keep a product that may have variations. The first one of an id or SKU counts."""
        self._count += 1
        if self._count > MAX_PARENTS:
            raise FeedTooManyParentsError(limit=MAX_PARENTS)
        data = orjson.dumps({name: row[name] for name in _INHERITED})
        self._spool.write(data)
        for key in (f"id:{row['id']}", row["sku"]):
            self._places.setdefault(key, (self._end, len(data)))
        self._end += len(data)

    def _read(self, key: str) -> _Row | None:
        if not key or key not in self._places:
            return None
        start, size = self._places[key]
        self._spool.seek(start)
        parent: _Row = orjson.loads(self._spool.read(size))
        parent["description"] = html_to_text(parent["description"])
        return parent


class _Converter:
    def __init__(self, header: list[str], columns: WooColumns, spool: BinaryIO) -> None:
        self._width = len(header)
        self._columns = columns
        self._names = columns.feed_columns
        self._pick = itemgetter(*(columns.places.get(field, -1) for field in FIELDS))
        self._parents = _Parents(spool)

    def note_parents(self, path: Path, fmt: FeedFormat) -> None:
        """First pass: the products with variations."""
        place = self._columns.places["type"]
        for raw in read_rows(path, fmt):
            if raw.problem is None and len(raw.cells) >= self._width and _is_variable(raw.cells[place]):
                self._parents.add(self._row(raw.cells))

    def write_rows(self, path: Path, fmt: FeedFormat, table: TableWriter) -> None:
        """Second pass: everything that can be bought."""
        for raw in read_rows(path, fmt):
            if table.bad_row(raw, self._width):
                continue
            row = self._row(raw.cells)
            kinds = _kinds(row["type"])
            parent = self._parents.get(row["parent"]) if "variation" in kinds else None
            reason = _not_for_sale(kinds, row, parent)
            if "variable" in kinds:
                # Its variations count when it is not for sale.
                continue
            if reason:
                table.left_out[reason] += 1
            elif "variation" in kinds and parent is None:
                params = {"parent": row["parent"]}
                table.problem(raw.line, RowErrorCode.PARENT_MISSING, row["sku"] or row["id"], params)
            else:
                cells = self._cells_of(row, self._options(raw.cells), parent)
                table.row(raw.line, [cells[name] for name in self._names])

    def _row(self, cells: list[str]) -> _Row:
        # The last cell stands for the columns that this export does not have.
        row = dict(zip(FIELDS, map(str.strip, self._pick([*cells[: self._width], ""])), strict=True))
        for name, text in row.items():
            if text.startswith("'"):
                row[name] = _ESCAPED.sub("", text, count=1)
        row["description"] = (row["description"] or row["short"]).replace("\\n", "\n")
        return row

    def _options(self, cells: list[str]) -> _Options:
        return [
            (cells[name].strip(), cells[value].strip().replace("\\,", ","))
            for name, value in self._columns.attributes
            if cells[value] and cells[name]
        ]

    def _cells_of(self, row: _Row, options: _Options, parent: _Row | None) -> _Row:
        base = parent or row
        pictures = split_list(row["images"])
        if parent:
            pictures += [url for url in split_list(parent["images"]) if url not in pictures]
        cells = {
            "id": _id_of(row, options, parent),
            "title": _title(row, options, parent),
            "description": html_to_text(row["description"]) or (parent["description"] if parent else ""),
            "image_link": pictures[0] if pictures else "",
            "additional_image_link": ",".join(pictures[1 : 1 + MAX_IMAGES]),
            "availability": _availability(row),
            "price": row["price"],
            "sale_price": row["sale_price"] if row["sale_price"] != row["price"] else "",
            "sale_price_effective_date": _sale_dates(row),
            "gtin": row["gtin"],
            "brand": ", ".join(split_list(row["brands"] or base["brands"])[:1]),
            "item_group_id": short_id(parent["sku"] or parent["id"]) if parent else "",
            "product_type": ", ".join(split_list(row["categories"] or base["categories"])),
            "shipping_weight": weight(row["weight"], self._columns.weight_unit),
            "tags": row["tags"] or base["tags"],
            "tax_class": row["tax_class"] if row["tax_class"] != "parent" else base["tax_class"],
            **{name: row[name] or base[name] for name in SAFETY},
        }
        # A simple product's attribute may list several values: "S, M, L" is no size.
        single = options if parent else [(name, value) for name, value in options if "," not in value]
        cells.update(zip(OPTION_COLUMNS, option_cells(single), strict=True))
        return cells


def split_list(text: str) -> list[str]:
    """The values of a list joined by commas; those inside a value have a backslash before them."""
    if "," not in text:
        return [text] if text else []
    return [value.replace("\\,", ",").strip() for value in _COMMA.split(text) if value.strip()]


def _kinds(text: str) -> set[str]:
    """ "simple, virtual" is a simple product."""
    return {word.strip().lower() for word in text.split(",")}


def _is_variable(text: str) -> bool:
    return "variable" in text.lower() and "variable" in _kinds(text)


def _not_for_sale(kinds: set[str], row: _Row, parent: _Row | None) -> str:
    for kind in ("grouped", "external"):
        if kind in kinds:
            return kind
    for published in (row["published"], parent["published"] if parent else ""):
        if published == "-1":
            return "draft"
        if published not in ("1", ""):
            return "unpublished"
    return ""


def _id_of(row: _Row, options: _Options, parent: _Row | None) -> str:
    sku = row["sku"]
    # Variations without a SKU of their own are exported with their parent's.
    if sku and not (parent and sku == parent["sku"]):
        return short_id(sku)
    if row["id"] or not parent:
        return row["id"]
    return short_id("-".join([parent["sku"] or parent["id"], *(value for _, value in options)]))


def _title(row: _Row, options: _Options, parent: _Row | None) -> str:
    """Newer exports write the values behind a variation's name themselves."""
    if parent and row["name"] in ("", parent["name"]):
        return variant_title(parent["name"], [value for _, value in options])
    return row["name"]


def _availability(row: _Row) -> str:
    if row["in_stock"].lower() == "backorder":
        return "backorder"
    if row["in_stock"] in ("0", ""):
        return "out_of_stock"
    is_counted = row["stock"] not in ("", "parent")
    return availability(
        is_tracked=is_counted, quantity=row["stock"], sells_without_stock=is_yes(row["backorders"])
    )


def _sale_dates(row: _Row) -> str:
    starts, ends = row["sale_starts"], row["sale_ends"]
    if not row["sale_price"] or not (starts or ends):
        return ""
    return f"{starts or _FIRST_DAY}/{ends or _LAST_DAY}"
