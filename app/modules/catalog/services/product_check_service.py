"""Which products lack something that sales channels ask for: counted over the catalogue, and as conditions of lists."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select
from sqlalchemy.orm import Session, aliased

from app.core.i18n import LANGUAGES
from app.modules.catalog.contracts import Lacking, ProductCheck
from app.modules.catalog.models.gaps import PRODUCT_BITS, TEXT_BITS
from app.modules.catalog.models.product import Product, ProductTranslation
from app.modules.catalog.services.product_service import title_in

PRODUCT_KEY = Product.id

# Joined once each, so that a condition is the same in the count and in the list; what no condition reads, PostgreSQL
# leaves out.
_TEXTS = {name: aliased(ProductTranslation, name=f"text_{name}") for name in LANGUAGES}
# What an address in the Union ends with: the country in its own languages and in ours, or its code.
_COUNTRIES = (
    *("austria", "autriche", "österreich", "éisträich", "belgium", "belgique", "belgien", "belsch", "belgië"),
    *("bulgaria", "bulgarie", "bulgarien", "croatia", "croatie", "kroatien", "hrvatska", "cyprus", "chypre"),
    *("zypern", "czechia", "tchéquie", "tchèque", "tschechien", "česko", "denmark", "danemark", "dänemark"),
    *("danmark", "estonia", "estonie", "estland", "eesti", "finland", "finlande", "finnland", "suomi"),
    *("france", "frankreich", "frankräich", "germany", "allemagne", "deutschland", "däitschland", "greece"),
    *(
        "grèce",
        "griechenland",
        "hungary",
        "hongrie",
        "ungarn",
        "magyarország",
        "ireland",
        "irlande",
        "irland",
    ),
    *("italy", "italie", "italien", "italia", "latvia", "lettonie", "lettland", "latvija", "lithuania"),
    *("lituanie", "litauen", "lietuva", "luxembourg", "luxemburg", "lëtzebuerg", "malta", "malte"),
    *(
        "netherlands",
        "pays-bas",
        "niederlande",
        "nederland",
        "holland",
        "poland",
        "pologne",
        "polen",
        "polska",
    ),
    *("portugal", "romania", "roumanie", "rumänien", "românia", "slovakia", "slovaquie", "slowakei"),
    *("slovensko", "slovenia", "slovénie", "slowenien", "slovenija", "spain", "espagne", "spanien", "españa"),
    *("sweden", "suède", "schweden", "sverige"),
)
_CODES = (
    *(
        "at",
        "be",
        "bg",
        "hr",
        "cy",
        "cz",
        "dk",
        "ee",
        "fi",
        "fr",
        "de",
        "gr",
        "hu",
        "ie",
        "it",
        "lv",
        "lt",
        "lu",
    ),
    *("mt", "nl", "pl", "pt", "ro", "sk", "si", "es", "se"),
)
_POSTCODE = rf"(^|[ ,;\n])(L|D|F|B|A|I|E|P|{'|'.join(_CODES).upper()})-[0-9]{{4}}"
# A product without texts in the language lacks all of a text's parts.
_NO_TEXT = TEXT_BITS[ProductCheck.DESCRIPTION] | TEXT_BITS[ProductCheck.LINK]
_PRESENT = {ProductCheck.TEXT_EN: "en", ProductCheck.TEXT_FR: "fr", ProductCheck.TEXT_DE: "de"}


def select_checked(language: str) -> Any:
    """The products on sale as rows of a list; `lacks` can be used in its conditions."""
    return _joined(
        select(
            Product.id,
            Product.sku,
            title_in(language).label("title"),
            Product.brand,
            Product.gtin,
            Product.image_link,
            Product.price_cents,
            Product.currency,
            Product.updated_at,
        )
    )


def count_lacking(
    session: Session, checks: Collection[ProductCheck], required: Collection[ProductCheck], language: str
) -> Lacking:
    """Over the products on sale: how many there are, how many lack nothing of ``required``, and how many lack each of
    ``checks``. Texts are those in ``language``. One statement, live.
    """
    counts = [func.count().filter(lacks([check], language)) for check in checks]
    complete = func.count().filter(not_(lacks(required, language)))
    total, whole, *missing = session.execute(_joined(select(func.count(), complete, *counts))).one()
    return Lacking(total, whole, dict(zip(checks, missing, strict=True)))


def lacks(checks: Collection[ProductCheck], language: str) -> ColumnElement[bool]:
    """Whether a product of `select_checked` fails any of these checks; texts are those in ``language``."""
    texts = _TEXTS[language]
    conditions: list[ColumnElement[bool]] = [
        _TEXTS[name].product_id.is_(None) for check, name in _PRESENT.items() if check in checks
    ]
    if ProductCheck.TITLE in checks:
        conditions.append(texts.product_id.is_(None))
    if bits := sum(bit for check, bit in TEXT_BITS.items() if check in checks):
        conditions.append(func.coalesce(texts.gaps, _NO_TEXT).bitwise_and(bits) != 0)
    plain = {check: bit for check, bit in PRODUCT_BITS.items() if check != ProductCheck.RESPONSIBLE}
    if bits := sum(bit for check, bit in plain.items() if check in checks):
        conditions.append(Product.gaps.bitwise_and(bits) != 0)
    if ProductCheck.RESPONSIBLE in checks:  # the dearest one is the last
        is_unnamed = Product.gaps.bitwise_and(PRODUCT_BITS[ProductCheck.RESPONSIBLE]) != 0
        conditions.append(and_(is_unnamed, not_(_is_made_inside())))
    return or_(false(), *conditions)


def _joined(statement: Any) -> Any:
    statement = statement.select_from(Product)
    for language, text in _TEXTS.items():
        statement = statement.outerjoin(
            text,
            (text.vendor_id == Product.vendor_id)
            & (text.product_id == Product.id)
            & (text.language == language),
        )
    return statement.where(Product.is_active, Product.archived_at.is_(None))


def _is_made_inside() -> ColumnElement[bool]:
    """The maker's address ends with a country of the Union, or has a postcode of one."""
    address = Product.attributes["manufacturer_address"].as_string()
    words = func.translate(func.lower(func.rtrim(address, " .,;")), ",;\n", "   ")
    return or_(
        func.split_part(words, " ", -1).in_((*_COUNTRIES, *_CODES)),
        address.regexp_match(_POSTCODE),
        words.like("%czech republic"),
    )
