"""What a marketplace offers, held against the files that were sent to it."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, delete, func, or_, select
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

MOST_PAGES = 20  # of one round
_MAX_TITLE, _MAX_KEPT, _ROWS = 200, 2000, 500


@dataclass(slots=True)
class Walk:
    """A way through all that a marketplace offers, over several rounds where it is much. ``cursor`` is where it goes on
    (None: at the beginning, or it is at its end), ``seen`` what of the vendor's was there."""

    began_at: datetime
    cursor: str | None = None
    seen: set[str] = field(default_factory=set)


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


def begin(session: Session, connection_id: UUID) -> Walk:
    """The walk that the last round did not end, or a new one. It is forgotten meanwhile: one that fails begins anew."""
    row = get_connection(session, connection_id)
    kept, row.listings_walk = row.listings_walk, None
    if kept is None:
        return Walk(clock.now())
    return Walk(datetime.fromisoformat(kept["began_at"]), kept["cursor"], set(kept["seen"]))


def read_round(read: Callable[[str | None], ListingPage], walk: Walk) -> list[Listing]:
    """What the marketplace offers of the vendor, as far as a round goes: a marketplace may list all its shops, of which
    one vendor must not read everything at once. ``read`` gives the page after a cursor. Called with no transaction
    open. Raises as `Channel` does."""
    listings: list[Listing] = []
    for _ in range(MOST_PAGES):
        page = read(walk.cursor)
        listings += page.listings
        walk.cursor = page.cursor
        if walk.cursor is None:
            break
    return listings


def note(session: Session, connection_id: UUID, walk: Walk, listings: Sequence[Listing]) -> dict[str, int]:
    """Keep what differs between these and the files that were sent; how many of each kind.

    What is missing there is known at the end of the walk. It is a problem once it was found twice: what was changed a
    moment ago is not there yet. Nothing is compared before a file was sent.
    """
    now = clock.now()
    offers = sent_offers(session, now)
    found = list(compare(offers, listings)) if offers is not None else []
    walk.seen |= {one.sku for one in listings if one.sku}
    if offers is not None and walk.cursor is None:
        found += missing(offers, walk.seen)
    looked_at = {one.sku or one.external_id for one in listings}
    _keep(session, connection_id, found[:_MAX_KEPT], now)
    _forget(session, connection_id, now, walk, looked_at)
    connection = get_connection(session, connection_id)
    if walk.cursor is not None:
        connection.listings_walk = {
            "began_at": walk.began_at.isoformat(),
            "cursor": walk.cursor,
            "seen": sorted(walk.seen & offers.keys()) if offers else [],
        }
    _tell(session, connection)
    return dict(Counter(one.kind.value for one in found))


def _tell(session: Session, connection: Connection) -> None:
    mine = Drift.connection_id == connection.id
    count, lasting = session.execute(
        select(func.count(), func.count().filter(Drift.found_at < Drift.seen_at)).where(mine)
    ).one()
    key = drift_problem_key(connection)
    if lasting:
        report_problem(session, _problem(key, connection, count), vendor_id=connection.vendor_id)
    else:
        clear_problem(session, key, vendor_id=connection.vendor_id)


def select_drifts(connection_id: UUID) -> Select[Any]:
    """The differences of a connection, as the last check found them."""
    columns: tuple[Any, ...] = (Drift.id, Drift.kind, Drift.article, Drift.title, Drift.ours, Drift.theirs)
    return select(*columns, Drift.found_at).where(Drift.connection_id == connection_id)


def compare(offers: Mapping[str, Offer], listings: Iterable[Listing]) -> Iterator[Found]:
    """The differences of what is offered there. A listing without a SKU is known by its own id."""
    for listing in listings:
        offer = offers.get(listing.sku or "")
        if offer is None:
            title = (listing.title or "")[:_MAX_TITLE]
            yield Found(DriftKind.UNKNOWN_HERE, listing.sku or listing.external_id, title)
            continue
        assert listing.sku is not None
        if listing.price_cents is not None and listing.price_cents not in offer.prices:
            ours = min(offer.prices, default=None)
            yield Found(DriftKind.PRICE, listing.sku, offer.title, ours, listing.price_cents)
        if listing.is_available is not None and listing.is_available != offer.is_available:
            ours, theirs = int(offer.is_available), int(listing.is_available)
            yield Found(DriftKind.AVAILABILITY, listing.sku, offer.title, ours, theirs)


def missing(offers: Mapping[str, Offer], seen: Set[str]) -> Iterator[Found]:
    """What was sent and is not offered there."""
    for sku, offer in offers.items():
        if sku not in seen:
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


def _forget(session: Session, connection_id: UUID, now: datetime, walk: Walk, looked_at: Set[str]) -> None:
    """What was looked at and is no different now; at the end of a walk also what was nowhere in it."""
    gone = and_(Drift.seen_at < now, Drift.article.in_(looked_at))
    if walk.cursor is None:
        gone = or_(gone, Drift.seen_at < walk.began_at)
    session.execute(delete(Drift).where(Drift.connection_id == connection_id, gone))


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
