"""Reading the catalogue: lists, search, one product."""

import re
from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    Text,
    any_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session, aliased

from app.modules.catalog.contracts import (
    ExportRow,
    ProductDetail,
    ProductPage,
    ProductSummary,
    ProductTax,
    ProductText,
)
from app.modules.catalog.exceptions import ProductNotFoundError
from app.modules.catalog.models.product import Product, ProductTranslation

MAX_COUNTED = 10_000
_MAX_FOUND = 10_000  # ids that one search may bring
_MAX_WORDS = 8
_WORD = re.compile(r"[^\W_]+")
_ZEROS = re.compile(r"0+[1-9][0-9]{3,12}")  # fewer digits would find whatever begins with them


LACKING = ("gtin", "image_link", "brand")


def select_products(language: str) -> Any:
    """All products but the archived ones, with the title in ``language`` where there is one."""
    return _summaries(language).where(Product.archived_at.is_(None))


def select_archived(language: str) -> Any:
    """The archived products only."""
    return _summaries(language).where(Product.archived_at.is_not(None))


def product_id_of(sku: SQLColumnExpression[str]) -> ScalarSelect[UUID]:
    """The id of the vendor's product with a SKU, archived or not, as part of another module's statement."""
    return select(Product.id).where(Product.sku == sku).scalar_subquery()


def is_product(sku: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Whether the vendor has a product with a SKU, archived or not, as a condition of another module's statement."""
    return exists().where(Product.sku == sku)


def sku_of(product_id: SQLColumnExpression[UUID]) -> ScalarSelect[str]:
    """The SKU of a product, as part of another module's statement."""
    one = aliased(Product)
    return select(one.sku).where(one.id == product_id).correlate_except(one).scalar_subquery()


def title_of(product_id: SQLColumnExpression[UUID], language: str) -> ScalarSelect[str]:
    """A product's title in ``language`` where there is one, as part of another module's statement."""
    one = aliased(ProductTranslation)
    return (
        select(one.title)
        .where(one.product_id == product_id)
        .order_by(case((one.language == language, 0), else_=1), one.language)
        .limit(1)
        .correlate_except(one)
        .scalar_subquery()
    )


def is_found(product_id: SQLColumnExpression[UUID], query: str) -> ColumnElement[bool]:
    """Whether a product is among those that ``query`` finds, as a condition of another module's statement."""
    return product_id == any_(func.array(_found(query).scalar_subquery()))


def skus_of(product_ids: Sequence[UUID]) -> Select[str]:
    """The SKUs of some of the vendor's products, as part of another module's statement."""
    return select(Product.sku).where(Product.id.in_(product_ids))


def find_product_id(session: Session, sku: str) -> UUID | None:
    """The id of the vendor's product with a SKU, archived or not."""
    return session.scalar(select(Product.id).where(Product.sku == sku))


def taxes_of(session: Session, product_ids: Collection[UUID]) -> dict[UUID, ProductTax]:
    """How each of some products is taxed, archived ones too; those that are not there are left out."""
    columns = (Product.id, Product.tax_class, Product.kind)
    rows = session.execute(select(*columns).where(Product.id.in_(product_ids)))
    return {key: ProductTax(tax_class, kind) for key, tax_class, kind in rows}


def matching(query: str) -> ColumnElement[bool]:
    """Products whose titles, SKU, GTIN or brand have words that begin with each word of ``query``, accents and case
    aside."""
    # As an array: the rows are then looked up by id, instead of reading the whole catalogue for a join.
    return Product.id == any_(func.array(_found(query).scalar_subquery()))


def search_pattern(query: str) -> str:
    """What somebody typed in the form of ``to_tsquery``, accents still on: every word, from its beginning.

    A long number that begins with zeros may be a GTIN, which is searched without them.
    """
    words = _WORD.findall(query)[:_MAX_WORDS]
    return " & ".join(
        f"({word}:* | {word.lstrip('0')}:*)" if _ZEROS.fullmatch(word) else f"{word}:*" for word in words
    )


def lacking(fields: Sequence[str]) -> ColumnElement[bool]:
    """Products without a value in any of these columns, out of LACKING."""
    return or_(*(getattr(Product, name).is_(None) for name in fields))


def list_products(session: Session, *, language: str, query: str = "", limit: int = 50) -> ProductPage:
    """The first ``limit`` products by SKU that ``query`` finds, and how many it finds in all (see count_products)."""
    found = matching(query) if query.strip() else Product.archived_at.is_(None)
    rows = session.execute(select_products(language).where(found).order_by(Product.sku).limit(limit)).all()
    total = count_products(session, Product.archived_at.is_(None) & found)
    return ProductPage(tuple(ProductSummary(*row) for row in rows), total)


def count_products(session: Session, condition: ColumnElement[bool] | None = None) -> int:
    """How many products there are, counted no further than one above ``MAX_COUNTED``."""
    if condition is None:
        condition = Product.archived_at.is_(None)
    rows = select(Product.id).where(condition).limit(MAX_COUNTED + 1).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def get_product(session: Session, product_id: UUID, *, language: str) -> ProductDetail:
    """One product with its texts in all languages. Raises ProductNotFoundError."""
    product = session.get(Product, product_id)
    if product is None:
        raise ProductNotFoundError
    texts = session.scalars(
        select(ProductTranslation)
        .where(ProductTranslation.product_id == product_id)
        .order_by(ProductTranslation.language)
    ).all()
    # The texts are by language already: the reader's own, else the first one.
    title = next(
        (text.title for text in sorted(texts, key=lambda text: text.language != language)), product.sku
    )
    values = {one.name: getattr(product, one.name) for one in fields(ProductSummary) if one.name != "title"}
    summary = ProductSummary(title=title, **values)
    facts: dict[str, Any] = {"title": summary.title, "description": None, "link": None}
    facts |= {name: getattr(product, name) for name in ExportRow._fields if name not in facts}
    return ProductDetail(
        summary=summary,
        facts=ExportRow(**facts),
        texts=tuple(
            ProductText(
                text.language,
                text.title,
                text.description,
                text.link,
                tuple(text.edited_fields),
                text.updated_at,
            )
            for text in texts
        ),
        edited_fields=tuple(product.edited_fields),
        tax_class=product.tax_class,
        kind=product.kind,
        archived_at=product.archived_at,
        created_at=product.created_at,
    )


def title_in(language: str) -> SQLColumnExpression[str]:
    """A product's title in ``language`` where there is one, else in another; its SKU where it has no texts."""
    # One probe of the primary key per row on the page, not a join over the whole catalogue.
    title = (
        select(ProductTranslation.title)
        .where(ProductTranslation.vendor_id == Product.vendor_id, ProductTranslation.product_id == Product.id)
        .order_by(case((ProductTranslation.language == language, 0), else_=1), ProductTranslation.language)
        .limit(1)
        .correlate(Product)
        .scalar_subquery()
    )
    return func.coalesce(title, Product.sku)


def _summaries(language: str) -> Any:
    return select(
        Product.id,
        Product.sku,
        title_in(language).label("title"),
        Product.brand,
        Product.gtin,
        Product.availability,
        Product.price_cents,
        Product.sale_price_cents,
        Product.currency,
        Product.is_active,
        Product.updated_at,
    )


def _found(query: str) -> Select[tuple[UUID]]:
    """Ids from the generated search function; a query without letters and digits finds nothing."""
    pattern = func.unaccent(cast(search_pattern(query), Text))
    found = func.search_product_translations(
        cast(func.to_tsquery("simple", pattern), TSQUERY), literal(_MAX_FOUND)
    ).table_valued("id")
    return select(found.c.id)
