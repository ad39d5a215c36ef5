"""The round over all vendors: every file that others fetch is written anew."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.database import TenantScope, acting_in
from app.core.i18n import LANGUAGES
from app.modules.catalog import facade as catalog
from app.modules.gates import find_closed
from app.modules.marketplace.models.feed_export import FeedExport
from app.modules.marketplace.services.export_sending_service import find_sent
from app.modules.marketplace.services.feed_export_service import start_export
from app.modules.state import is_enabled
from app.modules.tenancy import facade as tenancy
from app.modules.tenancy.contracts import VendorInfo
from app.tasks.models import Job, JobState

_UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


class Due(NamedTuple):
    """A vendor and the languages that it has a file in."""

    vendor_id: UUID
    code: str
    languages: Sequence[str]


def open_vendor(vendor_id: UUID) -> VendorInfo | None:
    """The vendor; None while it is on hold, the module is off for it, or there is none. Opens its own transaction."""
    vendor = tenancy.find_vendor(vendor_id=vendor_id)
    if vendor is None or not vendor.is_active or not is_enabled("marketplace", vendor.platform_ids):
        return None
    return vendor


def list_due(session: Session) -> list[Due]:
    """All vendors with something to export, by code; not those whose subscription has ended. Needs the system scope."""
    names = tenancy.vendor_names()
    due = []
    for vendor_id, code in session.execute(select(names.c.id, names.c.code).order_by(names.c.code)).all():
        if open_vendor(vendor_id) is None:
            continue
        with acting_in(session, TenantScope(vendor_id)):
            if find_closed(session, vendor_id) is not None:
                continue
            languages = [language for language in LANGUAGES if is_due(session, language)]
        if languages:
            due.append(Due(vendor_id, code, languages))
    return due


def start_exports(session: Session, due: Due, *, parent_id: UUID) -> int:
    """Queue the vendor's exports, unless one by itself is under way; how many. Needs the system scope."""
    started = 0
    with acting_in(session, TenantScope(due.vendor_id)):
        for language in due.languages:
            if not _is_under_way(session, language):
                start_export(
                    session,
                    vendor_id=due.vendor_id,
                    vendor_code=due.code,
                    language=language,
                    user_id=None,
                    parent_id=parent_id,
                )
                started += 1
    return started


def is_due(session: Session, language: str) -> bool:
    """Whether there is something to write in a language. Where the last product has gone, the file that was sent still
    says otherwise."""
    if catalog.open_preview(session, language=language, limit=0).total:
        return True
    sent = find_sent(session, language)
    return sent is not None and sent.rows > 0


def _is_under_way(session: Session, language: str) -> bool:
    waiting = (
        select(FeedExport.id)
        .join(Job, Job.id == FeedExport.job_id)
        .where(FeedExport.language == language, FeedExport.created_by.is_(None), Job.state.in_(_UNFINISHED))
    )
    return session.scalar(waiting.limit(1)) is not None
