"""Sending an export: it becomes the file that the vendor's signed address gives, and the folder of the installation."""

import os
import shutil
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from app.core import clock
from app.core.config import get_settings
from app.core.errors import ConfigurationError
from app.core.ids import to_public
from app.core.storage import atomic_file, get_storage
from app.modules.marketplace.config import MarketplaceSettings
from app.modules.marketplace.exceptions import ExportNotFoundError, ExportNotHeldError
from app.modules.marketplace.models.feed_export import FeedExport
from app.modules.tenancy.facade import record_audit

_LATER = aliased(FeedExport)
IS_SENT_LAST = (
    FeedExport.sent_at.is_not(None)
    & ~select(_LATER.id)
    .where(
        _LATER.vendor_id == FeedExport.vendor_id,
        _LATER.language == FeedExport.language,
        _LATER.sent_at > FeedExport.sent_at,
    )
    .exists()
)
"""Whether an export is the one that the address gives: its file is never removed."""

_READABLE_BY_ALL = 0o644  # the folder is there for others; who may enter it is up to its owner


def find_sent(session: Session, language: str) -> FeedExport | None:
    """The export in a language that was sent last."""
    return session.scalar(select(FeedExport).where(FeedExport.language == language, IS_SENT_LAST))


def send(session: Session, row: FeedExport) -> None:
    """Make an export the file that others get. Raises ConfigurationError when the folder cannot be written."""
    former = find_sent(session, row.language)
    # HTTP tells times in whole seconds, and each file must have a later one than the file before.
    soonest = former.sent_at + timedelta(seconds=1) if former and former.sent_at else clock.now()
    row.sent_at = max(clock.now(), soonest)
    session.flush()
    put_in_folder(row)


def put_in_folder(row: FeedExport) -> None:
    """Put the file of an export into the folder of the installation, as a whole; nothing where there is no folder.

    Raises ConfigurationError when that cannot be written.
    """
    folder = MarketplaceSettings().export_folder
    if folder is None or row.storage_key is None:
        return
    target = folder / row.file_name
    try:
        with get_storage(get_settings()).open(row.storage_key) as source, atomic_file(target) as file:
            os.fchmod(file.fileno(), _READABLE_BY_ALL)
            shutil.copyfileobj(source, file, 1024 * 1024)
    except OSError as error:
        raise ConfigurationError(
            f"MARKETPLACE_EXPORT_FOLDER: {target} cannot be written: {error.strerror}."
        ) from None


def is_in_folder(row: FeedExport) -> bool:
    """Whether the file is where it should be, or nobody wants it in a folder."""
    folder = MarketplaceSettings().export_folder
    return folder is None or (folder / row.file_name).is_file()


def is_held(session: Session, row: FeedExport) -> bool:
    """Whether an export waits until somebody confirms it: the guard objected, and no newer one was sent."""
    if row.sent_at is not None or not row.findings:
        return False
    sent = find_sent(session, row.language)
    return sent is None or sent.created_at < row.created_at


def confirm_export(session: Session, export_id: UUID) -> None:
    """Send an export that is held; one that was sent stays sent.

    Raises ExportNotFoundError, also when the file was removed, and ExportNotHeldError.
    """
    row = session.scalar(select(FeedExport).where(FeedExport.id == export_id).with_for_update())
    if row is None:
        raise ExportNotFoundError
    if row.sent_at is not None:
        return
    if not is_held(session, row):
        raise ExportNotHeldError
    if row.storage_key is None or not get_storage(get_settings()).exists(row.storage_key):
        raise ExportNotFoundError
    send(session, row)
    target = to_public("exp", row.id)
    record_audit(session, "marketplace.export_confirmed", vendor_id=row.vendor_id, target=target)
