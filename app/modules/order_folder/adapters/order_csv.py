"""Files of orders: one row per line of an order, with the buyer and the address repeated on each."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.modules.customers.contracts import Address, Buyer
from app.modules.marketplace.contracts import ExternalOrder, ExternalUnit, UnitState
from app.modules.orders.contracts import NewLine, NewOrder

CODE = "order_folder"
NEEDED = ("order", "line", "title", "quantity", "unit_price")
COLUMNS = (
    *NEEDED,
    *("sku", "gtin", "currency", "shipping", "placed_at", "language", "note"),
    *("email", "first_name", "last_name", "company", "phone"),
    *("street", "postcode", "city", "country"),
)
_MAX_ROWS, _MAX_CELL, _MAX_QUANTITY = 10_000, 1000, 1000
_MONEY = re.compile(r"(\d{1,9})(?:[.,](\d{1,2}))?")
_LANGUAGES = ("en", "fr", "de", "lb")
_HOME = "LU"

Row = Mapping[str, str]


class OrderFileError(ValueError):
    """The file has no orders that could be read; the text says why."""


class _FaultError(ValueError):
    """An order of a file cannot be read; the text is a code."""


def read_orders(content: bytes) -> dict[str, list[dict[str, str]]]:
    """The rows of each order, by its id. Separators are commas or semicolons. Raises OrderFileError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OrderFileError(f"Byte {error.start} is not UTF-8.") from None
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",", strict=True)
    orders: dict[str, list[dict[str, str]]] = {}
    try:
        lacking = [name for name in NEEDED if name not in (reader.fieldnames or ())]
        if lacking:
            raise OrderFileError(f"The first line does not name {', '.join(lacking)}.")
        for number, row in enumerate(reader, 2):
            if number > _MAX_ROWS:
                raise OrderFileError(f"There are more than {_MAX_ROWS} lines.")
            order_id = (row["order"] or "").strip()
            if not order_id:
                raise OrderFileError(f"Line {number} names no order.")
            orders.setdefault(order_id, []).append(_cells(row))
    except csv.Error as error:
        raise OrderFileError(f"Line {reader.line_num}: {error}.") from None
    if not orders:
        raise OrderFileError("There is no line with an order.")
    return orders


def unit_ids(order_id: str, rows: Iterable[Row]) -> list[str]:
    """The ids of an order's units: order, line and a number from 1. None of a line without a sensible quantity."""
    return [one for row in rows for one in _units_of(order_id, row)]


def external_order(
    order_id: str, rows: Sequence[Row], states: Mapping[str, UnitState], tracking: tuple[str, str] | None
) -> ExternalOrder:
    """An order as the contract has it; what cannot be read is named by ``fault``."""
    order: NewOrder | None = None
    fault = None
    raw: dict[str, Any] = {"rows": [dict(row) for row in rows], "units": dict(states), "tracking": tracking}
    try:
        order = _new_order(order_id, rows, raw)
    except _FaultError as error:
        fault = str(error)
    units = tuple(ExternalUnit(key, state) for key, state in states.items())
    return ExternalOrder(order_id, order_id, units, raw, order, fault, tracking)


def _cells(row: Mapping[str | None, Any]) -> dict[str, str]:
    return {name: str(row[name]).strip()[:_MAX_CELL] for name in COLUMNS if row.get(name)}


def _units_of(order_id: str, row: Row) -> list[str]:
    try:
        return [f"{order_id}/{row.get('line', '')}/{number}" for number in range(1, _quantity(row) + 1)]
    except _FaultError:
        return []


def _new_order(order_id: str, rows: Sequence[Row], raw: Mapping[str, Any]) -> NewOrder:
    first = rows[0]
    if len({row.get("line") for row in rows}) < len(rows):
        raise _FaultError("order-folder.line_twice")
    address = Address(
        name=" ".join(filter(None, (first.get("first_name"), first.get("last_name")))) or None,
        company=first.get("company"),
        line1=first.get("street"),
        postcode=first.get("postcode"),
        city=first.get("city"),
        country=(first.get("country") or _HOME).upper(),
        phone=first.get("phone"),
    )
    if len(address.country or "") != 2:
        raise _FaultError("order-folder.country")
    language = first.get("language", "fr").lower()
    return NewOrder(
        channel=CODE,
        buyer=Buyer(
            email=first.get("email"),
            first_name=first.get("first_name"),
            last_name=first.get("last_name"),
            company_name=first.get("company"),
            phone=first.get("phone"),
            language=language if language in _LANGUAGES else "fr",
        ),
        shipping_address=address,
        billing_address=None,
        lines=[_line(order_id, row) for row in rows],
        currency=first.get("currency", "EUR").upper(),
        shipping_cents=_cents(first, "shipping", "0"),
        external_id=order_id,
        external_number=order_id,
        placed_at=_moment(first),
        customer_note=first.get("note"),
        raw=raw,
    )


def _line(order_id: str, row: Row) -> NewLine:
    title = row.get("title")
    if not title:
        raise _FaultError("order-folder.title")
    return NewLine(
        product_id=None,
        sku=row.get("sku"),
        gtin=row.get("gtin"),
        title=title,
        quantity=_quantity(row),
        unit_price_cents=_cents(row, "unit_price", ""),
        external_unit_ids=tuple(_units_of(order_id, row)),
    )


def _quantity(row: Row) -> int:
    text = row.get("quantity", "")
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= _MAX_QUANTITY:
        raise _FaultError("order-folder.quantity")
    return int(text)


def _cents(row: Row, name: str, default: str) -> int:
    found = _MONEY.fullmatch(row.get(name, default))
    if found is None:
        raise _FaultError("order-folder.price")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def _moment(row: Row) -> datetime | None:
    text = row.get("placed_at")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _FaultError("order-folder.placed_at") from None
    return found.replace(tzinfo=found.tzinfo or UTC)
