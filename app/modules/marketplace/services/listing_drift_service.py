"""What a marketplace offers, held against the files that were sent to it."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.i18n import LANGUAGES
from app.core.ids import new_id, to_public
from app.modules.marketplace.contracts import Listing, ListingPage
from app.modules.marketplace.enums import DriftKind
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.drift import Drift
from app.modules.marketplace.services.channel_stock_service import vendor_of
from app.modules.marketplace.services.connection_service import (
    CONNECTION_PREFIX,
    drift_problem_key,
    get_connection,
    name_of,
)
from app.modules.marketplace.services.export_sending_service import find_sent
from app.modules.marketplace.services.feed_export_service import file_of
from app.modules.menu import page_url
from app.modules.problems import Problem, clear_problem, report_problem
from app.modules.tenancy import facade as tenancy

_MAX_PAGES, _MAX_TITLE, _MAX_KEPT, _ROWS = 5000, 200, 2000, 500


class Offer(NamedTuple):
    """A product as a file that was sent says it. ``prices``: those that are right at the moment, in gross cents."""

    title: str
    prices: frozenset[int]
    is_available: bool


class Found(NamedTuple):
    """One difference."""

    kind: DriftKind
    article: str
    title: str
    ours: int | None = None
    theirs: int | None = None


def read_all(read: Callable[[str | None], ListingPage]) -> list[Listing]:
    """All that the marketplace offers of the vendor; ``read`` gives the page after a cursor. Called with no transaction
    open. Raises as `Channel` does."""
    listings: list[Listing] = []
    cursor = None
    for _ in range(_MAX_PAGES):
        page = read(cursor)
        listings += page.listings
        cursor = page.cursor
        if cursor is None:
            break
    return listings


def note(session: Session, connection_id: UUID, listings: Iterable[Listing]) -> dict[str, int]:
    """Keep what differs between these and the files that were sent; how many of each kind.

    It is a problem once it was found twice: what was changed a moment ago is not there yet. Nothing is compared before
    a file was sent.
    """
    now = clock.now()
    offers = sent_offers(session, now)
    found = list(compare(offers, listings)) if offers is not None else []
    _keep(session, connection_id, found[:_MAX_KEPT], now)
    connection = get_connection(session, connection_id)
    lasting = session.scalars(
        select(Drift.id).where(Drift.connection_id == connection_id, Drift.found_at < now).limit(1)
    ).first()
    key = drift_problem_key(connection)
    if lasting is None:
        clear_problem(session, key, vendor_id=connection.vendor_id)
    else:
        report_problem(session, _problem(key, connection, len(found)), vendor_id=connection.vendor_id)
    return dict(Counter(one.kind.value for one in found))


def select_drifts(connection_id: UUID) -> Select[Any]:
    """The differences of a connection, as the last check found them."""
    columns: tuple[Any, ...] = (Drift.id, Drift.kind, Drift.article, Drift.title, Drift.ours, Drift.theirs)
    return select(*columns, Drift.found_at).where(Drift.connection_id == connection_id)


def compare(offers: Mapping[str, Offer], listings: Iterable[Listing]) -> Iterator[Found]:
    """The differences, by kind and article. A listing without a SKU is known by its own id."""
    unseen = dict(offers)
    for listing in listings:
        offer = offers.get(listing.sku or "")
        if offer is None:
            title = (listing.title or "")[:_MAX_TITLE]
            yield Found(DriftKind.UNKNOWN_HERE, listing.sku or listing.external_id, title)
            continue
        assert listing.sku is not None
        unseen.pop(listing.sku, None)
        if listing.price_cents is not None and listing.price_cents not in offer.prices:
            ours = min(offer.prices, default=None)
            yield Found(DriftKind.PRICE, listing.sku, offer.title, ours, listing.price_cents)
        if listing.is_available is not None and listing.is_available != offer.is_available:
            ours, theirs = int(offer.is_available), int(listing.is_available)
            yield Found(DriftKind.AVAILABILITY, listing.sku, offer.title, ours, theirs)
    for sku, offer in unseen.items():
        yield Found(DriftKind.MISSING_THERE, sku, offer.title)


def sent_offers(session: Session, now: datetime) -> dict[str, Offer] | None:
    """What the files that were sent last say of each SKU, in whatever language; None before the first of them."""
    offers: dict[str, Offer] | None = None
    for language in LANGUAGES:
        sent = find_sent(session, language)
        path = file_of(sent) if sent else None
        if path is None:
            continue
        offers = {} if offers is None else offers
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                offers.setdefault(row["id"], _offer(row, now))
    return offers


def _offer(row: Mapping[str, str], now: datetime) -> Offer:
    price, sale = _cents(row.get("price", "")), _cents(row.get("sale_price", ""))
    prices = {one for one in (price, sale if _is_on_sale(row, now) else None) if one is not None}
    return Offer(row["title"][:_MAX_TITLE], frozenset(prices), row.get("availability") != "out_of_stock")


def _is_on_sale(row: Mapping[str, str], now: datetime) -> bool:
    begins, _, ends = row.get("sale_price_effective_date", "").partition("/")
    has_begun = not begins or datetime.fromisoformat(begins) <= now
    return has_begun and (not ends or now <= datetime.fromisoformat(ends))


def _cents(text: str) -> int | None:
    amount, _, _ = text.partition(" ")
    whole, _, cents = amount.partition(".")
    return int(whole) * 100 + int(cents.ljust(2, "0")) if whole.isdigit() and cents.isdigit() else None


def _keep(session: Session, connection_id: UUID, found: list[Found], now: datetime) -> None:
    vendor_id = vendor_of(session)
    for start in range(0, len(found), _ROWS):
        rows = {
            (one.kind, one.article): {
                **one._asdict(),
                "id": new_id(),
                "vendor_id": vendor_id,
                "connection_id": connection_id,
                "found_at": now,
                "seen_at": now,
            }
            for one in found[start : start + _ROWS]
        }
        new = insert(Drift).values(list(rows.values()))
        changed = {name: new.excluded[name] for name in ("title", "ours", "theirs", "seen_at")}
        keys = ("vendor_id", "connection_id", "kind", "article")
        session.execute(new.on_conflict_do_update(index_elements=keys, set_=changed))
    session.execute(delete(Drift).where(Drift.connection_id == connection_id, Drift.seen_at < now))


def _problem(key: str, connection: Connection, count: int) -> Problem:
    vendor = tenancy.find_vendor(vendor_id=connection.vendor_id)
    assert vendor is not None
    url = page_url(
        "marketplace.vendor.connection",
        vendor_code=vendor.code,
        connection_id=to_public(CONNECTION_PREFIX, connection.id),
    )
    params: dict[str, str | int] = {"name": name_of(connection), "count": count}
    return Problem(key, "marketplace.problems.drift", params, url=url)
