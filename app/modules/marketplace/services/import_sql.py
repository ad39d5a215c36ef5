"""The set-based SQL of an import: which rows changed, keeping what they were, writing them, what the feed lost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.database import bulk_load, copy_text, temporary_table
from app.modules.catalog.contracts import Intake

VENDOR = "nullif(current_setting('app.vendor_id', true), '')::uuid"
STAGED = ("raw", "row_hash", "title", "price_cents", "currency", "gtin", "availability", "given", "line")
MORE_COLUMNS = {"raw": "jsonb", "row_hash": "bytea", "given": "bigint"}
_KEYS = {"line": "integer", "external_id": "text", "row_hash": "bytea"}
_SEPARATOR = "\x1f"
_PORTION = 100_000
_LOST_PORTION = 10_000  # what they were is kept, which is more work

# LIMIT keeps the planner to one probe of the key per row, however little it knows about a temporary table.
_KNOWN = f"""
    LEFT JOIN LATERAL (
        SELECT m.external_id, m.row_hash, m.missing_since FROM marketplace_products m
        WHERE m.vendor_id = {VENDOR} AND m.feed_id = :feed_id AND m.external_id = k.external_id LIMIT 1
    ) known ON true
"""
_CHANGED = "known.row_hash IS DISTINCT FROM k.row_hash OR known.missing_since IS NOT NULL"
_FATES = text(
    f"""
    WITH first AS (
        INSERT INTO feed_import_seen (vendor_id, import_id, external_id, line)
        SELECT DISTINCT ON (external_id) {VENDOR}, :import_id, external_id, line
        FROM pg_temp.feed_keys ORDER BY external_id, line
        ON CONFLICT (vendor_id, import_id, external_id) DO UPDATE SET line = excluded.line
            WHERE feed_import_seen.line < 0
        RETURNING line
    )
    SELECT k.line, first.line IS NULL AS is_duplicate
    FROM pg_temp.feed_keys k LEFT JOIN first ON first.line = k.line {_KNOWN}
    WHERE first.line IS NULL OR {_CHANGED}
    """
)
_FATES_AGAIN = text(
    f"""
    SELECT k.line, false AS is_duplicate
    FROM pg_temp.feed_keys k
    JOIN LATERAL (
        SELECT s.line FROM feed_import_seen s
        WHERE s.vendor_id = {VENDOR} AND s.import_id = :import_id AND s.external_id = k.external_id LIMIT 1
    ) seen ON seen.line = k.line {_KNOWN}
    WHERE {_CHANGED}
    """
)
_TAKEN = text(
    f"""
    SELECT external_id FROM marketplace_products
    WHERE vendor_id = {VENDOR} AND feed_id = :feed_id AND external_id = ANY(string_to_array(:ids, :separator))
    """
)
_UNSEE = text(
    f"DELETE FROM feed_import_seen WHERE vendor_id = {VENDOR} AND import_id = :import_id AND external_id = ANY(:ids)"
)
_SPOIL = text(
    f"""
    UPDATE feed_import_seen SET line = -abs(line)
    WHERE vendor_id = {VENDOR} AND import_id = :import_id AND external_id = ANY(:ids)
    """
)
_CLAIM = text(
    f"""
    UPDATE feed_import_seen SET line = :line
    WHERE vendor_id = {VENDOR} AND import_id = :import_id AND external_id = :id
    """
)
# Other feeds that come first for a field, or that alone have a value for it, keep it.
_KEEP_OTHERS = """
    UPDATE pg_temp.{intake} i SET kept_fields = coalesce(i.kept_fields, 0) | others.bits
    FROM (
        SELECT i.line, bit_or(m.given & (o.ahead | (o.shared & ~i.given))) AS bits
        FROM pg_temp.{intake} i
        CROSS JOIN unnest(cast(:feeds AS uuid[]), cast(:ahead AS bigint[]), cast(:shared AS bigint[]))
            AS o(feed_id, ahead, shared)
        JOIN LATERAL (
            SELECT m.given FROM marketplace_products m
            WHERE m.vendor_id = {vendor} AND m.feed_id = o.feed_id AND m.external_id = i.sku
              AND m.missing_since IS NULL
            LIMIT 1
        ) m ON true
        GROUP BY i.line
    ) others
    WHERE others.line = i.line AND others.bits <> 0
