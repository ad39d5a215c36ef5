"""What other modules may know of the catalogue: values, protocols and column contracts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?e\+?[0-9]+", re.IGNORECASE)
_DECIMAL = re.compile(r"[0-9]+[.,]0+")
_ISBN_10 = re.compile(r"[0-9]{9}[0-9Xx]")
_SEPARATORS = re.compile(r"[\s\-‐‑–]")
_LENGTHS = frozenset({8, 12, 13, 14})


class GtinFault(StrEnum):
    """Why a text is not a GTIN."""

    MALFORMED = "malformed"
    LENGTH = "length"
    CHECK_DIGIT = "check_digit"
    SCIENTIFIC = "scientific"
    DECIMAL = "decimal"


class GtinError(ValueError):
    """The text is not a GTIN; ``fault`` says why."""

    def __init__(self, text: str, fault: GtinFault) -> None:
        super().__init__(f"{text!r}: {fault}")
        self.fault = fault


def parse_gtin(text: str) -> str:
    """The 14 digits under which a GTIN is stored, from a GTIN-8, -12, -13 or -14, an ISBN-13 or an ISBN-10.

    Blanks and hyphens between the digits are ignored; an ISBN-10 becomes its 978 form. Raises `GtinError`;
    numbers that a spreadsheet has damaged ("6.29104E+12", "6291041500213.0") have their own faults, because
    the digits shown are then not the digits that were there.
    """
    digits = text if text.isdigit() else _SEPARATORS.sub("", text)
    if digits.isdigit() and digits.isascii():
        if len(digits) in _LENGTHS:
            return _checked(text, digits.zfill(14))
    elif _SCIENTIFIC.fullmatch(digits):
        raise GtinError(text, GtinFault.SCIENTIFIC)
    elif _DECIMAL.fullmatch(digits):
        raise GtinError(text, GtinFault.DECIMAL)
    if _ISBN_10.fullmatch(digits):
        return _isbn_13(text, digits)
    raise GtinError(text, GtinFault.LENGTH if digits.isdigit() and digits.isascii() else GtinFault.MALFORMED)


def gtin_check_digit(body: str) -> str:
    """The last digit of a GTIN whose other digits are ``body`` (weights 3, 1, 3… from the right)."""
    codes = body[::-1].encode("ascii")
    zero = ord("0")
    total = 3 * sum(code - zero for code in codes[::2]) + sum(code - zero for code in codes[1::2])
    return str(-total % 10)


def display_gtin(gtin: str) -> str:
    """A stored GTIN (14 digits) in its native length: 8, 12, 13 or 14 digits."""
    for zeros in (6, 2, 1):
        if gtin.startswith("0" * zeros):
            return gtin[zeros:]
    return gtin


def is_in_store_gtin(gtin: str) -> bool:
    """Whether a stored GTIN is from a range that every shop may use as it likes (02, 04, 2x; GTIN-8: 0, 2).

    Two shops can print the same such number on different goods: it never identifies a product by itself.
    """
    native = display_gtin(gtin)
    if len(native) == 8:
        return native[0] in "02"
    return gtin[1] == "2" or gtin[1:3] in {"02", "04"}


def _checked(text: str, gtin: str) -> str:
    # Import checks millions of these. Summing the character codes counts 48 too much for each of the
    # 7 x 3 + 7 weights: 1344 in all, so the last digit of a right sum is 4 instead of 0.
    codes = gtin.encode()
    if (3 * sum(codes[::2]) + sum(codes[1::2])) % 10 != 4:
        raise GtinError(text, GtinFault.CHECK_DIGIT)
    if gtin == "00000000000000":
        raise GtinError(text, GtinFault.MALFORMED)
    return gtin


def _isbn_13(text: str, isbn: str) -> str:
    values = [10 if char in "Xx" else int(char) for char in isbn]
    if sum(weight * value for weight, value in zip(range(10, 0, -1), values, strict=True)) % 11:
        raise GtinError(text, GtinFault.CHECK_DIGIT)
    body = "978" + isbn[:9]
    return ("0" + body) + gtin_check_digit(body)


TRANSLATION_FIELDS = ("title", "description", "link")

_PRODUCT_TYPES = {
    "gtin": "text",
    "mpn": "text",
    "brand": "text",
    "condition": "text",
    "availability": "text",
    "availability_date": "date",
    "price_cents": "bigint",
    "currency": "text",
    "sale_price_cents": "bigint",
    "sale_starts_at": "timestamptz",
    "sale_ends_at": "timestamptz",
    "image_link": "text",
    "additional_image_links": "text[]",
    "item_group_id": "text",
    "product_type": "text",
    "google_category": "text",
    "color": "text",
    "size": "text",
    "gender": "text",
    "age_group": "text",
    "material": "text",
    "pattern": "text",
}
PRODUCT_FIELDS = tuple(_PRODUCT_TYPES)

INTAKE_COLUMNS: Mapping[str, str] = {
    "line": "integer",
    "id": "uuid",
    "sku": "text",
    **dict.fromkeys(TRANSLATION_FIELDS, "text"),
    **_PRODUCT_TYPES,
    "attributes": "jsonb",
    "kept_fields": "bigint",
}
"""Columns of the temporary table ``catalog_intake`` and their SQL types.

