"""Single values as Letzshop sends them, read with tolerance: amounts, times, texts in languages, trade numbers."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from app.modules.catalog.contracts import GtinError, parse_gtin
from app.modules.customers.contracts import Address
from app.modules.marketplace.adapters.letzshop.names import PARSER_LENGTHS

EURO = "EUR"
LANGUAGES = ("fr", "en", "de", "lb")
_SYMBOLS = {"€": EURO}
_AMOUNT = re.compile(r"(?P<before>[^\d.,\-]*)(?P<number>-?\d[\d.,\s']*)(?P<after>.*)")
_CURRENCY = re.compile(r"[A-Z]{3}")
_CENT = Decimal("0.01")


class UnreadableError(ValueError):
    """The record cannot be made an order; ``fault`` says why, as a code."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


def part(value: Any, key: str) -> Mapping[str, Any]:
    """An object inside an object; an empty one where there is none."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def text(value: Any) -> str | None:
    """A text without blanks around it; a number becomes one; None where nothing is."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).replace("\x00", "").strip() or None


def money(value: Any) -> tuple[int, str]:
    """Cents and currency of 19.99, "19.99" and "19.99 EUR". Raises UnreadableError."""
    found = _AMOUNT.fullmatch(text(value) or "")
    if found is None:
        raise UnreadableError("price_unreadable")
    currency = EURO
    for word in filter(None, (found["before"].strip(), found["after"].strip())):
        currency = _SYMBOLS.get(word, word.upper())
        if not _CURRENCY.fullmatch(currency):
            raise UnreadableError("price_unreadable")
    try:
        amount = Decimal(_plain(re.sub(r"[\s']", "", found["number"]))).quantize(_CENT, ROUND_HALF_UP)
    except InvalidOperation:
        raise UnreadableError("price_unreadable") from None
    if amount < 0:
        raise UnreadableError("price_unreadable")
    return int(amount * 100), currency


def _plain(number: str) -> str:
    """A number with a decimal point: a comma is one too, and what comes before the last mark separates thousands."""
    whole, mark, rest = number.rpartition("," if number.rfind(",") > number.rfind(".") else ".")
    if not mark:
        return number
    others = {",", "."} - {mark}
    if mark in whole:  # 1.234.567
        return number.replace(mark, "")
    return f"{''.join(letter for letter in whole if letter not in others)}.{rest}"


def moment(value: Any) -> datetime | None:
    """A time of ISO 8601 in UTC; one that names no zone is UTC; None where nothing readable is."""
    try:
        found = datetime.fromisoformat(text(value) or "")
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def language(locale: Any) -> str | None:
    """One of our languages for a locale such as ``de`` or ``fr-LU``."""
    found = (text(locale) or "")[:2].lower()
    return found if found in LANGUAGES else None


def translated(value: Any, wanted: str | None) -> str | None:
    """The text in the wanted language, else in French, English, German, else in any."""
    if not isinstance(value, Mapping):
        return text(value)
    order = [wanted, *("fr", "en", "de"), *map(str, value)]
    return next((found for name in order if name and (found := text(value.get(name)))), None)


def trade_number(value: Any) -> str | None:
    """A GTIN of 14 digits, leading zeros put back; what is none stays as it is, for people to see."""
    if not isinstance(value, Mapping):
        return None
    number = text(value.get("number"))
    if number is None:
        return None
    length = PARSER_LENGTHS.get(str(value.get("parser")), 0)
    for tried in (number, number.zfill(length)):
        try:
            return parse_gtin(tried)
        except GtinError:
            continue
    return number


def address(value: Any) -> Address | None:
    """An address; street and number are one line. None where nothing of it is known."""
    if not isinstance(value, Mapping):
        return None
    street, number = text(value.get("streetName")), text(value.get("streetNumber"))
    # Some buyers type the number into both.
    is_doubled = bool(street and number and number in street.replace(",", " ").split())
    country = (text(part(value, "country").get("iso")) or "").upper()
    found = Address(
        name=" ".join(filter(None, [text(value.get("firstName")), text(value.get("lastName"))])) or None,
        company=text(value.get("company")),
        line1=" ".join(filter(None, [street, None if is_doubled else number])) or None,
        postcode=text(value.get("zipCode")),
        city=text(value.get("city")),
        country=country if re.fullmatch("[A-Z]{2}", country) else None,
        phone=text(value.get("phone")),
    )
    return found if found != Address() else None
