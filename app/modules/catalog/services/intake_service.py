"""Bulk data into the catalogue: a temporary table that the caller fills, and one merge in SQL.

The merge never reads a row into Python. A field is touched only when the feed has its column and the row does not keep
it, and never when it was edited by hand; ``version`` and ``updated_at`` move on real change only.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import temporary_table
from app.modules.catalog.contracts import (
    INTAKE_COLUMNS,
    KEPT_BITS,
    PRODUCT_FIELDS,
    TRANSLATION_FIELDS,
    Intake,
    IntakeOutcome,
    MergeResult,
)
from app.modules.catalog.services.limit_service import refuse_over_limit

_VENDOR = "nullif(current_setting('app.vendor_id', true), '')::uuid"

_RESULTS = {"line": "integer", "product_id": "uuid", "outcome": "text", "has_text": "boolean"}
_BEFORE = {"product_id": "uuid", "product": "jsonb", "text": "jsonb"}
_UPDATED, _UNCHANGED = f"'{IntakeOutcome.UPDATED}'", f"'{IntakeOutcome.UNCHANGED}'"

# Punctuation would glue parts of a SKU or title into one word. A GTIN is found with and without its zeros, but they
# are taken from what is searched for (product_service.search_pattern): each word here costs time in the index.
SEARCH_VECTOR = """
    to_tsvector('simple', translate(
        unaccent(concat_ws(' ', {title}, {p}.sku, ltrim({p}.gtin, '0'), {p}.brand)), '-_./', '    '))
