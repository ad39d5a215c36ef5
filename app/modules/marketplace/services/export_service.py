"""The catalogue as a feed: tab-separated, UTF-8, the columns of the Google product feed.

A feed is read by machines: cells are never neutralised. Without rules, importing it again changes nothing.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.core.storage import atomic_file
from app.modules.catalog import facade as catalog
from app.modules.catalog.contracts import Export, ExportRow, display_gtin
from app.modules.marketplace.enums import Marketplace
from app.modules.marketplace.models.feed_settings import FeedSettings
from app.modules.marketplace.services import feed_rule_service
from app.modules.marketplace.services.channel_stock_service import units_by_sku
from app.modules.marketplace.services.feed_columns import COLUMN_FIELDS, LABELS
from app.modules.marketplace.services.feed_row import EXPECTED_COLUMNS
from app.modules.marketplace.services.feed_rules import RuleSet
from app.modules.marketplace.services.feed_settings_service import find_feed_settings

_REPORT_ROWS = 2000
_SETTING_COLUMNS = ("default_tax_rate", "boost_sort", "delivery_method", "preorder_days")

_CHANNEL = Marketplace.LETZSHOP.value
_AVAILABILITY, _ORDERED_BEFORE = "availability", ("preorder", "backorder")

Cell = Callable[[ExportRow], str]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of the products are behind us, and how many of those a rule left out."""

    done: int
    total: int
    excluded: int = 0

    @property
    def rows(self) -> int:
        """How many are in the file."""
        return self.done - self.excluded


@dataclass(frozen=True, slots=True)
class Preview:
    """Columns and first rows of an export, and how many products it is made from (see `catalog.open_preview`)."""

    columns: list[str]
    rows: list[list[str]]
    total: int


def export_file_name(vendor_code: str, language: str) -> str:
    """Name of the file for one language."""
    return f"{vendor_code}_{Marketplace.LETZSHOP.value}_export_{language}.tsv"


def export_products(session: Session, *, language: str, target: Path) -> Iterator[Progress]:
    """Write ``target``, as a whole or not at all: the active products that have texts in ``language``, by SKU.

    The rules for exports change the cells and leave products out. The same catalogue and rules give the same bytes.
    Yields as it goes, at least once at the end.
    """
    export = catalog.open_export(session, language=language)
    names, cells_of = _layout(session, export, language, units_by_sku(session, _CHANNEL))
    done = excluded = 0
    with atomic_file(target) as file:
        # The terminator makes it quote cells with a lone carriage return, too; `_Encoder` shortens it.
        writer = csv.writer(_Encoder(file.write), delimiter="\t", lineterminator="\r\n")
        writer.writerow(names)
        for row in export.rows:
            if (cells := cells_of(row)) is None:
                excluded += 1
            else:
                writer.writerow(cells)
            done += 1
            if done % _REPORT_ROWS == 0:
                yield Progress(done, export.total, excluded)
    yield Progress(done, export.total, excluded)


def preview_export(session: Session, *, language: str, limit: int) -> Preview:
    """The first rows of the file that an export would write, of as many products."""
    export = catalog.open_preview(session, language=language, limit=limit)
    products = list(export.rows)
    units = units_by_sku(session, _CHANNEL, [row.sku for row in products])
    names, cells_of = _layout(session, export, language, units)
    rows = [cells for row in products if (cells := cells_of(row)) is not None]
    return Preview(names, rows, export.total)


def _layout(
    session: Session, export: Export, language: str, units: Mapping[str, int]
) -> tuple[list[str], Callable[[ExportRow], list[str] | None]]:
    """The file's columns, and the function that gives a product's cells; None for one that a rule leaves out."""
    rules = feed_rule_service.export_rules(session, language)
    columns = _columns(export, rules, units)
    settings = _setting_cells(find_feed_settings(session))
    names = [*columns, *settings]
    writers, tail = list(columns.values()), list(settings.values())
    apply = rules.compile(names)

    def cells_of(row: ExportRow) -> list[str] | None:
        cells = [*(write(row) for write in writers), *tail]
        return cells if apply is None or apply(cells) else None

    return names, cells_of


def _columns(export: Export, rules: RuleSet, units: Mapping[str, int]) -> dict[str, Cell]:
    # Where these columns are there, their cells must be filled: without any value they are left out.
    filled = export.filled | {_AVAILABILITY} if units else export.filled
    skipped = {name for name in EXPECTED_COLUMNS if name not in filled and name not in rules.columns}
    columns = {name: cell for name, cell in CELLS.items() if name not in skipped}
    return {**columns, _AVAILABILITY: _availability(units)} if units else columns


def _availability(units: Mapping[str, int]) -> Cell:
    """As the stock says, where it knows the product; what can be ordered before it is there stays so."""

    def cell(row: ExportRow) -> str:
        found = units.get(row.sku)
        if found is None or row.availability in _ORDERED_BEFORE:
            return row.availability or ""
        return "in_stock" if found > 0 else "out_of_stock"

    return cell


class _Encoder:
    """What csv writes into, before it is bytes."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, text: str) -> None:
        self._write(f"{text[:-2]}\n".encode())


def _setting_cells(settings: FeedSettings | None) -> dict[str, str]:
    if settings is None:
        return {}
    return {name: str(getattr(settings, name)) for name in _SETTING_COLUMNS}


def _money(cents: int | None, currency: str) -> str:
    return "" if cents is None else f"{cents // 100}.{cents % 100:02d} {currency}"


def _moment(value: datetime | None) -> str:
    return value.astimezone(UTC).isoformat() if value else ""


def _sale_dates(row: ExportRow) -> str:
    return f"{_moment(row.sale_starts_at)}/{_moment(row.sale_ends_at)}" if row.sale_starts_at else ""


def _field(name: str) -> Cell:
    place = ExportRow._fields.index(name)
    return lambda row: _text(row[place])


def _attribute(name: str) -> Cell:
    return lambda row: _text(row.attributes.get(name))


def _label(number: int) -> Cell:
    def cell(row: ExportRow) -> str:
        labels = row.attributes.get("custom_labels", [])
        return labels[number] if number < len(labels) else ""

    return cell


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(value) if isinstance(value, list) else str(value)


def _cells() -> dict[str, Cell]:
    """How each column is written, in the order of the feed."""
    special: dict[str, Cell] = {
        "id": lambda row: row.sku,
        "price": lambda row: _money(row.price_cents, row.currency),
        "sale_price": lambda row: _money(row.sale_price_cents, row.currency),
        "sale_price_effective_date": _sale_dates,
        "gtin": lambda row: display_gtin(row.gtin) if row.gtin else "",
        **{name: _label(number) for number, name in enumerate(LABELS)},
    }
    return {
        column: special.get(column) or (_field if fields[0] in ExportRow._fields else _attribute)(fields[0])
        for column, fields in COLUMN_FIELDS.items()
    }


CELLS = _cells()
"""How each column of the feed is written of a product, in the order of the feed."""