"""
_STAGED_OBJECT = "jsonb_build_object({})".format(
    ", ".join(
        f"'{name}', m.{name}"
        for name in ("raw", "row_hash", *STAGED[2:], "import_id", "missing_since", "updated_at")
    )
)
_KEEP_BEFORE = """
    INSERT INTO feed_changes (vendor_id, import_id, external_id, product_id, product_before, text_before, staged_before)
    SELECT {vendor}, :import_id, i.sku, coalesce(r.product_id, i.id),
           CASE WHEN r.line IS NOT NULL THEN coalesce(b.product, '{{}}') END,
           CASE WHEN r.has_text THEN coalesce(b.text, '{{}}') END, m.before
    FROM pg_temp.{intake} i LEFT JOIN pg_temp.{results} r ON r.line = i.line
    LEFT JOIN pg_temp.{before} b ON b.product_id = r.product_id
    LEFT JOIN LATERAL (
        SELECT {staged} AS before FROM marketplace_products m
        WHERE m.vendor_id = {vendor} AND m.feed_id = :feed_id AND m.external_id = i.sku LIMIT 1
    ) m ON true
    WHERE b.product_id IS NOT NULL OR m.before IS NOT NULL OR NOT r.has_text
    ON CONFLICT DO NOTHING
"""
_STAGE = """
    INSERT INTO marketplace_products (id, vendor_id, feed_id, marketplace, language, external_id, {columns},
                                      first_import_id, made_product, import_id, created_at, updated_at)
    SELECT i.id, (SELECT {vendor}), :feed_id, :marketplace, :language, i.sku, {values},
           :import_id, r.line IS NULL, :import_id, :now, :now
    FROM pg_temp.{intake} i LEFT JOIN pg_temp.{results} r ON r.line = i.line
"""
_OR_CHANGE = """
    ON CONFLICT (vendor_id, feed_id, external_id) DO UPDATE SET
        {assignments}, import_id = excluded.import_id, missing_since = NULL, updated_at = excluded.updated_at
