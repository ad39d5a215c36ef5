"""Where a value of the catalogue is from: feed, cell, rules and reading, or somebody's hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.core.i18n import FALLBACK
from app.core.ids import to_public
from app.modules.catalog import facade as catalog
from app.modules.catalog.contracts import KEPT_BITS, TRANSLATION_FIELDS, ProductDetail
from app.modules.marketplace.adapters.feed_reader import RawRow
from app.modules.marketplace.models.feed import Feed, FeedRule
from app.modules.marketplace.models.marketplace_product import MarketplaceProduct
from app.modules.marketplace.services import feed_order_service, feed_service, source_service
from app.modules.marketplace.services.feed_columns import COLUMN_FIELDS, attributes_of
from app.modules.marketplace.services.feed_row import ROW_COLUMNS, ParsedRow, RowError
from app.modules.marketplace.services.feed_rules import Step
from app.modules.marketplace.services.row_pipeline import Reading, RowPipeline
from app.modules.pagekit.points import TIMELINE

_PRODUCT_PREFIX = "prd"
_HISTORY_ENTRIES = 200
_CURRENCY = ROW_COLUMNS.index("currency")

Origin = Literal["feed", "edited", "none"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a feed before rules; ``file_column`` is what the mapping says that the file calls the column."""

    column: str
    file_column: str
    text: str


@dataclass(frozen=True, slots=True)
class FeedSays:
    """What one feed says about a field, with the rules and settings of now.

    ``line`` is where the row stands in the file of ``import_id``: the number of its line, in XML of its product; None
    where that is not known.
    ``value`` is in the catalogue's units (amounts: cents of ``currency``); ``problem`` is what would refuse the row,
    ``is_left_out``: a rule would. ``rules_changed_at``: rules of the feed were changed after the row was imported.
    """

    feed_id: UUID
    feed_name: str
    source_id: UUID
    import_id: UUID
    imported_at: datetime
    missing_since: datetime | None
    line: int | None
    cells: tuple[Cell, ...]
    steps: tuple[Step, ...]
    is_left_out: bool
    problem: RowError | None
    value: Any
    currency: str | None
    rules_changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Edit:
    """Who edited a field by hand, and when; None where the history does not say it any more."""

    who: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a field has its value.

    ``origin`` is ``feed`` (it follows ``source``), ``edited`` (by hand: see ``edit``; ``source`` is the feed it would
    follow) or ``none``: no feed gives it. ``others`` are the vendor's other feeds that have the product, in the
    order in which they are asked. ``is_outdated``: with the rules and settings of now, ``source`` gives another value.
    """

    field: str
    language: str | None
    value: Any
    currency: str
    origin: Origin
    edit: Edit | None
    source: FeedSays | None
    others: tuple[FeedSays, ...]
    is_outdated: bool


def explain(session: Session, product_id: UUID, field: str, language: str | None = None) -> Explanation:
    """Say where the value of a product's field is from.

    ``field`` is a column of the catalogue or the name of an attribute; ``language`` is needed for texts only. Raises
    ProductNotFoundError, and NotFoundError for what is no field or a text in no language.
    """
    columns = [column for column, fields in COLUMN_FIELDS.items() if field in fields]
    is_text = field in TRANSLATION_FIELDS
    if not columns or field == "external_id" or (is_text and language is None):
        raise NotFoundError
    product = catalog.get_product(session, product_id, language=language or FALLBACK)
    value, edited = _current(product, field, language if is_text else None)
    found = _asked(session, product.summary.sku, field, language if is_text else None)
    said = [_says(session, feed, row, field, columns) for feed, row in found]
    source = _source(field, value, [row for _, row in found], said)
    origin: Origin = "edited" if edited else "feed" if source else "none"
    return Explanation(
        field,
        language if is_text else None,
        value,
        product.summary.currency,
        origin,
        _last_edit(session, product_id, field, language if is_text else None) if edited else None,
        source,
        tuple(one for one in said if one is not source),
        origin == "feed" and source is not None and _is_outdated(source, value),
    )


def trace_cells(
    feed: Feed, reading: Reading, raw: Mapping[str, str], columns: Sequence[str]
) -> tuple[tuple[Cell, ...], tuple[Step, ...]]:
    """The cells of these columns in a row of a feed, and what rules do to them; ``raw`` has cells before rules."""
    names = [*raw, *(name for name in reading.rules.columns if name not in raw)]
    steps = reading.rules.trace(names, [raw.get(name, "") for name in names])
    file_columns = {ours: theirs for theirs, ours in feed.mapping.items() if ours}
    cells = (
        Cell(name, file_columns.get(name, name), raw.get(name, ""))
        for name in columns
        if name in raw or len(columns) == 1
    )
    return tuple(cells), tuple(step for step in steps if step.column in columns or not step.column)


def _current(product: ProductDetail, field: str, language: str | None) -> tuple[Any, bool]:
    """The field's value, and whether it was edited by hand."""
    if language is not None:
        texts = next((one for one in product.texts if one.language == language), None)
        return (getattr(texts, field), field in texts.edited_fields) if texts else (None, False)
    if field in KEPT_BITS:
        return getattr(product.facts, field), field in product.edited_fields
    return product.facts.attributes.get(field), "attributes" in product.edited_fields


