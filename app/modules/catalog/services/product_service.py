"""Reading the catalogue: lists, search, one product."""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from app.modules.catalog.contracts import (
    ExportRow,
    ProductDetail,
    ProductPage,
    ProductSummary,
    ProductText,
)
from app.modules.catalog.enums import Availability
from app.modules.catalog.exceptions import ProductNotFoundError
from app.modules.catalog.models.product import Product, ProductTranslation

PAGE_ROWS = 50
MAX_COUNTED = 10_000
_MAX_FOUND = 10_000  # ids that one search may bring
_MAX_WORDS = 8
_WORD = re.compile(r"[^\W_]+")


def list_products(
    session: Session,
    *,
    language: str,
    query: str = "",
    availability: Availability | None = None,
    after: str | None = None,
    before: str | None = None,
) -> ProductPage:
    """One page of the vendor's products by SKU, ``after`` or ``before`` the SKU of another page's edge.

    ``query`` finds products whose titles, SKU, GTIN or brand have words that begin with each of its words, accents
    and case aside. Archived products are left out.
    """
    condition: ColumnElement[bool] = Product.archived_at.is_(None)
    if availability:
        condition &= Product.availability == availability
    if query.strip():
        condition &= Product.id.in_(_found(query))
    within = _from(condition, after, before)
    order = Product.sku.desc() if before else Product.sku
    rows = session.execute(_summaries(language).where(within).order_by(order).limit(PAGE_ROWS + 1)).all()
    products = [ProductSummary(*row) for row in rows[:PAGE_ROWS]]
    if before:
        products.reverse()
    has_more = len(rows) > PAGE_ROWS
    has_previous, has_next = (has_more, True) if before else (after is not None, has_more)
    total = count_products(session, condition)
    return ProductPage(
        products=tuple(products),
        total=min(total, MAX_COUNTED),
        is_capped=total > MAX_COUNTED,
        previous=products[0].sku if products and has_previous else None,
        next=products[-1].sku if products and has_next else None,
    )


def count_products(session: Session, condition: ColumnElement[bool] | None = None) -> int:
    """How many products there are, counted no further than one above ``MAX_COUNTED``."""
    if condition is None:
        condition = Product.archived_at.is_(None)
    rows = select(Product.id).where(condition).limit(MAX_COUNTED + 1).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def get_product(session: Session, product_id: UUID, *, language: str) -> ProductDetail:
    """One product with its texts in all languages. Raises ProductNotFoundError."""
    row = session.execute(_summaries(language).where(Product.id == product_id)).one_or_none()
    if row is None:
        raise ProductNotFoundError
    product = session.get_one(Product, product_id)
    texts = session.scalars(
        select(ProductTranslation)
        .where(ProductTranslation.product_id == product_id)
        .order_by(ProductTranslation.language)
    ).all()
    summary = ProductSummary(*row)
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
        archived_at=product.archived_at,
        created_at=product.created_at,
    )


def _summaries(language: str) -> Any:
    # One probe of the primary key per row on the page, not a join over the whole catalogue.
    title = (
        select(ProductTranslation.title)
        .where(ProductTranslation.vendor_id == Product.vendor_id, ProductTranslation.product_id == Product.id)
        .order_by(case((ProductTranslation.language == language, 0), else_=1), ProductTranslation.language)
        .limit(1)
        .correlate(Product)
        .scalar_subquery()
    )
    return select(
        Product.id,
        Product.sku,
        func.coalesce(title, Product.sku),
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
    words = _WORD.findall(query)[:_MAX_WORDS]
    pattern = func.unaccent(cast(" & ".join(f"{word}:*" for word in words), Text))
    found = func.search_product_translations(
        cast(func.to_tsquery("simple", pattern), TSQUERY), literal(_MAX_FOUND)
    ).table_valued("id")
    return select(found.c.id)


def _from(condition: ColumnElement[bool], after: str | None, before: str | None) -> ColumnElement[bool]:
    if before:
        return and_(condition, Product.sku < before)
    if after:
        return and_(condition, Product.sku > after)
    return condition
