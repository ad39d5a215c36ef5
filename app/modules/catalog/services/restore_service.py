"""Changes in bulk that are no intake: selling out what a feed has lost, and putting back what an import changed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import bulk_load
from app.modules.catalog.contracts import PRODUCT_FIELDS
from app.modules.catalog.services.intake_service import SEARCH_VECTOR

_VENDOR = "nullif(current_setting('app.vendor_id', true), '')::uuid"

_SELL_OUT = text(
    f"""
    WITH old AS (
        SELECT id, sku, availability FROM products
        WHERE vendor_id = {_VENDOR} AND sku = ANY(:skus) AND availability IS DISTINCT FROM 'out_of_stock'
          AND NOT 'availability' = ANY(edited_fields)
        FOR UPDATE
    )
    UPDATE products p SET availability = 'out_of_stock', updated_at = :now, version = p.version + 1
    FROM old WHERE p.vendor_id = {_VENDOR} AND p.id = old.id
    RETURNING p.sku, p.id, old.availability
    """
)


def sell_out(session: Session, skus: Sequence[str]) -> Sequence[tuple[str, UUID, str | None]]:
    """Make products out of stock, except where somebody set the availability by hand.

    Gives SKU, id and the availability before of those that changed.
    """
    rows = session.execute(_SELL_OUT, {"skus": list(skus), "now": clock.now()})
    return [(sku, key, before) for sku, key, before in rows]


_FIELDS = (*PRODUCT_FIELDS, "attributes")
# Values of the past come in one object; what was edited by hand since stays as it is.
_RESTORE_PRODUCTS = text(
    f"""
    UPDATE products p SET ({", ".join(_FIELDS)}) = (
            SELECT {", ".join(f"o.{name}" for name in _FIELDS)}
            FROM jsonb_populate_record(p, b.product - p.edited_fields) o
        ), updated_at = :now, version = p.version + 1
    FROM pg_temp.catalog_past b
    WHERE p.vendor_id = {_VENDOR} AND p.sku = b.sku AND b.product - p.edited_fields <> '{{}}'
    """
)
_RESTORE_TEXTS = text(
    f"""
    UPDATE product_translations t SET (title, description, link) = (
            SELECT o.title, o.description, o.link FROM jsonb_populate_record(t, b.text - t.edited_fields) o
        ), updated_at = :now, version = t.version + 1
    FROM pg_temp.catalog_past b JOIN products p ON p.vendor_id = {_VENDOR} AND p.sku = b.sku
    WHERE t.vendor_id = {_VENDOR} AND t.product_id = p.id AND t.language = :language
      AND b.text - t.edited_fields <> '{{}}'
    """
)
_REMOVE_TEXTS = text(
    f"""
    DELETE FROM product_translations t
    USING pg_temp.catalog_past b JOIN products p ON p.vendor_id = {_VENDOR} AND p.sku = b.sku
    WHERE t.vendor_id = {_VENDOR} AND t.product_id = p.id AND t.language = :language
      AND b.text IS NULL AND t.edited_fields = '{{}}'
    """
)
# One that somebody worked on, or that has texts of another feed, is not taken away.
_REMOVE_PRODUCTS = text(
    f"""
    WITH gone AS (
        DELETE FROM products p USING pg_temp.catalog_past b
        WHERE p.vendor_id = {_VENDOR} AND p.sku = b.sku AND b.product IS NULL AND p.edited_fields = '{{}}'
          AND NOT EXISTS (
              SELECT FROM product_translations t
              WHERE t.vendor_id = {_VENDOR} AND t.product_id = p.id
                AND (t.language <> :language OR t.edited_fields <> '{{}}'))
        RETURNING 1
    )
    SELECT count(*) FROM gone
    """
)
_REFRESH_SEARCH = text(
    f"""
    UPDATE product_translations t SET search_vector = {SEARCH_VECTOR.format(title="t.title", p="p")}
    FROM pg_temp.catalog_past b JOIN products p ON p.vendor_id = {_VENDOR} AND p.sku = b.sku
    WHERE t.vendor_id = {_VENDOR} AND t.product_id = p.id
      AND t.search_vector <> {SEARCH_VECTOR.format(title="t.title", p="p")}
    """
)
_PAST = {"sku": "text", "product": "jsonb", "text": "jsonb"}

Past = tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None]


def restore_products(session: Session, past: Iterable[Past], *, language: str) -> int:
    """Give products and their texts in a language the values of the past again; how many products were removed.

    Each is the product's SKU and its fields then (``Intake.before``): of the product, None when there was none; of the
    text, None when there was none. What was edited by hand since stays, and so does a product that was.
    """
    rows = ((key, _json(product), _json(written)) for key, product, written in past)
    bulk_load(session, "catalog_past", _PAST, rows)
    values = {"language": language, "now": clock.now()}
    for statement in (_RESTORE_PRODUCTS, _RESTORE_TEXTS, _REMOVE_TEXTS):
        session.execute(statement, values)
    removed = session.execute(_REMOVE_PRODUCTS, values).scalar_one()
    session.execute(_REFRESH_SEARCH, values)
    return int(removed)


def _json(fields: Mapping[str, Any] | None) -> str | None:
    return None if fields is None else orjson.dumps(fields).decode()