``line`` is the caller's name for the row, ``id`` a new UUIDv7 that is used when the row makes a product. ``sku`` is
the key; each occurs once. ``gtin`` has 14 digits, amounts are cents, times UTC. ``attributes`` is an object of further
fields by name. ``title``, ``price_cents``, ``currency``, ``additional_image_links`` and ``attributes`` are never null.
``kept_fields`` has the bits (`KEPT_BITS`) of the fields that a product which exists keeps, whatever the row says; of
its attributes those stay that the row does not name. Null: none.
"""

KEPT_BITS: Mapping[str, int] = {
    name: 1 << place for place, name in enumerate((*TRANSLATION_FIELDS, *PRODUCT_FIELDS, "attributes"))
}
"""The bit of each field in ``kept_fields``."""


class IntakeOutcome(StrEnum):
    """What became of one row of an intake."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Intake:
    """An open intake: texts are in ``language``; ``table`` is to be filled, the others can be read after the merge.

    ``results`` has, of each row whose product was there before, line, product_id, outcome (updated or unchanged) and
    has_text (whether there was a text before); of every other row a product with its ``id`` was made. ``before``
    has, of each product that was changed, product_id and what its changed fields were: ``product`` and ``text``,
    objects that hold nothing where nothing changed.
    """

    language: str
    table: str = "catalog_intake"
    results: str = "catalog_intake_results"
    before: str = "catalog_intake_before"


@dataclass(frozen=True, slots=True)
class MergeResult:
    """How many rows of an intake made a product, changed one, or changed nothing.

    ``over_limit``: lines of rows that the vendor's plan has no room for, and of those whose product is over its limit.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    over_limit: tuple[int, ...] = ()


class ExportRow(NamedTuple):
    """A product with its texts in one language, in the units of ``INTAKE_COLUMNS``."""

    sku: str
    title: str
    description: str | None
    link: str | None
    gtin: str | None
    mpn: str | None
    brand: str | None
    condition: str | None
    availability: str | None
    availability_date: date | None
    price_cents: int
    currency: str
    sale_price_cents: int | None
    sale_starts_at: datetime | None
    sale_ends_at: datetime | None
    image_link: str | None
    additional_image_links: list[str]
    item_group_id: str | None
    product_type: str | None
    google_category: str | None
    color: str | None
    size: str | None
    gender: str | None
    age_group: str | None
    material: str | None
    pattern: str | None
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Export:
    """The products to export, by SKU in byte order. ``rows`` streams and must be used within the transaction.

    ``filled`` names the fields that at least one of the products has.
    """

    total: int
    filled: frozenset[str]
    rows: Iterator[ExportRow]


@dataclass(frozen=True, slots=True)
class ProductSummary:
    """A product as lists show it; the title is in the language asked for, or else in one there is."""

    id: UUID
    sku: str
    title: str
    brand: str | None
    gtin: str | None
    availability: str | None
    price_cents: int
    sale_price_cents: int | None
    currency: str
    is_active: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ProductText:
    """A product's texts in one language; ``edited_fields`` no longer follow the feed."""

    language: str
    title: str
    description: str | None
    link: str | None
    edited_fields: tuple[str, ...]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ProductDetail:
    """All of a product: ``facts`` in the units of ``INTAKE_COLUMNS``, texts by language."""

    summary: ProductSummary
    facts: ExportRow
    texts: tuple[ProductText, ...]
    edited_fields: tuple[str, ...]
    tax_class: str
    kind: str
    archived_at: datetime | None
    created_at: datetime


class ProductTax(NamedTuple):
    """How a product is taxed: standard, intermediate, reduced, super_reduced or zero; and what kind of thing it is:
    physical, digital, service or subscription."""

    tax_class: str
    kind: str


@dataclass(frozen=True, slots=True)
class ProductPage:
    """The first products of a search by SKU. ``total`` counts up to a limit and stands still there."""

    products: tuple[ProductSummary, ...]
    total: int


class OrderedProduct(NamedTuple):
    """A product as orders need it; the title is in the language asked for, or else in one there is."""

    id: UUID
    sku: str
    gtin: str | None
    title: str
    image_link: str | None
    price_cents: int
    is_archived: bool
    tax_class: str
    kind: str


class ProductCheck(StrEnum):
    """What a sales channel can ask of a product. Texts are those in one language, unless the name says which."""

    IDENTIFIER = "identifier"
    """A GTIN; or, where there is none, brand and part number."""
    IMAGE = "image"
    PRICE = "price"
    TITLE = "title"
    TITLE_LENGTH = "title_length"
    DESCRIPTION = "description"
    DESCRIPTION_LENGTH = "description_length"
    LINK = "link"
    AVAILABILITY = "availability"
    CATEGORY = "category"
    BRAND = "brand"
    TEXT_EN = "text_en"
    TEXT_FR = "text_fr"
    TEXT_DE = "text_de"
    MANUFACTURER = "manufacturer"
    MANUFACTURER_ADDRESS = "manufacturer_address"
    MANUFACTURER_EMAIL = "manufacturer_email"
    RESPONSIBLE = "responsible"
    """Name and addresses of a person in the Union, where the maker's address names no country of the Union."""
    SAFETY_WARNING = "safety_warning"


@dataclass(frozen=True, slots=True)
class Lacking:
    """The products on sale: how many in all, how many have all that is required, and how many fail each check."""

    total: int
    complete: int
    missing: Mapping[ProductCheck, int]
