"""A vendor's settings for feeds."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.i18n import LANGUAGES
from app.modules.marketplace.models.feed_settings import FeedSettings


def create_feed_settings(session: Session, *, vendor_id: UUID, language: str) -> None:
    """The settings of a new vendor; nothing happens when there are some."""
    now = clock.now()
    values = {"vendor_id": vendor_id, "default_language": language, "feed_urls": {}}
    session.execute(
        insert(FeedSettings)
        .values(**values, created_at=now, updated_at=now, version=1)
        .on_conflict_do_nothing()
    )


def find_feed_settings(session: Session) -> FeedSettings | None:
    """The settings of the session's vendor; none while the vendor is brand new."""
    return session.scalar(select(FeedSettings))


def default_language(session: Session) -> str:
    """The language to offer first."""
    settings = find_feed_settings(session)
    language = settings.default_language if settings else get_settings().default_language
    return language if language in LANGUAGES else get_settings().default_language


def remember_url(session: Session, language: str, url: str) -> None:
    """Offer this address the next time a feed of the language is imported."""
    settings = find_feed_settings(session)
    if settings is not None:
        settings.feed_urls = {**settings.feed_urls, language: url}
