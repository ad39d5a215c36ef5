"""The catalogue for programs: PostgreSQL writes the JSON of the API's hot reads.

Search, filters and order are those of the list people see (``routes/vendor.py``); a test compares the two.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from app.modules.api.pages import place_of, refused_cursor
from app.modules.api.reads import QuickRead, public_id_sql
from app.modules.catalog.exceptions import ProductNotFoundError
from app.modules.catalog.schemas.products import ProductQuery
from app.modules.catalog.services.product_service import MAX_COUNTED, search_pattern

PREFIX = "prd"
_TIME = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
_MAX_FOUND = 10_000

# What people sort by, with its SQL type; a brand may be missing and then stands last, whichever way.
_SORTS = {"sku": "text", "brand": "text", "price_cents": "bigint", "updated_at": "timestamptz"}
_CHECKS: dict[str, Callable[[Any], Any]] = {
    "text": lambda value: value.encode("utf-8"),
    "bigint": lambda value: value.to_bytes(8, "big", signed=True),
    "timestamptz": datetime.fromisoformat,
}


def _time(column: str) -> str:
    return f"to_char({column} AT TIME ZONE 'UTC', {_TIME})"


def _money(amount: str) -> str:
    return f"json_build_object('amount_cents', {amount}, 'currency', p.currency)"


_TITLE = """coalesce((SELECT t.title FROM product_translations t
    WHERE t.vendor_id = p.vendor_id AND t.product_id = p.id
    ORDER BY t.language <> $1, t.language LIMIT 1), p.sku)"""
_GTIN = """CASE WHEN p.gtin LIKE '000000%' THEN right(p.gtin, 8) WHEN p.gtin LIKE '00%' THEN right(p.gtin, 12)
    WHEN p.gtin LIKE '0%' THEN right(p.gtin, 13) ELSE p.gtin END"""
_ITEM = f"""'sku', p.sku, 'title', {_TITLE}, 'gtin', {_GTIN}, 'brand', p.brand, 'availability', p.availability,
    'price', {_money("p.price_cents")},
    'sale_price', CASE WHEN p.sale_price_cents IS NOT NULL THEN {_money("p.sale_price_cents")} END,
    'is_active', p.is_active, 'updated_at', {_time("p.updated_at")}, 'version', p.version"""


def _object(fields: str) -> str:
    return f"""'{{"id":"' || {public_id_sql(PREFIX, "p.id")} || '",' || substr(json_build_object({fields})::text, 2)"""


_PLAIN = (
    *("mpn", "condition", "availability_date", "image_link", "additional_image_links", "item_group_id"),
    *("product_type", "google_category", "color", "size", "gender", "age_group", "material", "pattern"),
    *("attributes", "edited_fields", "tax_class", "kind"),
)
_TIMES = ("sale_starts_at", "sale_ends_at", "archived_at", "created_at")
_TEXTS = """coalesce((SELECT json_agg(json_build_object('language', t.language, 'title', t.title, 'description',
    t.description, 'link', t.link, 'edited_fields', t.edited_fields) ORDER BY t.language)
    FROM product_translations t WHERE t.vendor_id = p.vendor_id AND t.product_id = p.id), '[]')"""
_REST = ", ".join(
    [
        *(f"'{name}', p.{name}" for name in _PLAIN),
        *(f"'{name}', {_time(f'p.{name}')}" for name in _TIMES),
        f"'texts', {_TEXTS}",
    ]
)


def read_product(language: str, product_id: UUID) -> QuickRead:
    """All of a product."""
    return QuickRead(_detail_sql(), (language, str(product_id)), ProductNotFoundError)


@lru_cache(maxsize=1)
def _detail_sql() -> str:
    head = f"left({_object(_ITEM)}, -1)"
    rest = f"substr(json_build_object({_REST})::text, 2)"
    # Two objects made one: a function of PostgreSQL takes at most a hundred arguments.
    return f"SELECT {head} || ', ' || {rest}, p.version FROM products p WHERE p.id = $2::uuid"


def read_products(language: str, query: ProductQuery) -> QuickRead:
    """One page of the products."""
    sort, is_descending = query.sort.removeprefix("-"), query.sort.startswith("-")
    values: list[str | None] = [language, str(query.limit)]

    def add(value: str) -> str:
        values.append(value)
        return f"${len(values)}"

    conditions = ["p.archived_at IS NULL"]
    if query.availability:
        conditions.append(f"p.availability = ANY({add(_array(query.availability))}::text[])")
    if query.active:
        chosen = _array(["true" if one == "yes" else "false" for one in query.active])
        conditions.append(f"p.is_active = ANY({add(chosen)}::boolean[])")
    if query.brand and _plain(query.brand):
        conditions.append(f"p.brand = {add(_plain(query.brand))}")
    if query.missing:
        conditions.append("(" + " OR ".join(f"p.{name} IS NULL" for name in sorted(set(query.missing))) + ")")
    if query.q and _plain(query.q):
        pattern = add(search_pattern(query.q))
        conditions.append(
            "p.id = ANY(ARRAY(SELECT id FROM search_product_translations("
            f"to_tsquery('simple', unaccent({pattern})), {_MAX_FOUND})))"
        )
    matching = " AND ".join(conditions)
    place = place_of(query.cursor)
    is_back = place is not None and place.is_before
    if place is not None:
        _check_place(place.value, place.key, sort)
        edge = None if place.value is None else add(str(place.value))
        conditions.append(_beyond(sort, edge, add(place.key), is_descending != is_back, is_back))
    statement = _list_sql(
        " AND ".join(conditions), matching if query.counts else None, sort, is_descending, is_back
    )
    return QuickRead(statement, values)


def _plain(text: str) -> str:
    """What PostgreSQL can take of a text somebody typed."""
    return text.replace("\x00", "").strip()


def _array(values: Any) -> str:
    return "{" + ",".join(str(value) for value in values) + "}"


def _check_place(value: Any, key: str, sort: str) -> None:
    if value is None and sort == "brand":
        return
    try:
        UUID(key)
        _CHECKS[_SORTS[sort]](value)
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise refused_cursor() from None
    if isinstance(value, str) and "\x00" in value:
        raise refused_cursor()


def _beyond(sort: str, edge: str | None, key: str, is_down: bool, is_back: bool) -> str:
    """The condition of rows behind an edge in the direction of reading."""
    column, sign = f"p.{sort}", "<" if is_down else ">"
    beyond_key = f"p.id {sign} {key}::uuid"
    if sort == "sku":  # unique: the id never decides
        return f"{column} {sign} {edge} AND {key}::uuid IS NOT NULL"
    if edge is None:
        at_edge = f"({column} IS NULL AND {beyond_key})"
        return f"({at_edge} OR {column} IS NOT NULL)" if is_back else at_edge
    edge = f"{edge}::{_SORTS[sort]}"
    if sort != "brand":
        return f"({column}, p.id) {sign} ({edge}, {key}::uuid)"
    found = f"{column} {sign} {edge} OR ({column} = {edge} AND {beyond_key})"
    return f"({found})" if is_back else f"({found} OR {column} IS NULL)"


@lru_cache(maxsize=500)
def _list_sql(condition: str, matching: str | None, sort: str, is_descending: bool, is_back: bool) -> str:
    direction = "DESC" if is_descending != is_back else "ASC"
    nulls = "" if sort != "brand" else " NULLS FIRST" if is_back else " NULLS LAST"
    order = f"p.{sort} {direction}{nulls}" + ("" if sort == "sku" else f", p.id {direction}")
    shown = "DESC" if is_back else "ASC"
    first, last = ("least(p.found, $2::bigint)", "1")[:: 1 if is_back else -1]
    edge = f"min(json_build_array(p.{sort}, p.id)::text)"
    total = "NULL"
    if matching:
        total = f"(SELECT count(*) FROM (SELECT FROM products p WHERE {matching} LIMIT {MAX_COUNTED + 1}) m)"
    return f"""
        SELECT string_agg({_object(_ITEM)}, ',' ORDER BY p.n {shown}), bool_or(p.found > $2::bigint),
               {edge} FILTER (WHERE p.n = {first}), {edge} FILTER (WHERE p.n = {last}), {total}
        FROM (SELECT p.*, row_number() OVER () AS n, count(*) OVER () AS found
              FROM (SELECT p.* FROM products p WHERE {condition} ORDER BY {order} LIMIT $2::bigint + 1) p) p
        WHERE p.n <= $2::bigint
    """
