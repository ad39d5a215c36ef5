"""What a trial would change, as examples: the first products, field by field, with the cells and rules they come from.

They are read from what the run has written, before it is undone, so they are what a real run of the file writes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.modules.catalog import facade as catalog
from app.modules.catalog.contracts import TRANSLATION_FIELDS, ExportRow
from app.modules.marketplace.services import explain_service, feed_service, import_service
from app.modules.marketplace.services.feed_columns import COLUMN_FIELDS
from app.modules.marketplace.services.import_sql import VENDOR

SHOWN = 20
MAX_BYTES = 32_000
_VALUE_CUT = 200
_NEW, _CHANGED, _MISSING = "new", "changed", "missing"

_FIRST_CHANGED = text(
    f"""
    SELECT m.external_id, m.line, m.title, m.raw, m.missing_since IS NOT NULL AS is_missing,
           c.product_id, c.product_before, c.text_before
    FROM feed_changes c JOIN marketplace_products m
        ON m.vendor_id = c.vendor_id AND m.feed_id = :feed_id AND m.external_id = c.external_id
    WHERE c.vendor_id = {VENDOR} AND c.import_id = :import_id AND c.product_before IS NOT NULL
      AND (c.product_before <> '{{}}' OR c.text_before IS DISTINCT FROM '{{}}')
    ORDER BY m.missing_since IS NOT NULL, m.line, m.external_id LIMIT {SHOWN}
    """
)
_FIRST_NEW = text(
    f"""
    SELECT external_id, line, title, raw FROM marketplace_products
    WHERE vendor_id = {VENDOR} AND feed_id = :feed_id AND import_id = :import_id AND first_import_id = :import_id
      AND made_product
    ORDER BY line LIMIT {SHOWN}
    """
)

Difference = dict[str, Any]


def first_differences(session: Session, import_id: UUID) -> list[Difference]:
    """The first 20 fields that this import has changed, in the order of its file, then products that it made.

    Each has ``kind`` (changed; new: then the field is the title; missing: the feed lost the product), sku, title, line,
    field, language (of texts, else null), before, after, currency, columns, cell and rules (names). Texts are cut; all
    together have at most MAX_BYTES bytes as JSON. To be asked for in the transaction of the run.
    """
    trial = _Trial(session, import_id)
    values = {"import_id": import_id, "feed_id": trial.feed.id}
    found: list[Difference] = []
    for changed in session.execute(_FIRST_CHANGED, values):
        if len(found) < SHOWN:
            found += trial.changes(changed)
    if len(found) < SHOWN:
        for new in session.execute(_FIRST_NEW, values):
            found.append(trial.told(new, "title", (None, new.title), is_text=True) | {"kind": _NEW})
    return _bounded(found[:SHOWN])


class _Trial:
    """Tells the differences of one import."""

    def __init__(self, session: Session, import_id: UUID) -> None:
        self._session = session
        self.feed = feed_service.get_feed(session, import_service.get_import(session, import_id).row.feed_id)
        self._reading = feed_service.reading_of(session, self.feed)

    def changes(self, row: Any) -> Iterator[Difference]:
        """What has become of a product: its facts, then its texts."""
        product = catalog.get_product(self._session, row.product_id, language=self.feed.language)
        for field, values in _pairs(row.product_before, product.facts):
            yield self.told(row, field, values) | {"currency": product.summary.currency}
        written = next((one for one in product.texts if one.language == self.feed.language), None)
        if written is None or row.is_missing:
            return
        before = row.text_before or {}
        for field in TRANSLATION_FIELDS if row.text_before is None else before:
            if before.get(field) != getattr(written, field):
                yield self.told(row, field, (before.get(field), getattr(written, field)), is_text=True)

    def told(self, row: Any, field: str, values: tuple[Any, Any], *, is_text: bool = False) -> Difference:
        """One difference: the values of before and of now, and what they come from."""
        is_missing = getattr(row, "is_missing", False)
        columns = [column for column, fields in COLUMN_FIELDS.items() if field in fields]
        cells, steps = explain_service.trace_cells(self.feed, self._reading, row.raw, columns)
        return {
            "kind": _MISSING if is_missing else _CHANGED,
            "sku": row.external_id,
            "title": _cut(row.title),
            "line": None if is_missing else row.line,
            "field": field,
            "language": self.feed.language if is_text else None,
            "before": _cut(values[0]),
            "after": _cut(values[1]),
            "currency": None,
            "columns": [] if is_missing else [cell.file_column for cell in cells],
            "cell": "" if is_missing else _cut(" | ".join(cell.text for cell in cells)),
            "rules": [] if is_missing else list(dict.fromkeys(_cut(step.rule_name) for step in steps)),
        }


def _pairs(before: Mapping[str, Any], facts: ExportRow) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Each field with its values of before and of now; attributes one by one."""
    for field, value in before.items():
        if field != "attributes":
            yield field, (value, getattr(facts, field))
            continue
        for name in {**value, **facts.attributes}:
            pair = value.get(name), facts.attributes.get(name)
            if pair[0] != pair[1]:
                yield name, pair


def _cut(value: Any) -> Any:
    """The value as JSON has it, long texts cut."""
    plain = orjson.loads(orjson.dumps(value))
    if isinstance(plain, str) and len(plain) > _VALUE_CUT:
        return f"{plain[: _VALUE_CUT - 1]}…"
    return [_cut(one) for one in plain] if isinstance(plain, list) else plain


def _bounded(found: Sequence[Difference]) -> list[Difference]:
    kept: list[Difference] = []
    size = 0
    for one in found:
        size += len(orjson.dumps(one))
        if size > MAX_BYTES:
            break
        kept.append(one)
    return kept
