"""What the feeds say, beside what the vendor sells: browsing the rows, comparing, taking values over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, or_, select, text
from sqlalchemy.orm import Session

from app.core.database import bulk_load
from app.core.i18n import FALLBACK
from app.core.ids import from_public, new_id, to_public
from app.modules.catalog import facade as catalog
from app.modules.catalog.contracts import INTAKE_COLUMNS, PRODUCT_FIELDS, IntakeOutcome, ProductDetail
from app.modules.marketplace.adapters.feed_reader import RawRow
from app.modules.marketplace.enums import Marketplace
from app.modules.marketplace.exceptions import SourceNotFoundError
from app.modules.marketplace.models.marketplace_product import MarketplaceProduct
from app.modules.marketplace.services.feed_columns import attributes_of, copied_fields, present_fields
from app.modules.marketplace.services.feed_row import ROW_COLUMNS, ParsedRow, RowParser, compile_header
from app.modules.marketplace.services.import_service import IMPORT_PREFIX
from app.modules.tenancy.facade import record_audit

SOURCE_PREFIX = "mpr"
_PRODUCT_PREFIX = "prd"
_COPIED = "feed_copied_rows"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that somebody edited: our value and the feed's, in the catalogue's units. ``language``: of a text."""

    field: str
    language: str | None
    ours: Any
    theirs: Any


def select_sources() -> Any:
    """The rows of all feeds, with the id of the product that each has become."""
    row = MarketplaceProduct
    return select(
        row.id,
        row.title,
        row.external_id,
        row.language,
        row.price_cents,
        row.currency,
        row.availability,
        row.gtin,
        row.created_at,
        row.updated_at,
        catalog.product_id_of(row.external_id).label("product_id"),
    ).select_from(row)


def matching(words: str) -> ColumnElement[bool]:
    """Rows whose title, id or GTIN holds the words."""
    columns = (MarketplaceProduct.title, MarketplaceProduct.external_id, MarketplaceProduct.gtin)
    return or_(*(column.icontains(words, autoescape=True) for column in columns))


def of_import(values: Sequence[str]) -> ColumnElement[bool]:
    """Rows that an import was the last to write, by its public id."""
    key = from_public(IMPORT_PREFIX, values[0])
    return MarketplaceProduct.import_id == key


def in_catalogue(values: Sequence[str]) -> ColumnElement[bool]:
    """Rows that are products (``yes``), or are none (``no``)."""
    found = catalog.is_product(MarketplaceProduct.external_id)
    return or_(*(found if value == "yes" else ~found for value in values))


def get_source(session: Session, source_id: UUID) -> MarketplaceProduct:
    """One row. Raises SourceNotFoundError."""
    row = session.scalar(select(MarketplaceProduct).where(MarketplaceProduct.id == source_id))
    if row is None:
        raise SourceNotFoundError
    return row


def list_languages(session: Session, external_id: str) -> Sequence[MarketplaceProduct]:
    """The rows of one id in the feeds of all languages, by language."""
    return session.scalars(
        select(MarketplaceProduct)
        .where(
            MarketplaceProduct.marketplace == Marketplace.LETZSHOP.value,
            MarketplaceProduct.external_id == external_id,
        )
        .order_by(MarketplaceProduct.language)
    ).all()


def read_source(row: MarketplaceProduct) -> ParsedRow | None:
    """The row's values as an import reads them; None when the rules have become stricter since."""
    parser = RowParser(compile_header(list(row.raw)), language=row.language)
    parsed = parser.parse(RawRow(1, list(row.raw.values()), 0, 2))
    return parsed if isinstance(parsed, tuple) else None


def list_differences(session: Session, product: ProductDetail) -> list[Difference]:
    """Every edited field of a product that comes from a feed, with the feed's value beside ours.

    Facts are those of the feed that was imported last.
    """
    sources = list_languages(session, product.summary.sku)
    if not sources:
        return []
    newest = _values(max(sources, key=lambda row: row.updated_at))
    found = [
        Difference(name, None, getattr(product.facts, name), newest.get(name))
        for name in PRODUCT_FIELDS
        if name in product.edited_fields
    ]
    by_language = {row.language: _values(row) for row in sources}
    for written in product.texts:
        theirs = by_language.get(written.language)
        if theirs is not None:
            found += [
                Difference(name, written.language, getattr(written, name), theirs.get(name))
                for name in written.edited_fields
            ]
    return found


def take_value(
    session: Session, product_id: UUID, field: str, language: str | None, *, reader_language: str
) -> None:
    """Give an edited field the feed's value again; from now on it follows the feed. Nothing happens to other fields.

    Raises ProductNotFoundError.
    """
    product = catalog.get_product(session, product_id, language=reader_language)
    for found in list_differences(session, product):
        if (found.field, found.language) == (field, language):
            catalog.follow_feed(session, product_id, field, found.theirs, language=language)


def follow_feeds(session: Session, product_ids: Sequence[UUID]) -> int:
    """Give all edited fields of products the feed's values again; how many products had any."""
    changed = 0
    for product_id in product_ids:
        product = catalog.get_product(session, product_id, language=FALLBACK)
        found = list_differences(session, product)
        for one in found:
            catalog.follow_feed(session, product_id, one.field, one.theirs, language=one.language)
        changed += bool(found)
    return changed


def copy_to_catalogue(session: Session, source_ids: Sequence[UUID]) -> int:
    """Make products of rows that are none, with the texts of all languages there are; how many were made."""
    chosen = select(MarketplaceProduct.external_id).where(MarketplaceProduct.id.in_(source_ids))
    rows = session.scalars(
        select(MarketplaceProduct)
        .where(
            MarketplaceProduct.external_id.in_(chosen),
            ~catalog.is_product(MarketplaceProduct.external_id),
        )
        .order_by(MarketplaceProduct.language, MarketplaceProduct.external_id)
    ).all()
    made = 0
    for language, of_language in groupby(rows, key=lambda row: row.language):
        for product_id in _merge(session, language, list(of_language)):
            target = to_public(_PRODUCT_PREFIX, product_id)
            record_audit(session, "marketplace.product_copied", vendor_id=rows[0].vendor_id, target=target)
            made += 1
    return made


def _values(row: MarketplaceProduct) -> Mapping[str, Any]:
    parsed = read_source(row)
    return dict(zip(ROW_COLUMNS, parsed, strict=True)) if parsed else {}


def _merge(session: Session, language: str, rows: Sequence[MarketplaceProduct]) -> Sequence[UUID]:
    """Hand rows of one language to the catalogue; the ids of the products that are new."""
    columns = sorted({column for row in rows for column in row.raw})
    bulk_load(session, _COPIED, INTAKE_COLUMNS, _loaded(rows))
    intake = catalog.open_intake(session, language=language)
    names = ", ".join(INTAKE_COLUMNS)
    session.execute(
        text(f"INSERT INTO pg_temp.{intake.table} ({names}) SELECT {names} FROM pg_temp.{_COPIED}")
    )
    catalog.merge_intake(session, intake, columns=present_fields(columns))
    made = text(f"SELECT r.product_id FROM pg_temp.{intake.results} r WHERE r.outcome = :outcome")
    return session.scalars(made, {"outcome": IntakeOutcome.CREATED.value}).all()


def _loaded(rows: Sequence[MarketplaceProduct]) -> Iterator[tuple[object, ...]]:
    for line, row in enumerate(rows, 1):
        parsed = read_source(row)
        if parsed is not None:
            yield line, new_id(), *copied_fields(parsed), orjson.dumps(attributes_of(parsed)).decode()
