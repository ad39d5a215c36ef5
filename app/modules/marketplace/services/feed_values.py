"""Turns the text of one feed cell into a value. Every function takes a trimmed text that is not empty."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from app.modules.catalog.contracts import GtinError, parse_gtin
from app.modules.marketplace.enums import RowErrorCode

Converter = Callable[[str], Any]

MAX_URL = 2000
MAX_IMAGES = 10
_LENGTHS_WITHOUT_ZEROS = {7: 8, 9: 10, 11: 12}  # of a GTIN-8, an ISBN-10 and a GTIN-12
MAX_PRICE_CENTS = 9_999_999_999
MAX_MULTIPACK = 100_000

# Only currencies with two decimals: a price is whole cents.
CURRENCIES = frozenset(
    (
        *("AED", "ALL", "AUD", "BAM", "BGN", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "GEL"),
        *("HKD", "HUF", "ILS", "INR", "MAD", "MDL", "MKD", "MXN", "NOK", "NZD", "PLN", "QAR", "RON", "RSD"),
        *("SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "ZAR"),
    )
)
_SYMBOLS = {"€": "EUR", "£": "GBP"}

_CLEAN_PRICE = re.compile(r"([0-9]{1,7})[.,]([0-9]{2})(?: ([A-Z]{3}))?")
_PRICE = re.compile(
    r"(?P<before>[A-Z]{3}|[€£])?\s*(?P<minus>[-−])?\s*"
    r"(?P<number>[0-9](?:[0-9.,'’\s]*[0-9])?)"
    r"\s*(?P<after>[A-Z]{3}|[€£])?",
    re.IGNORECASE | re.ASCII,
)
_NUMBER = re.compile(
    r"(?P<whole>[0-9]+|(?P<grouped>[0-9]{1,3}(?:(?P<group>[.,' ])[0-9]{3})(?:(?P=group)[0-9]{3})*))"
    r"(?:(?P<point>[.,])(?P<cents>[0-9]+))?"
)
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009]")
_URL = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)
_NEXT_URL = re.compile(r",\s*(?=https?://)", re.IGNORECASE)


_PIECES = re.compile(r"-?[0-9]{1,9}(?:[.,][0-9]{1,3})?")
_AVAILABILITY = ("in_stock", "out_of_stock", "preorder", "backorder")
_GENDERS = {"male": "male", "men": "male", "female": "female", "women": "female", "unisex": "unisex"}
_BOOLEANS = {
    "en": {"yes": True, "true": True, "no": False, "false": False},
    "fr": {"oui": True, "vrai": True, "non": False, "faux": False},
    "de": {"ja": True, "wahr": True, "nein": False, "falsch": False},
    "lb": {"jo": True, "wouer": True, "neen": False, "falsch": False},
}


class BadValueError(ValueError):
    """A cell that cannot be accepted: the code, and what its text needs beyond column and value."""

    def __init__(self, code: RowErrorCode, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def price_parser(default_currency: str) -> Converter:
    """A function from a price text to (cents, currency), with the currency to assume when there is none."""

    def parse_price(text: str) -> tuple[int, str]:
        amount, currency = read_price(text, default_currency)
        if currency not in CURRENCIES:
            raise BadValueError(RowErrorCode.CURRENCY_UNKNOWN, currency=currency)
        if amount == 0:
            raise BadValueError(RowErrorCode.PRICE_ZERO)
        if amount > MAX_PRICE_CENTS:
            raise BadValueError(RowErrorCode.PRICE_TOO_LARGE)
        return amount, currency

    return parse_price


def read_price(text: str, default_currency: str) -> tuple[int, str]:
    """Cents and currency as they are written, of an amount that may be too small or too large.

    Raises `BadValueError` for what is no amount, and for a negative one.
    """
    clean = _CLEAN_PRICE.fullmatch(text)
    if clean:
        whole, cents, currency = clean.groups(default_currency)
        return int(whole) * 100 + int(cents), currency
    match = _PRICE.fullmatch(_SPACES.sub(" ", text.replace("’", "'")))
    if not match or (match["before"] and match["after"]) or len(text) > 40:
        raise BadValueError(RowErrorCode.PRICE_MALFORMED)
    named = match["before"] or match["after"] or default_currency
    amount = _parse_amount(match["number"])
    if match["minus"]:
        raise BadValueError(RowErrorCode.PRICE_NEGATIVE)
    return amount, _SYMBOLS.get(named, named.upper())


def _parse_amount(number: str) -> int:
    """Cents of "1234.5", "1,234.50", "1.234,50", "1 234,50", "1'234.50"; "1,234" could mean two amounts."""
    match = _NUMBER.fullmatch(number)
    if not match or (match["point"] and match["point"] == match["group"]):
        raise BadValueError(RowErrorCode.PRICE_MALFORMED)
    whole, cents = match["whole"], match["cents"] or ""
    if not match["group"] and len(cents) == 3 and len(whole) <= 3 and not whole.startswith("0"):
        raise BadValueError(RowErrorCode.PRICE_AMBIGUOUS)
    if len(cents) > 2:
        raise BadValueError(RowErrorCode.PRICE_DECIMALS)
    if match["group"]:
        whole = whole.replace(match["group"], "")
    return int(whole) * 100 + int(cents.ljust(2, "0"))


def one_of(values: dict[str, Any], code: RowErrorCode, allowed: str) -> Converter:
    """A function from one of the words of ``values`` (lower case, spaces as underscores) to its value."""

    def parse_word(text: str) -> Any:
        word = text.lower().replace(" ", "_").replace("-", "_")
        try:
            return values[word]
        except KeyError:
            raise BadValueError(code, allowed=allowed) from None

    return parse_word


def parse_url(text: str) -> str:
    if _URL.fullmatch(text):
        return text
    raise BadValueError(RowErrorCode.URL_MALFORMED)


def parse_images(text: str) -> list[str]:
    """The addresses of a comma-joined list; commas inside an address are kept."""
    urls = [url.strip() for url in _NEXT_URL.split(text.strip(", ")) if url]
    if len(urls) > MAX_IMAGES:
        raise BadValueError(RowErrorCode.TOO_MANY_IMAGES, limit=MAX_IMAGES, found=len(urls))
    for url in urls:
        parse_url(url)
        if len(url) > MAX_URL:
            raise BadValueError(RowErrorCode.TEXT_TOO_LONG, limit=MAX_URL, found=len(url))
    return urls


def parse_multipack(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 6 and 1 < int(text) <= MAX_MULTIPACK:
        return int(text)
    raise BadValueError(RowErrorCode.MULTIPACK_MALFORMED, limit=MAX_MULTIPACK)


def parse_feed_gtin(text: str) -> str:
    try:
        return parse_gtin(text)
    except GtinError as error:
        if full := _with_zeros(text):
            raise BadValueError(RowErrorCode.GTIN_ZEROS_LOST, full=full) from None
        raise BadValueError(RowErrorCode(f"gtin_{error.fault}")) from None


def _with_zeros(text: str) -> str:
    """The GTIN that a number is without its leading zeros, which spreadsheets take away; "" if it is none."""
    length = _LENGTHS_WITHOUT_ZEROS.get(len(text))
    if length is None or not (text.isascii() and text.isdigit()):
        return ""
    try:
        parse_gtin(text.zfill(length))
    except GtinError:
        return ""
    return text.zfill(length)


def parse_date(text: str) -> date:
    """The day of an ISO 8601 date, with or without a time."""
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise BadValueError(RowErrorCode.DATE_MALFORMED) from None


def parse_sale_dates(text: str) -> tuple[datetime, datetime]:
    """Begin and end (UTC, the end not included) of "from/to"; a last day without a time counts in full."""
    first, _, last = text.partition("/")
    try:
        starts_at, ends_at = _utc(first.strip()), _utc(last.strip())
        if len(last.strip()) <= len("2026-12-31"):
            ends_at += timedelta(days=1)
    except (ValueError, OverflowError):
        raise BadValueError(RowErrorCode.SALE_DATES_MALFORMED) from None
    if ends_at <= starts_at:
        raise BadValueError(RowErrorCode.SALE_DATES_ORDER)
    return starts_at, ends_at


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def column_converters(language: str, default_currency: str) -> dict[str, Converter]:
    """What to do with the cells of each column that is more than a text. Repeated values are remembered."""
    price = lru_cache(maxsize=4096)(price_parser(default_currency))
    booleans = _BOOLEANS["en"] | _BOOLEANS.get(language, {})
    boolean = _words(booleans, RowErrorCode.BOOLEAN_MALFORMED, "yes, no")
    return {
        "link": parse_url,
        "image_link": parse_url,
        "additional_image_link": parse_images,
        "availability": _availability(),
        "availability_date": lru_cache(maxsize=1024)(parse_date),
        "price": price,
        "sale_price": price,
        "sale_price_effective_date": lru_cache(maxsize=1024)(parse_sale_dates),
        "gtin": parse_feed_gtin,
        "identifier_exists": boolean,
        "condition": _choice("new", "refurbished", "used"),
        "adult": boolean,
        "multipack": parse_multipack,
        "is_bundle": boolean,
        "age_group": _choice("newborn", "infant", "toddler", "kids", "adult"),
        "gender": _words(_GENDERS, RowErrorCode.VALUE_UNKNOWN, "male, female, unisex"),
    }


def _availability() -> Converter:
    """The feed's words; tables of shops and tills have the number of pieces instead."""
    words = {word: word for word in _AVAILABILITY} | {"pre_order": "preorder", "back_order": "backorder"}
    parse_word = _words(words, RowErrorCode.VALUE_UNKNOWN, ", ".join(_AVAILABILITY))

    def parse_availability(text: str) -> Any:
        if _PIECES.fullmatch(text):
            return "in_stock" if float(text.replace(",", ".")) > 0 else "out_of_stock"
        return parse_word(text)

    return parse_availability


def _choice(*words: str) -> Converter:
    return _words({word: word for word in words}, RowErrorCode.VALUE_UNKNOWN, ", ".join(words))


def _words(values: dict[str, Any], code: RowErrorCode, allowed: str) -> Converter:
    return lru_cache(maxsize=256)(one_of(values, code, allowed))
