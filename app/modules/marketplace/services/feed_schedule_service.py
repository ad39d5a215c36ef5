"""Feeds that are fetched by themselves: which are due, and starting their imports."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import TenantScope, acting_in
from app.modules.gates import find_closed
from app.modules.marketplace.enums import ErrorPolicy
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.services.export_round_service import open_vendor
from app.modules.marketplace.services.import_service import ImportRequest, start_import
from app.tasks.models import Job, JobState

_PORTION = 200
_UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


class DueFeed(NamedTuple):
    """A feed whose time has come."""

    id: UUID
    vendor_id: UUID


def list_due(session: Session) -> Sequence[DueFeed]:
    """The feeds whose time has come, those that wait longest first; a portion of them. Needs the system scope."""
    rows = session.execute(
        select(Feed.id, Feed.vendor_id)
        .where(Feed.next_run_at <= clock.now())
        .order_by(Feed.next_run_at, Feed.id)
        .limit(_PORTION)
    )
    return [DueFeed(*row) for row in rows]


def start_due(session: Session, due: DueFeed) -> bool:
    """Start the import of a due feed and say when the next one is; whether it was started. Needs the system scope.

    None is started while the last one of the feed is under way, while the vendor is on hold or may change nothing, or
    the module off for it.
    """
    is_open = open_vendor(due.vendor_id) is not None
    with acting_in(session, TenantScope(due.vendor_id)):
        feed = session.scalar(select(Feed).where(Feed.id == due.id).with_for_update(skip_locked=True))
        if feed is None or feed.next_run_at is None or feed.next_run_at > clock.now():
            return False
        feed.next_run_at = _following(feed)
        if not is_open or not feed.is_active or feed.url is None or _is_under_way(session, feed.id):
            return False
        if find_closed(session, due.vendor_id) is not None:
            return False
        request = ImportRequest(
            feed.language, ErrorPolicy(feed.policy), source_name=feed.url, url=feed.url, feed_id=feed.id
        )
        start_import(session, request)
        return True


def _following(feed: Feed) -> datetime | None:
    """The next time that is in the future, at the hours the feed always has; missed ones are not made up for."""
    if feed.every_hours is None or feed.next_run_at is None:
        return None
    step = timedelta(hours=feed.every_hours)
    missed = (clock.now() - feed.next_run_at) // step
    return feed.next_run_at + (missed + 1) * step


def _is_under_way(session: Session, feed_id: UUID) -> bool:
    statement = (
        select(FeedImport.id)
        .join(Job, Job.id == FeedImport.job_id)
        .where(FeedImport.feed_id == feed_id, Job.state.in_(_UNFINISHED))
    )
    return session.scalar(statement.limit(1)) is not None