def _asked(
    session: Session, sku: str, field: str, language: str | None
) -> list[tuple[Feed, MarketplaceProduct]]:
    """The feeds that have the product and can speak about the field, in the order in which they are asked for it."""
    rows = {row.feed_id: row for row in source_service.list_languages(session, sku)}
    named = feed_order_service.field_order(session).get(_kept_name(field), ())
    places = {key: place for place, key in enumerate(named)}
    feeds = feed_service.list_feeds(session, language=language)
    feeds = sorted(feeds, key=lambda feed: (places.get(feed.id, len(named)), feed.position, feed.id))
    return [(feed, rows[feed.id]) for feed in feeds if feed.id in rows]


def _source(
    field: str, value: Any, rows: Sequence[MarketplaceProduct], said: Sequence[FeedSays]
) -> FeedSays | None:
    """The feed that the field follows: the first one that speaks for it."""
    if field in KEPT_BITS:
        bit = KEPT_BITS[field]
        pairs = zip(rows, said, strict=True)
        return next((one for row, one in pairs if row.given & bit and row.missing_since is None), None)
    # Each attribute stays until a feed names it again: it is from the feed that says the same.
    present = [one for one in said if one.missing_since is None and one.value is not None]
    return next((one for one in present if one.value == value), present[0] if present else None)


def _says(
    session: Session, feed: Feed, row: MarketplaceProduct, field: str, columns: Sequence[str]
) -> FeedSays:
    reading = feed_service.reading_of(session, feed)
    raw: Mapping[str, str] = row.raw
    cells, steps = trace_cells(feed, reading, raw, columns)
    parsed = RowPipeline(list(raw), reading).parse(RawRow(1, list(raw.values()), 0, 2))
    return FeedSays(
        feed.id,
        feed.name,
        row.id,
        row.import_id,
        row.updated_at,
        row.missing_since,
        row.line if row.missing_since is None else None,
        cells,
        steps,
        parsed is None,
        _problem(parsed, columns) if isinstance(parsed, list) else None,
        _value(parsed, field) if isinstance(parsed, tuple) else None,
        parsed[_CURRENCY] if isinstance(parsed, tuple) else None,
        _rules_changed_at(session, feed, row),
    )


def _value(row: ParsedRow, field: str) -> Any:
    return row[ROW_COLUMNS.index(field)] if field in KEPT_BITS else attributes_of(row).get(field)


def _problem(errors: Sequence[RowError], columns: Sequence[str]) -> RowError:
    """What is wrong with the field itself, or else with the row."""
    return next((error for error in errors if error.column in columns), errors[0])


def _rules_changed_at(session: Session, feed: Feed, row: MarketplaceProduct) -> datetime | None:
    """When the rules of the feed were last changed, if that was after the row was imported."""
    concerned = or_(FeedRule.feed_id.is_(None), FeedRule.feed_id == feed.id)
    changed = select(func.max(FeedRule.updated_at)).where(FeedRule.stage == "import", concerned)
    return session.scalar(changed.where(FeedRule.updated_at > row.updated_at))


def _is_outdated(source: FeedSays, value: Any) -> bool:
    return source.is_left_out or source.problem is not None or source.value != value


def _last_edit(session: Session, product_id: UUID, field: str, language: str | None) -> Edit:
    """The last entry of the product's history that names the field; what was set when it was made is in the first."""
    name = f"{field} ({language})" if language else field
    entries = TIMELINE.one()(session, to_public(_PRODUCT_PREFIX, product_id), _HISTORY_ENTRIES)
    for entry in entries:
        if entry.action == "catalog.product_created" or name in str(entry.details.get("fields", "")).split(
            ", "
        ):
            return Edit(entry.who, entry.at)
    return Edit(None, None)


def _kept_name(field: str) -> str:
    return field if field in KEPT_BITS else "attributes"
