"""The feeds of a vendor: what each is, in which order they are asked, and when they are fetched."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core.i18n import translate
from app.core.ids import new_id, to_public
from app.modules.marketplace.exceptions import FeedNotFoundError
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.models.marketplace_product import MarketplaceProduct
from app.modules.marketplace.services import feed_rule_service
from app.modules.marketplace.services.row_pipeline import Reading
from app.modules.tenancy.facade import record_audit

FEED_PREFIX = "fed"
# Settings that say when and how to import, not what becomes of a row.
_ABOUT_RUNS = frozenset({"name", "policy", "every_hours", "next_run_at", "is_active"})


def get_feed(session: Session, feed_id: UUID) -> Feed:
    """One feed. Raises FeedNotFoundError."""
    feed = session.scalar(select(Feed).where(Feed.id == feed_id))
    if feed is None:
        raise FeedNotFoundError
    return feed


def list_feeds(session: Session, *, language: str | None = None) -> Sequence[Feed]:
    """The vendor's feeds in the order in which they are asked for a field."""
    statement = select(Feed).order_by(Feed.position, Feed.id)
    return session.scalars(statement.where(Feed.language == language) if language else statement).all()


def feed_of_language(session: Session, vendor_id: UUID, language: str) -> Feed:
    """The feed to import a file of this language into when none is named: the first, made when there is none."""
    feed = next(iter(list_feeds(session, language=language)), None)
    if feed is None:
        name = translate(language, "marketplace.feeds.default_name", language=language.upper())
        feed = Feed(
            id=new_id(), vendor_id=vendor_id, name=name, language=language, position=next_position(session)
        )
        session.add(feed)
        session.flush()
    return feed


def has_rows(session: Session, feed_id: UUID) -> bool:
    """Whether something was imported from a feed."""
    found = select(MarketplaceProduct.id).where(MarketplaceProduct.feed_id == feed_id).limit(1)
    return session.scalar(found) is not None


def reading_of(session: Session, feed: Feed) -> Reading:
    """What decides what becomes of the feed's rows, now."""
    return Reading(
        feed.language,
        feed.default_currency,
        feed.blank_cells == "keep",
        feed_rule_service.import_rules(session, feed.id),
    )


def change_feed(session: Session, feed_id: UUID, values: Mapping[str, Any]) -> Feed:
    """Set columns of a feed. Raises FeedNotFoundError."""
    feed = get_feed(session, feed_id)
    changed = sorted(name for name, value in values.items() if getattr(feed, name) != value)
    if not changed:
        return feed
    for name in changed:
        setattr(feed, name, values[name])
    session.flush()
    if not _ABOUT_RUNS.issuperset(changed):
        feed_rule_service.forget_fetched(session, feed_id)
    target = to_public(FEED_PREFIX, feed_id)
    record_audit(
        session,
        "marketplace.feed_changed",
        vendor_id=feed.vendor_id,
        target=target,
        fields=", ".join(changed),
    )
    return feed


def note_imported(session: Session, row: FeedImport, *, is_whole: bool) -> None:
    """Remember what an import that was not a trial left: the guard compares with it, the next fetch asks with it."""
    if not is_whole:
        return
    # What the database says now: people may have changed the feed, or its rules, since the import began.
    known = select(FeedImport.etag, FeedImport.last_modified).where(FeedImport.id == row.id)
    tags = session.execute(known).one()
    feed = update(Feed).where(Feed.id == row.feed_id)
    session.execute(feed.values(last_import_id=row.id))
    if row.url is not None:
        session.execute(feed.where(Feed.url == row.url).values(tags._asdict()))


def next_position(session: Session) -> int:
    """The place behind all feeds there are."""
    return (session.scalar(select(func.max(Feed.position))) or 0) + 1
