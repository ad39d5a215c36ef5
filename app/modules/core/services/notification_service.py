"""Telling people: in the bell, and by e-mail where they want that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id
from app.modules.base import Area
from app.modules.core.contracts import NOTIFICATION_KINDS, Notice, NotificationKind
from app.modules.core.exceptions import NotificationNotFoundError
from app.modules.core.models.notification import Notification, NotificationPreference
from app.modules.core.services.reach_service import own_rows, vendor_of
from app.tasks.dispatcher import dispatch
from app.tasks.models import JobState

NOTIFICATION_PREFIX = "ntf"
JOB_ENDED, WEBHOOK_DISABLED = "core.job_ended", "core.webhook_disabled"
MAX_UNREAD = 100  # the bell counts no further
_EMAIL = "app.modules.core.tasks.notifications.send_notification_email"
_DELETE_BATCH = 5000
_JOB_TONES = {JobState.SUCCEEDED: "success", JobState.FAILED: "danger", JobState.CANCELLED: "warning"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of notification with what one person chose, or its default."""

    kind: NotificationKind
    in_app: bool
    by_email: bool


def core_kinds() -> Sequence[NotificationKind]:
    """What the core module itself tells people."""
    return (
        NotificationKind(JOB_ENDED, "core.notifications.kind_job_ended"),
        NotificationKind(WEBHOOK_DISABLED, "core.notifications.kind_webhook_disabled", by_email=True),
    )


def kinds(area: Area | None = None) -> list[NotificationKind]:
    """All kinds that installed modules declare, for one area or for both."""
    declared = [kind for ask in NOTIFICATION_KINDS.implementations() for kind in ask()]
    return [kind for kind in declared if area is None or area in kind.areas]


def notify(session: Session, notice: Notice, *, user_id: UUID, vendor_id: UUID | None = None) -> UUID | None:
    """Tell one person something, in the caller's transaction; the notification's id, None if they want none of it.

    ``vendor_id``: where it belongs; without one it is shown in the operator's area.
    """
    in_app, by_email = _wanted(session, notice.kind, user_id, vendor_id)
    if not in_app and not by_email:
        return None
    notification = Notification(
        id=new_id(),
        vendor_id=vendor_id,
        user_id=user_id,
        kind=notice.kind,
        tone=notice.tone,
        title_key=notice.title_key,
        params=dict(notice.params),
        text=notice.text,
        url=notice.url,
        is_shown=in_app,
    )
    session.add(notification)
    session.flush()
    if by_email:
        dispatch(session, _EMAIL, kwargs={"notification_id": notification.id}, vendor_id=vendor_id)
    return notification.id


def notify_job_ended(
    session: Session, what: Notice, state: str, *, user_id: UUID | None, vendor_id: UUID | None = None
) -> UUID | None:
    """Tell the person who started a job that it ended: ``state`` is succeeded, failed or cancelled and sets the tone.

    Without ``user_id`` (nobody started it) nobody is told. ``what``: title, text and address; its kind and tone are
    set here.
    """
    if user_id is None:
        return None
    notice = Notice(JOB_ENDED, _JOB_TONES[JobState(state)], what.title_key, what.params, what.text, what.url)
    return notify(session, notice, user_id=user_id, vendor_id=vendor_id)


def unread_count(session: Session, user_id: UUID) -> int:
    """How many a person has not read, counted no further than ``MAX_UNREAD``."""
    with own_rows(session):
        unread = _own(session, user_id).where(Notification.read_at.is_(None), Notification.is_shown)
        limited = unread.with_only_columns(Notification.id).limit(MAX_UNREAD).subquery()
        return session.scalar(select(func.count()).select_from(limited)) or 0


def list_notifications(
    session: Session, user_id: UUID, *, limit: int, before: UUID | None = None, is_unread: bool = False
) -> Sequence[Notification]:
    """A person's notifications, the newest first (older than ``before``)."""
    statement = _own(session, user_id).where(Notification.is_shown)
    if before is not None:
        statement = statement.where(Notification.id < before)
    if is_unread:
        statement = statement.where(Notification.read_at.is_(None))
    with own_rows(session):
        return session.scalars(statement.order_by(Notification.id.desc()).limit(limit)).all()


def mark_read(
    session: Session, user_id: UUID, notification_id: UUID, *, is_read: bool = True
) -> Notification:
    """Mark one as read, or as unread again. Raises NotificationNotFoundError."""
    with own_rows(session):
        found: Notification | None = session.scalar(
            _own(session, user_id).where(Notification.id == notification_id)
        )
        if found is None:
            raise NotificationNotFoundError
        found.read_at = (found.read_at or clock.system_now()) if is_read else None
        session.flush()
        return found


def mark_all_read(session: Session, user_id: UUID) -> None:
    """Mark all of a person's as read."""
    with own_rows(session):
        session.execute(
            update(Notification)
            .where(*_place(session, user_id), Notification.read_at.is_(None))
            .values(read_at=clock.system_now())
        )


def list_choices(session: Session, user_id: UUID, area: Area) -> list[Choice]:
    """Every kind of an area with what the person chose."""
    with own_rows(session):
        rows = session.scalars(_preferences(user_id, vendor_of(session))).all()
    chosen = {row.kind: row for row in rows}
    return [
        Choice(kind, row.in_app, row.by_email)
        if (row := chosen.get(kind.code))
        else Choice(kind, True, kind.by_email)
        for kind in kinds(area)
    ]


def save_choices(session: Session, user_id: UUID, choices: Sequence[Choice]) -> None:
    """Keep what a person chose."""
    vendor_id = vendor_of(session)
    with own_rows(session):
        rows = {row.kind: row for row in session.scalars(_preferences(user_id, vendor_id))}
        for choice in choices:
            row = rows.get(choice.kind.code)
            if row is None:
                row = NotificationPreference(
                    id=new_id(), vendor_id=vendor_id, user_id=user_id, kind=choice.kind.code
                )
                session.add(row)
            row.in_app, row.by_email = choice.in_app, choice.by_email
        session.flush()


def delete_old(session: Session, days: int) -> int:
    """Remove what is older than so many days, in parts; how many."""
    before = clock.system_now() - timedelta(days=days)
    old = select(Notification.id).where(Notification.created_at < before).limit(_DELETE_BATCH)
    removed = session.execute(delete(Notification).where(Notification.id.in_(old)).returning(Notification.id))
    return len(removed.all())


def _wanted(session: Session, kind: str, user_id: UUID, vendor_id: UUID | None) -> tuple[bool, bool]:
    with own_rows(session):
        row = session.scalar(_preferences(user_id, vendor_id).where(NotificationPreference.kind == kind))
    if row is not None:
        return row.in_app, row.by_email
    return True, any(one.by_email for one in kinds() if one.code == kind)


def _preferences(user_id: UUID, vendor_id: UUID | None) -> Any:
    place = (
        NotificationPreference.vendor_id == vendor_id
        if vendor_id
        else NotificationPreference.vendor_id.is_(None)
    )
    return select(NotificationPreference).where(place, NotificationPreference.user_id == user_id)


def _place(session: Session, user_id: UUID) -> tuple[Any, ...]:
    vendor_id = vendor_of(session)
    here = Notification.vendor_id == vendor_id if vendor_id else Notification.vendor_id.is_(None)
    return here, Notification.user_id == user_id


def _own(session: Session, user_id: UUID) -> Any:
    return select(Notification).where(*_place(session, user_id))
