"""A vendor's settings for feeds."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.i18n import LANGUAGES
from app.core.ids import to_public
from app.modules.marketplace.models.feed_settings import FeedSettings
from app.modules.marketplace.services.feed_change_service import announce_change
from app.modules.tenancy.facade import record_audit


def create_feed_settings(session: Session, *, vendor_id: UUID, language: str) -> None:
    """The settings of a new vendor; nothing happens when there are some."""
    now = clock.now()
    values = {"vendor_id": vendor_id, "default_language": language}
    session.execute(
        insert(FeedSettings)
        .values(**values, created_at=now, updated_at=now, version=1)
        .on_conflict_do_nothing()
    )


def find_feed_settings(session: Session) -> FeedSettings | None:
    """The settings of the session's vendor; none while the vendor is brand new."""
    return session.scalar(select(FeedSettings))


def change_feed_settings(session: Session, *, vendor_id: UUID, values: Mapping[str, Any]) -> None:
    """Set what exports and imports go by."""
    settings = find_feed_settings(session)
    if settings is None:
        create_feed_settings(session, vendor_id=vendor_id, language=values["default_language"])
        settings = session.scalars(select(FeedSettings)).one()
    changed = sorted(name for name, value in values.items() if getattr(settings, name) != value)
    if not changed:
        return
    for name in changed:
        setattr(settings, name, values[name])
    session.flush()
    target = to_public("vnd", vendor_id)
    record_audit(
        session,
        "marketplace.feed_settings_changed",
        vendor_id=vendor_id,
        target=target,
        fields=", ".join(changed),
    )
    announce_change(session, vendor_id)


def default_language(session: Session) -> str:
    """The language to offer first."""
    settings = find_feed_settings(session)
    language = settings.default_language if settings else get_settings().default_language
    return language if language in LANGUAGES else get_settings().default_language
