"""Several feeds of one vendor: which of them is asked first for a field."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.catalog.contracts import KEPT_BITS, TRANSLATION_FIELDS
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.services import feed_service, feed_settings_service
from app.modules.marketplace.services.feed_columns import COLUMN_FIELDS
from app.modules.marketplace.services.import_sql import OtherFeeds

_TEXT_BITS = sum(KEPT_BITS[name] for name in TRANSLATION_FIELDS)
_ALL_BITS = sum(KEPT_BITS.values())


def other_feeds(session: Session, feed: Feed) -> OtherFeeds | None:
    """The vendor's other feeds that have rows; None when there is none to consider."""
    feeds = feed_service.list_feeds(session)
    order = field_order(session)
    found = OtherFeeds([], [], [])
    for other in feeds:
        if other.id == feed.id or not feed_service.has_rows(session, other.id):
            continue
        shared = _ALL_BITS if other.language == feed.language else _ALL_BITS & ~_TEXT_BITS
        bits = sum(bit for name, bit in KEPT_BITS.items() if is_first(other, feed, order.get(name, ())))
        found.feeds.append(other.id)
        found.shared.append(shared)
        found.ahead.append(bits & shared)
    return found if found.feeds else None


def is_first(one: Feed, other: Feed, named: Sequence[UUID]) -> bool:
    """Whether a feed is asked for a field before another; ``named``: the feeds that the vendor put first for it."""
    places = {key: place for place, key in enumerate(named)}
    behind = len(named)
    mine, theirs = ((places.get(feed.id, behind), feed.position, feed.id) for feed in (one, other))
    return mine < theirs


def field_order(session: Session) -> Mapping[str, Sequence[UUID]]:
    """By field of the catalogue, the feeds that the vendor put first for it, in place of their usual order."""
    settings = feed_settings_service.find_feed_settings(session)
    named = settings.field_order if settings else {}
    order: dict[str, Sequence[UUID]] = {}
    for column, keys in named.items():
        feeds = [UUID(key) for key in keys]
        for name in COLUMN_FIELDS.get(column, ()):
            order[name if name in KEPT_BITS else "attributes"] = feeds
    return order
