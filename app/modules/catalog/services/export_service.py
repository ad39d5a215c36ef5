"""The catalogue as a stream, for feeds."""

from collections.abc import Iterator, Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.modules.catalog.contracts import PRODUCT_FIELDS, TRANSLATION_FIELDS, Export, ExportRow
from app.modules.catalog.services.product_service import MAX_COUNTED

_ROWS_PER_FETCH = 1000
_COLUMNS = ", ".join(f"{'t' if name in TRANSLATION_FIELDS else 'p'}.{name}" for name in ExportRow._fields)
# The vendor is named besides the policy, so that the planner keeps to the order of the unique key.
_EXPORTED = """
    FROM products p
    JOIN product_translations t ON t.vendor_id = p.vendor_id AND t.product_id = p.id AND t.language = :language
    WHERE p.vendor_id = nullif(current_setting('app.vendor_id', true), '')::uuid
      AND p.is_active AND p.archived_at IS NULL
"""
_NULLABLE = (
    "description",
    "link",
    *(name for name in PRODUCT_FIELDS if name not in ("price_cents", "currency")),
)
_FILLED = ", ".join(
    f"count({'t' if name in TRANSLATION_FIELDS else 'p'}.{name}) AS {name}" for name in _NULLABLE
)

_LOOKED_AT = {
    "description": "t.description",
    "link": "t.link",
    "image_link": "p.image_link",
    "availability": "p.availability",
}


def open_export(session: Session, *, language: str) -> Export:
    """The vendor's active products that have texts in ``language``, by SKU, from a server-side cursor.

    Constant memory. The rows must be read before the session's transaction ends.
    """
    values = {"language": language}
    counts = session.execute(text(f"SELECT count(*) AS total, {_FILLED} {_EXPORTED}"), values).one()
    filled = frozenset(name for name in _NULLABLE if getattr(counts, name))
    return Export(counts.total, filled, _rows(session, values))


def open_preview(session: Session, *, language: str, limit: int) -> Export:
    """The first ``limit`` products of such an export; ``total`` is counted no further than one above MAX_COUNTED.

    ``filled`` says no more than the description, link, image and availability, as far as was counted.
    """
    values = {"language": language, "limit": limit, "most": MAX_COUNTED + 1}
    looks = ", ".join(f"{column} IS NOT NULL AS {name}" for name, column in _LOOKED_AT.items())
    answers = ", ".join(f"bool_or({name}) AS {name}" for name in _LOOKED_AT)
    found = session.execute(
        text(f"SELECT count(*) AS total, {answers} FROM (SELECT {looks} {_EXPORTED} LIMIT :most) found"),
        values,
    ).one()
    filled = frozenset(name for name in _LOOKED_AT if getattr(found, name))
    return Export(found.total, filled, _rows(session, values, "LIMIT :limit"))


def _rows(session: Session, values: Mapping[str, object], limit: str = "") -> Iterator[ExportRow]:
    statement = text(f"SELECT {_COLUMNS} {_EXPORTED} ORDER BY p.sku {limit}")
    found = session.execute(statement, values, execution_options={"yield_per": _ROWS_PER_FETCH})
    for row in found:
        yield ExportRow(*row)
