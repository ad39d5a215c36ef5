"""Shopify's product export as a feed: one row for each variant.

The rows of a product follow each other and share its handle; the first one has the product's fields, rows with
an option's value or a price are variants, rows with nothing but an image are its further pictures. Products
that are drafts, archived or not published, and gift cards, cannot be bought in the shop: they are left out and
counted, so an imported product that becomes a draft ends like one that was deleted.
"""

from operator import itemgetter
from pathlib import Path

from app.modules.marketplace.adapters.columns import MAX_IMAGES
from app.modules.marketplace.adapters.feed_reader import FeedFormat, RawRow, read_rows
from app.modules.marketplace.adapters.html_text import html_to_text
from app.modules.marketplace.adapters.prepared import TableWriter, write_table
from app.modules.marketplace.adapters.shop_values import (
    OPTION_COLUMNS,
    amount,
    availability,
    is_yes,
    option_cells,
    short_id,
    untick,
    variant_title,
    weight,
)
from app.modules.marketplace.adapters.shopify_columns import (
    COPIED,
    FIELDS,
    FROM_FIRST_ROW,
    feed_columns,
    find_columns,
)
from app.modules.marketplace.enums import RowErrorCode

# Shopify allows 2,048 variants and 250 pictures; more is no product but a column that is no handle.
MAX_PRODUCT_ROWS = 4000
_MAX_PRODUCT_CHARS = 4 << 20
_DEFAULT_VALUE = "Default Title"
_OPTIONS = ("option1", "option2", "option3")

_Row = dict[str, str]


def convert_shopify(
    path: Path, fmt: FeedFormat, header: list[str], target: Path
) -> tuple[list[str], TableWriter]:
    """Write the variants of a Shopify export as a table; its columns, and the writer with the counts.

    A handle with more than `MAX_PRODUCT_ROWS` rows becomes one bad row. Raises a `FeedError` and writes
    nothing if the export cannot be read to its end.
    """
    found = find_columns(header)
    columns = feed_columns(found)
    pick = itemgetter(*(found.get(field, -1) for field in FIELDS))

    def convert(table: TableWriter) -> None:
        product = _Product(table, columns)
        for raw in read_rows(path, fmt):
            if table.bad_row(raw, len(header)):
                continue
            # The last cell stands for the columns that this export does not have.
            row = dict(zip(FIELDS, map(str.strip, pick([*raw.cells[: len(header)], ""])), strict=True))
            if not row["handle"] or row["handle"] != product.handle:
                product.write()
                product = _Product(table, columns, row)
            product.add(raw, row)
        product.write()

    return columns, write_table(target, columns, convert)


class _Product:
    """The rows of one handle, until its pictures are known."""

    def __init__(self, table: TableWriter, columns: list[str], first: _Row | None = None) -> None:
        self._table = table
        self._columns = columns
        self._first = first or {}
        self._variants: list[tuple[int, _Row]] = []
        self._pictures: list[tuple[int, str]] = []
        self._begin = 0
        self._rows = self._chars = 0
        self.handle = self._first.get("handle", "")

    def add(self, raw: RawRow, row: _Row) -> None:
        """One more row; what is too much is counted, but not kept."""
        self._begin = self._begin or raw.line
        self._rows += 1
        self._chars += sum(map(len, raw.cells))
        if self._is_too_large():
            self._variants.clear()
            return
        if row["image"] and len(self._pictures) < 2 * MAX_IMAGES:
            place = row["image_position"]
            self._pictures.append(
                (int(place) if place.isdecimal() else len(self._pictures) + 1, row["image"])
            )
        if row is self._first or row["price"] or row["sku"] or row["option1_value"]:
            if row is not self._first:
                for name in FROM_FIRST_ROW:
                    del row[name]
            self._variants.append((raw.line, row))

    def _is_too_large(self) -> bool:
        return self._rows > MAX_PRODUCT_ROWS or self._chars > _MAX_PRODUCT_CHARS

    def write(self) -> None:
        """All variants of the product, or why there are none."""
        if not self._rows:
            return
        reason = self._not_for_sale()
        if reason:
            self._table.left_out[reason] += 1
        elif self._is_too_large():
            params = {"limit": MAX_PRODUCT_ROWS, "rows": self._rows}
            self._table.problem(self._begin, RowErrorCode.PRODUCT_TOO_LARGE, self.handle, params)
        else:
            shared = self._shared()
            pictures = list(dict.fromkeys(url for _, url in sorted(self._pictures, key=itemgetter(0))))
            for line, row in self._variants:
                cells = shared | self._cells_of(row, pictures)
                self._table.row(line, [cells[name] for name in self._columns])

    def _not_for_sale(self) -> str:
        status = self._first["status"].lower()
        if status in ("draft", "archived"):
            return status
        if self._first["published"].lower() in ("false", "no", "0"):
            return "unpublished"
        return "gift_card" if is_yes(self._first["gift_card"]) else ""

    def _shared(self) -> _Row:
        first = self._first
        return {
            "description": html_to_text(first["body"]),
            "brand": first["vendor"],
            "google_product_category": first["google_category"] or first["category"],
            "product_type": first["type"],
            "tags": first["tags"],
        }

    def _cells_of(self, row: _Row, pictures: list[str]) -> _Row:
        options = [
            (self._first[f"{option}_name"], row[f"{option}_value"])
            for option in _OPTIONS
            if row[f"{option}_value"] and row[f"{option}_value"] != _DEFAULT_VALUE
        ]
        values = [value for _, value in options]
        image = row["variant_image"] or (pictures[0] if pictures else "")
        price, sale_price = _prices(row["price"], row["compare"])
        cells = {
            "id": short_id(untick(row["sku"]) or "-".join((self.handle, *values)).strip("-")),
            "title": variant_title(self._first["title"], values),
            "image_link": image,
            "additional_image_link": ",".join([url for url in pictures if url != image][:MAX_IMAGES]),
            "price": price,
            "sale_price": sale_price,
            "gtin": untick(row["barcode"]),
            "item_group_id": short_id(self.handle) if options else "",
            "availability": availability(
                is_tracked=bool(row["tracker"]),
                quantity=row["quantity"],
                sells_without_stock=is_yes(row["policy"]),
            ),
            "shipping_weight": weight(untick(row["grams"]), "g"),
            "unit_pricing_measure": row["unit_measure"] and row["unit_measure"] + row["unit_measure_unit"],
            "unit_pricing_base_measure": row["unit_base"] and row["unit_base"] + row["unit_base_unit"],
        }
        cells.update(zip(OPTION_COLUMNS, option_cells(options), strict=True))
        cells.update((name, row[name] or self._first[name]) for name in COPIED)
        return cells


def _prices(price: str, compare: str) -> tuple[str, str]:
    """Price and sale price: a higher price to compare with is the usual one."""
    usual, now = amount(compare), amount(price)
    if usual and now and usual > now:
        return compare, price
    return price, ""
