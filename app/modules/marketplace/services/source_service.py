"""What the feeds say, beside what the vendor sells: browsing the rows, comparing, taking values over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, ScalarSelect, or_, select, text
from sqlalchemy.orm import Session

from app.core.database import copy_rows
from app.core.i18n import FALLBACK
from app.core.ids import from_public, new_id, to_public
from app.modules.catalog import facade as catalog
from app.modules.catalog.contracts import (
    INTAKE_COLUMNS,
    KEPT_BITS,
    PRODUCT_FIELDS,
    TRANSLATION_FIELDS,
    ProductDetail,
)
from app.modules.marketplace.adapters.feed_reader import RawRow
from app.modules.marketplace.exceptions import SourceNotFoundError
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.models.marketplace_product import MarketplaceProduct
from app.modules.marketplace.services import feed_service
from app.modules.marketplace.services.feed_columns import (
    attributes_of,
    copied_fields,
    given_bits,
    present_fields,
    spoken_bits,
)
from app.modules.marketplace.services.feed_row import ROW_COLUMNS, ParsedRow
from app.modules.marketplace.services.import_service import IMPORT_PREFIX
from app.modules.marketplace.services.row_pipeline import Reading, RowPipeline
from app.modules.tenancy.facade import record_audit

SOURCE_PREFIX = "mpr"
_PRODUCT_PREFIX = "prd"
_FACT_BITS = sum(KEPT_BITS.values()) - sum(KEPT_BITS[name] for name in TRANSLATION_FIELDS)


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


def list_languages(session: Session, external_id: str | ScalarSelect[str]) -> Sequence[MarketplaceProduct]:
    """The rows of one id in the feeds of all languages, by language; the id may be part of the statement."""
    return session.scalars(
        select(MarketplaceProduct)
        .where(MarketplaceProduct.external_id == external_id)
        .order_by(MarketplaceProduct.language, MarketplaceProduct.id)
    ).all()


def read_source(row: MarketplaceProduct, reading: Reading) -> ParsedRow | None:
    """The row's values as an import reads them now; None when it would be left out or refused."""
    parsed = RowPipeline(list(row.raw), reading).parse(RawRow(1, list(row.raw.values()), 0, 2))
    return parsed if isinstance(parsed, tuple) else None


def list_differences(session: Session, product: ProductDetail) -> list[Difference]:
    """Every edited field of a product that comes from a feed, with the feed's value beside ours.

    Of several feeds the first counts that has a value.
    """
    sources = list_languages(session, product.summary.sku)
    if not sources:
        return []
    feeds = feed_service.list_feeds(session)
    places = {feed.id: place for place, feed in enumerate(feeds)}
    readings = {feed.id: feed_service.reading_of(session, feed) for feed in feeds}
    sources = sorted(sources, key=lambda row: places[row.feed_id])
    read = [(row.language, _values(row, readings[row.feed_id])) for row in sources]
    found = [
        Difference(name, None, getattr(product.facts, name), _first(name, read))
        for name in PRODUCT_FIELDS
        if name in product.edited_fields
    ]
    for written in product.texts:
        theirs = [one for one in read if one[0] == written.language]
        if theirs:
            found += [
                Difference(name, written.language, getattr(written, name), _first(name, theirs))
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
    """Give all edited fields of products the feed's values again; how many products had any.

    Products over the plan's limit are left alone.
    """
    changed = 0
    surplus = catalog.find_surplus(session, product_ids)
    for product_id in product_ids:
        if product_id in surplus:
            continue
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
        .order_by(MarketplaceProduct.external_id)
    ).all()
    made = 0
    said: dict[str, int] = {}  # the facts of each row that feeds asked before have given, as bits
    for feed in feed_service.list_feeds(session):
        found = [row for row in rows if row.feed_id == feed.id]
        for product_id in _merge(session, feed, found, said):
            target = to_public(_PRODUCT_PREFIX, product_id)
            record_audit(session, "marketplace.product_copied", vendor_id=rows[0].vendor_id, target=target)
            made += 1
    return made


def list_uncopied(session: Session, source_ids: Sequence[UUID]) -> Sequence[UUID]:
    """Those of some rows of which there is no product."""
    statement = select(MarketplaceProduct.id).where(
        MarketplaceProduct.id.in_(source_ids), ~catalog.is_product(MarketplaceProduct.external_id)
    )
    return session.scalars(statement).all()


def _first(field: str, read: Sequence[tuple[str, Mapping[str, Any]]]) -> Any:
    """The value of the first feed that has one."""
    return next((values[field] for _, values in read if values.get(field) is not None), None)


def _values(row: MarketplaceProduct, reading: Reading) -> Mapping[str, Any]:
    parsed = read_source(row, reading)
    return dict(zip(ROW_COLUMNS, parsed, strict=True)) if parsed else {}


def _merge(
    session: Session, feed: Feed, rows: Sequence[MarketplaceProduct], said: dict[str, int]
) -> Sequence[UUID]:
    """Hand rows of one feed to the catalogue; the ids of the products that are new."""
    columns = sorted({column for row in rows for column in row.raw})
    intake = catalog.open_intake(session, language=feed.language)
    reading = feed_service.reading_of(session, feed)
    copy_rows(session, intake.table, INTAKE_COLUMNS, _loaded(rows, reading, said))
    catalog.merge_intake(session, intake, columns=present_fields(columns))
    known = f"SELECT FROM pg_temp.{intake.results} r WHERE r.line = i.line"
    made = text(f"SELECT i.id FROM pg_temp.{intake.table} i WHERE NOT EXISTS ({known})")
    return session.scalars(made).all()


def _loaded(
    rows: Sequence[MarketplaceProduct], reading: Reading, said: dict[str, int]
) -> Iterator[tuple[object, ...]]:
    for line, row in enumerate(rows, 1):
        parsed = read_source(row, reading)
        if parsed is not None:
            attributes = attributes_of(parsed)
            kept = said.get(row.external_id, 0)
            said[row.external_id] = kept | (spoken_bits(given_bits(parsed, attributes)) & _FACT_BITS)
            yield line, new_id(), *copied_fields(parsed), orjson.dumps(attributes).decode(), kept
