"""Feeds as people arrange them: making one, changing its settings and its order, removing it."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.core import clock
from app.core.config import get_settings
from app.core.errors import FieldError, NotFoundError, ValidationFailedError
from app.core.http_guard import UrlRefusedError, check_url
from app.core.i18n import translate
from app.core.ids import new_id, to_public
from app.core.storage import get_storage
from app.modules.marketplace.adapters.detect import Look, look
from app.modules.marketplace.exceptions import FeedBusyError
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.models.marketplace_product import MarketplaceProduct
from app.modules.marketplace.services import feed_rule_service, feed_service
from app.modules.marketplace.services.feed_problem_service import problem_key
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.import_service import OUTCOME
from app.modules.tenancy.facade import record_audit
from app.tasks.models import Job, JobState

HOURS = (1, 2, 4, 6, 12, 24)
"""How often the file at an address can be fetched: every so many hours."""
MAX_NAME = 100
_UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
_LAST_REAL = aliased(FeedImport, name="last_real")


def select_feeds() -> Any:
    """All feeds, each with its last run, what became of that, and how many rows the last whole import had."""
    run = aliased(FeedImport, name="other_run")
    newest = select(run.id).where(run.feed_id == Feed.id).order_by(run.id.desc()).limit(1).scalar_subquery()
    return (
        select(
            Feed.id,
            Feed.name,
            Feed.language,
            Feed.format,
            Feed.url,
            Feed.every_hours,
            Feed.next_run_at,
            Feed.position,
            Feed.created_at,
            FeedImport.created_at.label("last_run_at"),
            OUTCOME.label("outcome"),
            _LAST_REAL.rows,
        )
        .select_from(Feed)
        .outerjoin(FeedImport, FeedImport.id == newest)
        .outerjoin(Job, Job.id == FeedImport.job_id)
        .outerjoin(_LAST_REAL, _LAST_REAL.id == Feed.last_import_id)
    )


def matching(words: str) -> ColumnElement[bool]:
    """Feeds whose name or address holds the words."""
    return or_(Feed.name.icontains(words, autoescape=True), Feed.url.icontains(words, autoescape=True))


def create_feed(session: Session, *, vendor_id: UUID, values: Mapping[str, Any]) -> Feed:
    """A feed behind the others. ``values``: columns of `Feed`; without a name it is called after its language.

    Raises ValidationFailedError for a name in use, for an address that is never called, and for a schedule without one.
    """
    given = dict(values)
    given["name"] = given.get("name") or _free_name(session, given["language"])
    feed = Feed(id=new_id(), vendor_id=vendor_id, position=feed_service.next_position(session))
    for name, value in _checked(session, feed.id, given).items():
        setattr(feed, name, value)
    session.add(feed)
    session.flush()
    _audit(session, feed, "feed_created", name=feed.name)
    return feed


def edit_feed(session: Session, feed_id: UUID, values: Mapping[str, Any]) -> Feed:
    """Set columns of a feed. Raises FeedNotFoundError, and ValidationFailedError as `create_feed`."""
    feed = feed_service.get_feed(session, feed_id)
    present = {name: getattr(feed, name) for name in ("url", "every_hours", "next_run_at")}
    checked = _checked(session, feed_id, {**present, **values})
    if checked["every_hours"] == feed.every_hours:
        checked["next_run_at"] = feed.next_run_at
    return feed_service.change_feed(session, feed_id, checked)


def move_feed(session: Session, feed_id: UUID, direction: Literal["up", "down"]) -> None:
    """Ask a feed before the one above it, or after the one below. Raises FeedNotFoundError."""
    feed = feed_service.get_feed(session, feed_id)
    feeds = list(feed_service.list_feeds(session))
    place = feeds.index(feed)
    other = place - 1 if direction == "up" else place + 1
    if not 0 <= other < len(feeds):
        return
    feeds[place], feeds[other] = feeds[other], feeds[place]
    for position, one in enumerate(feeds, 1):
        one.position = position
    session.flush()
    feed_rule_service.forget_fetched(session, None)
    _audit(session, feed, "feed_moved", name=feed.name)


def delete_feed(session: Session, feed_id: UUID) -> None:
    """Remove a feed with its rows, rules, imports and their files; the products that it made stay.

    Raises FeedNotFoundError, and FeedBusyError while an import of it waits or runs.
    """
    feed = feed_service.get_feed(session, feed_id)
    of_feed = FeedImport.feed_id == feed_id
    at_work = select(FeedImport.id).join(
        Job, or_(Job.id == FeedImport.job_id, Job.id == FeedImport.undo_job_id)
    )
    if session.scalar(at_work.where(of_feed, Job.state.in_(_UNFINISHED)).limit(1)):
        raise FeedBusyError
    keys = session.scalars(
        select(FeedImport.storage_key).where(of_feed, FeedImport.storage_key.is_not(None)).distinct()
    ).all()
    _audit(session, feed, "feed_deleted", name=feed.name)
    session.execute(delete(MarketplaceProduct).where(MarketplaceProduct.feed_id == feed_id))
    session.delete(feed)
    session.flush()
    storage = get_storage(get_settings())
    for key in keys:
        storage.delete(key or "")


def count_rows(session: Session, feed_id: UUID) -> int:
    """How many rows the feed has now."""
    rows = select(func.count()).select_from(MarketplaceProduct)
    of_feed = (MarketplaceProduct.feed_id == feed_id, MarketplaceProduct.missing_since.is_(None))
    return session.scalar(rows.where(*of_feed)) or 0


def look_at(row: FeedImport) -> Look | None:
    """Header and first rows of an import's file; None when there is none any more. Raises a FeedError."""
    if row.storage_key is None:
        return None
    storage = get_storage(get_settings())
    try:
        path = storage.path(row.storage_key)
    except NotFoundError:
        return None
    with TemporaryDirectory(prefix="wizamart-feed-") as folder:
        return look(path, Path(folder))


