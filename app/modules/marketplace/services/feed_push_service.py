"""Products and stock out: what changed is written into the feeds at once and told to the vendor's marketplaces.

A change notes its time in the connection and makes one job, which waits a moment for more of them. The job forgets that
time when it begins, so that whatever changes from then on makes another one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.database import after_commit
from app.core.i18n import LANGUAGES
from app.core.ids import new_id
from app.core.storage import get_storage
from app.modules.marketplace.contracts import Ability, Channel, Connector
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.feed_export import FeedExport
from app.modules.marketplace.services import feed_export_service, notice_service
from app.modules.marketplace.services.channel_stock_service import units_by_sku, vendor_of
from app.modules.marketplace.services.connection_service import Line, find_connector, get_connection
from app.modules.marketplace.services.export_round_service import is_due
from app.modules.marketplace.services.export_sending_service import find_sent, send
from app.modules.marketplace.services.export_service import export_file_name
from app.modules.marketplace.services.feed_change_service import announce_change
from app.modules.state import kept
from app.modules.tenancy import facade as tenancy
from app.tasks.dispatcher import dispatch

_TASK = "app.modules.marketplace.tasks.feed_push.push_changes"
_WAIT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Push:
    """What a marketplace is to be told: files by language, and units by SKU where it takes them. ``key`` names it."""

    files: Sequence[tuple[str, Path, str]]
    levels: dict[str, int] | None
    key: str

    def tell(self, line: Line) -> None:
        """Say it. No transaction is open. Raises as `Channel` does."""
        for language, file, key in self.files:
            line.ask("feed", partial(_hand, language, file, key))
        levels = self.levels
        if levels is not None:
            line.ask("levels", lambda channel: channel.tell_levels(levels, key=self.key))


def _hand(language: str, file: Path, key: str, channel: Channel) -> None:
    channel.hand_feed(language, file, key=key)


def note_changed(session: Session) -> None:
    """Have the vendor's marketplaces told what its products and stock are now; once, however often this is called."""
    known = select(Connection.id, Connection.connector).where(Connection.is_on).order_by(Connection.id)
    for connection_id, code in session.execute(known).all():
        connector = find_connector(vendor_of(session), code)
        if connector is None or not connector.abilities & {Ability.FEED, Ability.STOCK}:
            continue
        since = session.scalar(
            update(Connection)
            .where(Connection.id == connection_id)
            .values(feed_changed_at=func.coalesce(Connection.feed_changed_at, clock.now()))
            .returning(Connection.feed_changed_at)
        )
        assert since is not None
        _dispatch(session, connection_id, unique_key=f"{_TASK}:{connection_id}:{since.timestamp()}")


def on_levels(session: Session, vendor_id: UUID) -> None:
    """Have the vendor's marketplaces told by a job: the connection's row is not locked while orders are placed.

    Whether there is a marketplace is known to a second or two; whoever connects one has everything told anyway.
    """
    is_on = select(Connection.id).where(Connection.is_on).limit(1)
    if kept(f"marketplace.is_connected:{vendor_id}", lambda: session.scalar(is_on) is not None):
        announce_change(session, vendor_id)


def send_again(session: Session, connection_id: UUID) -> UUID:
    """Have the files sent again under a new tag, though nothing changed, and all levels told; returns the job's id."""
    return _dispatch(session, connection_id, unique_key=f"{_TASK}:{connection_id}:again", is_again=True)


def _dispatch(session: Session, connection_id: UUID, *, unique_key: str, is_again: bool = False) -> UUID:
    return dispatch(
        session,
        _TASK,
        kwargs={"connection_id": connection_id, "is_again": is_again},
        vendor_id=vendor_of(session),
        run_after=clock.now() + (timedelta() if is_again else _WAIT),
        ordering_key=f"marketplace.push:{connection_id}",
        unique_key=unique_key,
        cause="user" if is_again else "event",
    ).id


def begin(session: Session, connection_id: UUID) -> Connector | None:
    """What changes from now on needs another push. None: the connection is off, or its connector is not there.

    Raises ConnectionNotFoundError.
    """
    get_connection(session, connection_id)
    code = session.scalar(
        update(Connection)
        .where(Connection.id == connection_id, Connection.is_on)
        .values(feed_changed_at=None)
        .returning(Connection.connector)
    )
    return find_connector(vendor_of(session), code) if code else None


def list_languages(session: Session) -> list[str]:
    """The languages in which the vendor has a file."""
    return [language for language in LANGUAGES if is_due(session, language)]


def write_file(session: Session, language: str, *, job_id: UUID, is_again: bool) -> str:
    """Write a language's file and send it, unless the guard holds it or nothing changed: which of these it was.

    Of the files that were written so before, none is kept but the one sent last. ``is_again``: send also what did not
    change.
    """
    vendor_id = vendor_of(session)
    vendor = tenancy.find_vendor(vendor_id=vendor_id)
    assert vendor is not None
    row = FeedExport(
        id=new_id(),
        vendor_id=vendor_id,
        language=language,
        file_name=export_file_name(vendor.code, language),
        is_push=True,
        job_id=job_id,
    )
    session.add(row)
    session.flush()
    for _ in feed_export_service.write_export(session, row.id):
        pass
    outcome = feed_export_service.sending_of(row)
    if outcome == "unchanged":
        sent = find_sent(session, language)
        if is_again and sent is not None:
            send(session, sent)
        session.delete(row)
    elif outcome == "sent":
        _forget_others(session, row)
    elif not _forget_others(session, row):  # it was not held before
        notice_service.tell_export_ended(session, row.id)
    session.flush()
    return outcome


def _forget_others(session: Session, row: FeedExport) -> bool:
    """Remove the pushes that this one takes the place of; whether there was one that was held."""
    sent = find_sent(session, row.language)
    others = select(FeedExport).where(
        FeedExport.is_push,
        FeedExport.language == row.language,
        FeedExport.id.not_in([row.id, sent.id if sent else row.id]),
    )
    was_held = False
    for other in session.scalars(others).all():
        was_held = was_held or other.sent_at is None
        if other.storage_key is not None:
            after_commit(session, _deleting(other.storage_key))
        session.delete(other)
    return was_held


def _deleting(key: str) -> Callable[[], None]:
    return lambda: get_storage(get_settings()).delete(key)


def collect(session: Session, connector: Connector, key: str) -> Push:
    """What is to be told now: the files that were sent last, and the levels."""
    files = []
    if Ability.FEED in connector.abilities:
        for language in LANGUAGES:
            sent = find_sent(session, language)
            path = feed_export_service.file_of(sent) if sent else None
            if sent is not None and path is not None:
                files.append((language, path, f"{sent.id}:{sent.sent_at}"))
    levels = units_by_sku(session, connector.code) if Ability.STOCK in connector.abilities else None
    return Push(files, levels, key)
