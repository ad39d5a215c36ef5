"""How complete the catalogue is for a sales channel: what is missing, in how many products, and which they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from app.modules.catalog import facade as catalog
from app.modules.catalog.contracts import ProductCheck

_GOODS = (
    ProductCheck.IDENTIFIER,
    ProductCheck.TITLE,
    ProductCheck.PRICE,
    ProductCheck.IMAGE,
    ProductCheck.AVAILABILITY,
    ProductCheck.DESCRIPTION,
)
_SAFETY = (
    ProductCheck.MANUFACTURER,
    ProductCheck.MANUFACTURER_ADDRESS,
    ProductCheck.MANUFACTURER_EMAIL,
    ProductCheck.RESPONSIBLE,
)
_TEXTS = (ProductCheck.TEXT_EN, ProductCheck.TEXT_FR, ProductCheck.TEXT_DE)
_LENGTHS = (ProductCheck.TITLE_LENGTH, ProductCheck.DESCRIPTION_LENGTH)
PRODUCT_KEY = catalog.PRODUCT_KEY


@dataclass(frozen=True, slots=True)
class Profile:
    """What a channel asks for: without the required a product is refused, the recommended make it found."""

    required: tuple[ProductCheck, ...]
    recommended: tuple[ProductCheck, ...]


PROFILES: Mapping[str, Profile] = {
    "google": Profile(
        (*_GOODS, ProductCheck.LINK),
        (*_LENGTHS, ProductCheck.BRAND, ProductCheck.CATEGORY, *_SAFETY, ProductCheck.SAFETY_WARNING),
    ),
    "letzshop": Profile(
        (*_GOODS, ProductCheck.CATEGORY, *_SAFETY),
        (*_LENGTHS, ProductCheck.BRAND, ProductCheck.LINK, *_TEXTS, ProductCheck.SAFETY_WARNING),
    ),
}
"""Channel to profile. Texts: ``marketplace.channels.<channel>``, ``marketplace.checks.<check>``."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a channel asks for, and how many products lack it."""

    check: ProductCheck
    is_required: bool
    missing: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """The products on sale as a channel sees them. ``complete`` have all that is required."""

    channel: str
    language: str
    total: int
    complete: int
    items: tuple[Item, ...]

    @property
    def percent(self) -> int:
        """The share of complete products, rounded down: a hundred means all of them. None at all is complete."""
        return self.complete * 100 // self.total if self.total else 100


def completeness(session: Session, channel: str, *, language: str) -> Completeness:
    """Count, now, over the catalogue. ``channel``: of PROFILES; texts are those in ``language``."""
    profile = PROFILES[channel]
    checks = (*profile.required, *profile.recommended)
    found = catalog.count_lacking(session, checks, profile.required, language)
    items = tuple(Item(check, check in profile.required, found.missing[check]) for check in checks)
    return Completeness(channel, language, found.total, found.complete, items)


def select_products(language: str) -> Any:
    """The products that are counted, as rows of a list: its key is PRODUCT_KEY, its conditions are `lacking`."""
    return catalog.select_checked(language)


def lacking(checks: Sequence[str], language: str) -> ColumnElement[bool]:
    """Products of `select_products` that lack any of these (values of ProductCheck)."""
    return catalog.lacks([ProductCheck(check) for check in checks], language)