"""
# In portions, so that no statement grows with the file.
_FORGET_SEEN = text(
    f"""
    WITH gone AS (
        DELETE FROM feed_import_seen WHERE vendor_id = {VENDOR} AND (import_id, external_id) IN (
            SELECT import_id, external_id FROM feed_import_seen WHERE vendor_id = {VENDOR} LIMIT {_PORTION})
        RETURNING 1
    )
    SELECT count(*) FROM gone
    """
)
_TAKE_LOST = text(
    f"""
    WITH lost AS (
        SELECT m.id, m.external_id, {_STAGED_OBJECT} AS before FROM marketplace_products m
        LEFT JOIN LATERAL (
            SELECT s.line FROM feed_import_seen s
            WHERE s.vendor_id = {VENDOR} AND s.import_id = :import_id AND s.external_id = m.external_id LIMIT 1
        ) seen ON true
        WHERE m.vendor_id = {VENDOR} AND m.feed_id = :feed_id AND m.missing_since IS NULL AND seen.line IS NULL
        LIMIT {_LOST_PORTION}
    ),
    kept AS (
        INSERT INTO feed_changes (vendor_id, import_id, external_id, staged_before)
        SELECT {VENDOR}, :import_id, external_id, before FROM lost
        ON CONFLICT DO NOTHING
    ),
    marked AS (
        UPDATE marketplace_products m SET missing_since = :now, import_id = :import_id, updated_at = :now
        FROM lost WHERE m.vendor_id = {VENDOR} AND m.id = lost.id
    )
    SELECT external_id FROM lost
    """
)
_KEEP_AVAILABILITY = text(
    f"""
    UPDATE feed_changes c SET product_id = s.product_id, text_before = '{{}}',
        product_before = jsonb_build_object('availability', s.availability)
    FROM pg_temp.feed_sold_out s
    WHERE c.vendor_id = {VENDOR} AND c.import_id = :import_id AND c.external_id = s.external_id
    """
)
_OTHERS_HAVE = text(
    f"""
    SELECT DISTINCT external_id FROM marketplace_products
    WHERE vendor_id = {VENDOR} AND feed_id <> :feed_id AND external_id = ANY(:ids) AND missing_since IS NULL
    """
)


@dataclass(frozen=True, slots=True)
class OtherFeeds:
    """The vendor's other feeds: the bits of the fields that each is asked for before ours, and of those it shares with
    ours at all."""

    feeds: list[UUID]
    ahead: list[int]
    shared: list[int]


@dataclass(frozen=True, slots=True)
class Fate:
    """What is to be done with a row: it is the second of its id, or it is new or changed."""

    line: int
    is_duplicate: bool


class ImportSql:
    """The statements of one import, with its values."""

    def __init__(self, session: Session, values: dict[str, Any]) -> None:
        self._session = session
        self._values = values

    def fates(self, keys: bytes, *, is_first_look: bool) -> list[Fate]:
        """The rows (lines for COPY of line, id and hash) that are not as they were, by line. The first look notes which
        row of an id counts.
        """
        temporary_table(self._session, "feed_keys", _KEYS)
        copy_text(self._session, "feed_keys", _KEYS, keys)
        rows = self._session.execute(_FATES if is_first_look else _FATES_AGAIN, self._values)
        return sorted((Fate(*row) for row in rows), key=lambda one: one.line)

    def taken(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids (of printable letters) that the feed has a row of."""
        values = self._values | {"ids": _SEPARATOR.join(ids), "separator": _SEPARATOR}
        return set(self._session.execute(_TAKEN, values).scalars())

    def unsee(self, ids: Sequence[str]) -> None:
        """Rows that a rule leaves out count as not there."""
        if ids:
            self._session.execute(_UNSEE, self._values | {"ids": list(ids)})

    def decide(self, lines: Mapping[str, int]) -> None:
        """Set which row of an id counts; below zero: none yet."""
        bad = [key for key, line in lines.items() if line < 0]
        if bad:
            self._session.execute(_SPOIL, self._values | {"ids": bad})
        for key, line in lines.items():
            if line > 0:
                self._session.execute(_CLAIM, self._values | {"id": key, "line": line})

    def keep_others(self, intake: Intake, others: OtherFeeds) -> None:
        """Let the rows of an intake leave alone what other feeds say."""
        values = {"feeds": others.feeds, "ahead": others.ahead, "shared": others.shared}
        self._session.execute(text(_KEEP_OTHERS.format(intake=intake.table, vendor=VENDOR)), values)

    def keep_before(self, intake: Intake) -> None:
        """Note what the merged rows were before: for undoing the import."""
        names = {"intake": intake.table, "results": intake.results, "before": intake.before}
        self._session.execute(
            text(_KEEP_BEFORE.format(**names, staged=_STAGED_OBJECT, vendor=VENDOR)), self._values
        )

    def stage(self, intake: Intake, *, are_new: bool) -> None:
        """Write the merged rows as the feed's; ``are_new``: the feed has none of them."""
        statement = (_STAGE if are_new else _STAGE + _OR_CHANGE).format(
            intake=intake.table,
            results=intake.results,
            vendor=VENDOR,
            columns=", ".join(STAGED),
            values=", ".join(f"i.{name}" for name in STAGED),
            assignments=", ".join(f"{name} = excluded.{name}" for name in STAGED),
        )
        self._session.execute(text(statement), self._values)

    def take_lost(self) -> tuple[int, list[str]]:
        """Mark a portion of the rows that the feed lost; how many, and the ids that no other feed has."""
        ids = list(self._session.execute(_TAKE_LOST, self._values).scalars())
        others = (
            set(self._session.execute(_OTHERS_HAVE, self._values | {"ids": ids}).scalars()) if ids else set()
        )
        return len(ids), [one for one in ids if one not in others]

    def keep_availability(self, before: Sequence[tuple[str, UUID, str | None]]) -> None:
        """Note what the availability of products was, by the feed's id."""
        columns = {"external_id": "text", "product_id": "uuid", "availability": "text"}
        bulk_load(self._session, "feed_sold_out", columns, before)
        self._session.execute(_KEEP_AVAILABILITY, self._values)

    def was_seen(self) -> bool:
        """Whether ids of this import are noted."""
        rows = f"SELECT FROM feed_import_seen WHERE vendor_id = {VENDOR} AND import_id = :import_id"
        statement = f"SELECT EXISTS ({rows})"
        return bool(self._session.execute(text(statement), self._values).scalar_one())

    def forget_seen(self) -> None:
        """One import of a vendor runs at a time: all ids there are, are of this run or of one that was stopped."""
        while self._session.execute(_FORGET_SEEN).scalar_one():
            pass