"""


def open_intake(session: Session, *, language: str, more_columns: Mapping[str, str] | None = None) -> Intake:
    """Make the empty table ``catalog_intake`` with ``INTAKE_COLUMNS``; opening again replaces it.

    ``more_columns`` (name to SQL type) are the caller's own. The session must be a vendor's. The tables of an intake
    are dropped when the transaction ends.
    """
    intake = Intake(language)
    temporary_table(session, intake.table, {**INTAKE_COLUMNS, **(more_columns or {})})
    temporary_table(session, intake.results, _RESULTS)
    temporary_table(session, intake.before, _BEFORE)
    return intake


def merge_intake(session: Session, intake: Intake, *, columns: Collection[str]) -> MergeResult:
    """Merge the rows of an intake into the vendor's products; the counts. ``intake`` names what can be read after.

    ``columns`` are the fields that the source has, of ``INTAKE_COLUMNS`` or names of attributes: only these are
    changed in a product that exists, and an empty cell clears the field. Fields edited by hand keep their values.
    Rows over the plan's limit of products are taken out of the intake; the result has their lines.
    """
    values = {
        "language": intake.language,
        "now": clock.now(),
        "attributes": sorted(set(columns) - INTAKE_COLUMNS.keys()),
    }
    # The plan of a foreign key's check is made once in a session: made while the shop was empty, it would read a whole
    # shop for each row from then on.
    session.execute(text("DISCARD PLANS"))
    session.execute(text(_match(intake)), values)
    # Without knowing how many rows are new, the planner compares each row with each.
    session.execute(text(f"ANALYZE pg_temp.{intake.results}"))
    total, known = _sizes(session, intake)
    over_limit = refuse_over_limit(session, intake, total - known)
    if over_limit:
        total, known = _sizes(session, intake)
    merge = _Merge(intake, columns, are_known=known > 0)
    if known < total:
        session.execute(text(merge.create_products()), values)
        session.execute(text(merge.create_texts(of_new=True)), values)
    counts = {IntakeOutcome.CREATED: total - known}
    if known:
        session.execute(text(f"CREATE INDEX ON pg_temp.{intake.results} (product_id)"))
        session.execute(text(merge.keep_before()), values)
        if session.scalar(text(f"SELECT EXISTS (SELECT FROM {intake.before})")):
            session.execute(text(f"ANALYZE pg_temp.{intake.before}"))
            session.execute(text(merge.update_products()), values)
            session.execute(text(merge.refresh_search()), values)
            session.execute(text(merge.update_texts()), values)
        session.execute(text(merge.create_texts(of_new=False)), values)
        found = session.execute(text(f"SELECT outcome, count(*) FROM {intake.results} GROUP BY 1"))
        counts |= {IntakeOutcome(outcome): count for outcome, count in found}
    return MergeResult(**{str(outcome): count for outcome, count in counts.items()}, over_limit=over_limit)


def _sizes(session: Session, intake: Intake) -> tuple[int, int]:
    """How many rows there are, and how many of a product that exists."""
    count = f"SELECT (SELECT count(*) FROM {intake.table}), (SELECT count(*) FROM {intake.results})"
    total, known = session.execute(text(count)).one()
    return total, known


def _match(intake: Intake) -> str:
    # LIMIT keeps the planner to one probe of the key per row, however little it knows about a temporary table.
    return f"""
        INSERT INTO pg_temp.{intake.results} (line, product_id, outcome, has_text)
        SELECT i.line, p.id, {_UNCHANGED}, EXISTS (
            SELECT FROM product_translations t
            WHERE t.vendor_id = {_VENDOR} AND t.product_id = p.id AND t.language = :language)
        FROM pg_temp.{intake.table} i
        CROSS JOIN LATERAL (SELECT id FROM products WHERE vendor_id = {_VENDOR} AND sku = i.sku LIMIT 1) p
    """


class _Merge:
    """The statements of one merge; the fields to change are decided once, here."""

    def __init__(self, intake: Intake, columns: Collection[str], *, are_known: bool) -> None:
        self._intake = intake
        self._texts = [name for name in TRANSLATION_FIELDS if name in columns]
        self._product = {name: _merged("p", name) for name in PRODUCT_FIELDS if name in columns}
        self._product["attributes"] = (
            "CASE WHEN 'attributes' = ANY(p.edited_fields) THEN p.attributes "
            f"WHEN {_keeps('attributes')} THEN p.attributes || i.attributes "
            "ELSE (p.attributes - cast(:attributes AS text[])) || i.attributes END"
        )
        self._text = {name: _merged("t", name) for name in self._texts}
        self._rows = f"pg_temp.{intake.table} i JOIN pg_temp.{intake.results} r ON r.line = i.line"
        self._new_rows = f"pg_temp.{intake.table} i"
        if are_known:
            known = f"SELECT FROM pg_temp.{intake.results} r WHERE r.line = i.line"
            self._new_rows += f" WHERE NOT EXISTS ({known})"

    def create_products(self) -> str:
        copied = (*PRODUCT_FIELDS, "attributes")
        return f"""
            INSERT INTO products (id, vendor_id, sku, {", ".join(copied)}, is_active, edited_fields,
                                  created_at, updated_at, version)
            SELECT i.id, (SELECT {_VENDOR}), i.sku, {", ".join(f"i.{name}" for name in copied)},
                   true, '{{}}', :now, :now, 1
            FROM {self._new_rows}
        """

    def create_texts(self, *, of_new: bool) -> str:
        """Texts of products that are new, or of those that had none in the language."""
        known = f"{self._rows} {_PRODUCT} WHERE NOT r.has_text"
        source, product = (self._new_rows, "i") if of_new else (known, "p")
        insert = f"""
            INSERT INTO product_translations (vendor_id, product_id, language, title, description, link,
                                              edited_fields, search_vector, created_at, updated_at, version)
            SELECT (SELECT {_VENDOR}), {product}.id, :language, i.title, i.description, i.link, '{{}}',
                   {SEARCH_VECTOR.format(title="i.title", p=product)}, :now, :now, 1
            FROM {source}
        """
        return insert if of_new else self._mark_updated(f"{insert} RETURNING product_id")

    def keep_before(self) -> str:
        """What is about to change, field by field."""
        product, written = _old("p", self._product), _old("t", self._text)
        return f"""
            INSERT INTO pg_temp.{self._intake.before} (product_id, product, text)
            SELECT * FROM (
                SELECT p.id, {product} AS product, CASE WHEN t.product_id IS NULL THEN '{{}}' ELSE {written} END AS text
                FROM {self._rows} {_PRODUCT} {_TEXT}
            ) old WHERE product <> '{{}}' OR text <> '{{}}'
        """

    def update_products(self) -> str:
        return self._mark_updated(
            f"""
            UPDATE products p SET {_assignments(self._product)}, updated_at = :now, version = p.version + 1
            FROM {self._rows} JOIN pg_temp.{self._intake.before} b ON b.product_id = r.product_id
            WHERE p.vendor_id = {_VENDOR} AND p.id = r.product_id AND b.product <> '{{}}'
            RETURNING p.id AS product_id
            """
        )

    def refresh_search(self) -> str:
        """The facts in search vectors that the next statement does not write."""
        vector = SEARCH_VECTOR.format(title="t.title", p="p")
        return f"""
            UPDATE product_translations t SET search_vector = {vector}
            FROM pg_temp.{self._intake.results} r JOIN products p ON p.vendor_id = {_VENDOR} AND p.id = r.product_id
            WHERE r.outcome = {_UPDATED} AND t.vendor_id = {_VENDOR} AND t.product_id = r.product_id
              AND t.search_vector <> {vector}
        """

    def update_texts(self) -> str:
        if not self._text:
            return "SELECT"
        changed = dict(self._text)
        if "title" in changed:
            vector = SEARCH_VECTOR.format(title=changed["title"], p="p")
            changed["search_vector"] = (
                f"CASE WHEN t.title IS DISTINCT FROM {changed['title']} THEN {vector} ELSE t.search_vector END"
            )
        return self._mark_updated(
            f"""
            UPDATE product_translations t SET {_assignments(changed)}, updated_at = :now, version = t.version + 1
            FROM {self._rows} JOIN pg_temp.{self._intake.before} b ON b.product_id = r.product_id {_PRODUCT}
            WHERE t.vendor_id = {_VENDOR} AND t.product_id = r.product_id AND t.language = :language
              AND b.text <> '{{}}'
            RETURNING t.product_id
            """
        )

    def _mark_updated(self, statement: str) -> str:
        return f"""
            WITH written AS ({statement})
            UPDATE pg_temp.{self._intake.results} r SET outcome = {_UPDATED}
            FROM written w WHERE r.product_id = w.product_id AND r.outcome = {_UNCHANGED}
        """


# One probe of the key per row: a join would be planned over the whole shop, which grows from part to part.
_PRODUCT = f"""
    CROSS JOIN LATERAL (SELECT * FROM products WHERE vendor_id = {_VENDOR} AND id = r.product_id LIMIT 1) p
"""
_TEXT = f"""
    LEFT JOIN LATERAL (
        SELECT * FROM product_translations
        WHERE vendor_id = {_VENDOR} AND product_id = r.product_id AND language = :language LIMIT 1
    ) t ON true
"""


def _keeps(field: str) -> str:
    return f"i.kept_fields & {KEPT_BITS[field]} <> 0"


def _merged(table: str, field: str) -> str:
    """The field's value after the merge."""
    keeps = f"'{field}' = ANY({table}.edited_fields) OR {_keeps(field)}"
    return f"CASE WHEN {keeps} THEN {table}.{field} ELSE i.{field} END"


def _old(table: str, merged: Mapping[str, str]) -> str:
    """An object of the values that the merge changes."""
    return (
        " || ".join(
            f"CASE WHEN {table}.{name} IS DISTINCT FROM {value} THEN jsonb_build_object('{name}', {table}.{name}) "
            "ELSE '{}' END"
            for name, value in merged.items()
        )
        or "'{}'::jsonb"
    )


def _assignments(merged: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in merged.items())
