"""Bulk data into the catalogue: a temporary table that the caller fills, and one merge in SQL.

The merge never reads a row into Python. A field is touched only when the feed has its column, and never when it was
edited by hand; ``version`` and ``updated_at`` move on real change only.
"""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.catalog.contracts import (
    INTAKE_COLUMNS,
    PRODUCT_FIELDS,
    TRANSLATION_FIELDS,
    Intake,
    IntakeOutcome,
    MergeResult,
)

_VENDOR = "nullif(current_setting('app.vendor_id', true), '')::uuid"

_RESULTS = "line integer, product_id uuid NOT NULL, outcome text"

# Punctuation would glue parts of a SKU or title into one word; people search with and without a GTIN's zeros.
SEARCH_VECTOR = """
    to_tsvector('simple', translate(
        unaccent(concat_ws(' ', {title}, {p}.sku, {p}.gtin, ltrim({p}.gtin, '0'), {p}.brand)), '-_./', '    '))
"""


def open_intake(session: Session, *, language: str) -> Intake:
    """Make the empty table ``catalog_intake`` with ``INTAKE_COLUMNS``; opening again replaces it.

    The session must be a vendor's. The tables of an intake are dropped when the transaction ends.
    """
    intake = Intake(language)
    columns = ", ".join(f"{name} {kind}" for name, kind in INTAKE_COLUMNS.items())
    connection = session.connection()
    for statement in (
        f"DROP TABLE IF EXISTS pg_temp.{intake.table}, pg_temp.{intake.results}",
        f"CREATE TEMPORARY TABLE {intake.table} ({columns}) ON COMMIT DROP",
        f"CREATE TEMPORARY TABLE {intake.results} ({_RESULTS}) ON COMMIT DROP",
    ):
        connection.exec_driver_sql(statement)
    return intake


def merge_intake(session: Session, intake: Intake, *, columns: Collection[str]) -> MergeResult:
    """Merge the rows of an intake into the vendor's products; the counts. Per-row results are in ``intake.results``.

    ``columns`` are the fields that the source has, of ``INTAKE_COLUMNS`` or names of attributes: only these are
    changed in a product that exists, and an empty cell clears the field. Fields edited by hand keep their values.
    """
    fields = [name for name in PRODUCT_FIELDS if name in columns]
    attributes = sorted(set(columns) - INTAKE_COLUMNS.keys())
    texts = [name for name in TRANSLATION_FIELDS if name in columns]
    values = {"language": intake.language, "now": clock.now(), "attributes": attributes}
    values["has_title"] = "title" in texts
    session.execute(text(_upsert_products(intake, fields)), values)
    session.execute(text(_REFRESH_SEARCH.format(results=intake.results)), values)
    session.execute(text(_upsert_texts(intake, texts)), values)
    counts = session.execute(text(f"SELECT outcome, count(*) FROM {intake.results} GROUP BY outcome"))
    return MergeResult(**{str(outcome): int(count) for outcome, count in counts})


def _upsert_products(intake: Intake, fields: list[str]) -> str:
    merged = {name: _follow("p", name) for name in fields}
    merged["attributes"] = (
        "CASE WHEN 'attributes' = ANY(p.edited_fields) THEN p.attributes "
        "ELSE (p.attributes - cast(:attributes AS text[])) || excluded.attributes END"
    )
    copied = ", ".join((*PRODUCT_FIELDS, "attributes"))
    sources = ", ".join(f"i.{name}" for name in (*PRODUCT_FIELDS, "attributes"))
    return f"""
        WITH written AS (
            INSERT INTO products AS p (id, vendor_id, sku, {copied}, is_active, edited_fields,
                                       created_at, updated_at, version)
            SELECT i.id, {_VENDOR}, i.sku, {sources}, true, '{{}}', :now, :now, 1
            FROM pg_temp.{intake.table} i ORDER BY i.sku
            ON CONFLICT (vendor_id, sku) DO UPDATE
            SET {_assignments(merged)}, updated_at = :now, version = p.version + 1
            WHERE {_differs("p", merged)}
            RETURNING p.id, p.sku, xmax = 0 AS is_new
        )
        INSERT INTO pg_temp.{intake.results} (line, product_id, outcome)
        SELECT i.line,
               coalesce(w.id, (SELECT p.id FROM products p WHERE p.vendor_id = {_VENDOR} AND p.sku = i.sku)),
               CASE WHEN w.is_new THEN '{IntakeOutcome.CREATED}' WHEN w.id IS NOT NULL THEN '{IntakeOutcome.UPDATED}'
                    ELSE '{IntakeOutcome.UNCHANGED}' END
        FROM pg_temp.{intake.table} i LEFT JOIN written w ON w.sku = i.sku
    """


# The facts in the search vectors that the next statement does not write: of other languages, and of titles that stay.
_REFRESH_SEARCH = f"""
    UPDATE product_translations t SET search_vector = {SEARCH_VECTOR.format(title="t.title", p="p")}
    FROM pg_temp.{{results}} r JOIN products p ON p.vendor_id = {_VENDOR} AND p.id = r.product_id
    WHERE r.outcome = '{IntakeOutcome.UPDATED}' AND t.vendor_id = {_VENDOR} AND t.product_id = r.product_id
      AND (t.language <> :language OR NOT :has_title OR 'title' = ANY(t.edited_fields))
      AND t.search_vector <> {SEARCH_VECTOR.format(title="t.title", p="p")}
"""


def _upsert_texts(intake: Intake, fields: list[str]) -> str:
    merged = {name: _follow("t", name) for name in fields}
    if "title" in fields:
        merged["search_vector"] = (
            "CASE WHEN 'title' = ANY(t.edited_fields) THEN t.search_vector ELSE excluded.search_vector END"
        )
    on_conflict = "DO NOTHING"
    if merged:
        on_conflict = (
            f"DO UPDATE SET {_assignments(merged)}, updated_at = :now, version = t.version + 1 "
            f"WHERE {_differs('t', merged)}"
        )
    return f"""
        WITH written AS (
            INSERT INTO product_translations AS t (vendor_id, product_id, language, title, description, link,
                                                   edited_fields, search_vector, created_at, updated_at, version)
            SELECT {_VENDOR}, r.product_id, :language, i.title, i.description, i.link, '{{}}',
                   {SEARCH_VECTOR.format(title="i.title", p="p")}, :now, :now, 1
            FROM pg_temp.{intake.table} i JOIN pg_temp.{intake.results} r ON r.line = i.line
            JOIN products p ON p.vendor_id = {_VENDOR} AND p.id = r.product_id
            ON CONFLICT (vendor_id, product_id, language) {on_conflict}
            RETURNING t.product_id
        )
        UPDATE pg_temp.{intake.results} r SET outcome = '{IntakeOutcome.UPDATED}'
        FROM written w WHERE r.product_id = w.product_id AND r.outcome = '{IntakeOutcome.UNCHANGED}'
    """


def _follow(table: str, field: str) -> str:
    return f"CASE WHEN '{field}' = ANY({table}.edited_fields) THEN {table}.{field} ELSE excluded.{field} END"


def _assignments(merged: dict[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in merged.items())


def _differs(table: str, merged: dict[str, str]) -> str:
    """Whether any field would get another value; one by one, so that the first difference decides."""
    return (
        "(" + " OR ".join(f"{table}.{name} IS DISTINCT FROM {value}" for name, value in merged.items()) + ")"
    )
