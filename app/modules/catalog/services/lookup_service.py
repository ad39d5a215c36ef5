"""Finding products by what an order says of them."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, any_, bindparam, cast, or_, select
from sqlalchemy.orm import Session

from app.modules.catalog.contracts import OrderedProduct
from app.modules.catalog.models.product import Product
from app.modules.catalog.services.product_service import title_in


def find_ordered(
    session: Session,
    *,
    language: str,
    ids: Collection[UUID] = (),
    skus: Collection[str] = (),
    gtins: Collection[str] = (),
) -> list[OrderedProduct]:
    """Products that have one of the ids, SKUs or GTINs (14 digits), archived ones too; the oldest first."""
    given = {name: list(values) for name, values in (("id", ids), ("sku", skus), ("gtin", gtins)) if values}
    if not given:
        return []
    return [OrderedProduct(*row) for row in session.execute(_statement(language, tuple(given)), given)]


@lru_cache(maxsize=64)
def _statement(language: str, names: tuple[str, ...]) -> Select[Any]:
    """Made once: placing an order should not spend its time on putting this together."""
    columns: tuple[Any, ...] = (Product.id, Product.sku, Product.gtin, title_in(language), Product.image_link)
    columns += (Product.price_cents, Product.archived_at.is_not(None), Product.tax_class, Product.kind)
    return (
        select(*columns)
        .where(or_(*(getattr(Product, name).in_(bindparam(name, expanding=True)) for name in names)))
        .order_by(Product.id)
    )


def skus_by_id(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    """The SKU of each of many products; those that are not there are left out."""
    wanted = cast(list(ids), ARRAY(Uuid))
    found = session.execute(select(Product.id, Product.sku).where(Product.id == any_(wanted)))
    return {key: sku for key, sku in found}  # noqa: C416 - dict() would take the result's columns for its keys