def last_with_file(session: Session, feed_id: UUID) -> FeedImport | None:
    """The newest import of a feed whose file was stored."""
    found = select(FeedImport).where(FeedImport.feed_id == feed_id, FeedImport.storage_key.is_not(None))
    return session.scalar(found.order_by(FeedImport.id.desc()).limit(1))


def _checked(session: Session, feed_id: UUID, values: dict[str, Any]) -> dict[str, Any]:
    url, hours = values.get("url") or None, values.get("every_hours") or None
    if "name" in values:
        taken = select(Feed.id).where(Feed.name == values["name"], Feed.id != feed_id)
        if session.scalar(taken.limit(1)):
            raise _refused("name", "marketplace.feeds.name_taken")
    if hours and not url:
        raise _refused("schedule", "marketplace.feeds.schedule_needs_url")
    if url:
        try:
            url = str(check_url(url, get_settings()))
        except UrlRefusedError as error:
            raise _refused("url", problem_key(error.code, error.params), error.params) from error
    next_run_at = clock.now() + timedelta(hours=hours) if hours else None
    return {**values, "url": url, "every_hours": hours, "next_run_at": next_run_at}


def _free_name(session: Session, language: str) -> str:
    name = translate(language, "marketplace.feeds.default_name", language=language.upper())
    taken = set(session.scalars(select(Feed.name)))
    numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
    return next(one for one in (name, *numbered) if one not in taken)


def _refused(name: str, key: str, params: Mapping[str, Any] | None = None) -> ValidationFailedError:
    return ValidationFailedError(errors=[FieldError(name, "refused", key, params or {})])


def _audit(session: Session, feed: Feed, action: str, **details: Any) -> None:
    target = to_public(FEED_PREFIX, feed.id)
    record_audit(session, f"marketplace.{action}", vendor_id=feed.vendor_id, target=target, **details)
