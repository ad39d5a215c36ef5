"""Notifications: shown, counted, mailed as people chose, and removed when they are old."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.core.database import PlatformScope
from app.core.ids import new_id
from app.modules.core import facade as core
from app.modules.core.contracts import Notice
from app.modules.core.exceptions import NotificationNotFoundError
from app.modules.core.services import notification_service as notifications
from app.modules.core.services.notification_service import JOB_ENDED, Choice
from app.modules.core.tests.conftest import Place, do_work

pytestmark = pytest.mark.demo_due

NOTICE = Notice(JOB_ENDED, "success", "core.list_jobs.export_succeeded", {"done": 3}, url="/vendor/MOSELLE")


def tell(place: Place, notice: Notice = NOTICE, *, user_id: UUID | None = None) -> UUID | None:
    with place.session() as session:
        return core.notify(session, notice, user_id=user_id or place.user_id, vendor_id=place.vendor_id)


def unread(place: Place, user_id: UUID | None = None) -> int:
    with place.session() as session:
        return notifications.unread_count(session, user_id or place.user_id)


def choose(place: Place, *, in_app: bool, by_email: bool) -> None:
    with place.session() as session:
        kind = next(kind for kind in notifications.kinds() if kind.code == JOB_ENDED)
        notifications.save_choices(session, place.user_id, [Choice(kind, in_app, by_email)])


def mails(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted((folder / "outbox").glob("*"))]


def test_people_see_their_own_only(moselle: Place, minett: Place) -> None:
    key = tell(moselle)
    assert key
    assert (unread(moselle), unread(moselle, moselle.colleague_id), unread(minett)) == (1, 0, 0)
    for place, user_id in ((moselle, moselle.colleague_id), (minett, moselle.user_id)):
        with place.session() as session, pytest.raises(NotificationNotFoundError):
            notifications.mark_read(session, user_id, key)


def test_reading_lowers_the_count(moselle: Place) -> None:
    first = tell(moselle)
    tell(moselle)
    assert first
    with moselle.session() as session:
        notifications.mark_read(session, moselle.user_id, first)
    assert unread(moselle) == 1
    with moselle.session() as session:
        notifications.mark_read(session, moselle.user_id, first, is_read=False)
    assert unread(moselle) == 2
    with moselle.session() as session:
        notifications.mark_all_read(session, moselle.user_id)
    assert unread(moselle) == 0
    with moselle.session() as session:
        assert len(notifications.list_notifications(session, moselle.user_id, limit=9)) == 2
        assert notifications.list_notifications(session, moselle.user_id, limit=9, is_unread=True) == []


def test_pages_go_on_where_the_last_one_ended(moselle: Place) -> None:
    keys = [tell(moselle) for _ in range(5)]
    with moselle.session() as session:
        first = notifications.list_notifications(session, moselle.user_id, limit=3)
        rest = notifications.list_notifications(session, moselle.user_id, limit=3, before=first[-1].id)
    assert [row.id for row in [*first, *rest]] == keys[::-1]


def test_mail_goes_out_where_it_is_wanted_and_in_the_readers_language(moselle: Place, data_dir: Path) -> None:
    tell(moselle)
    do_work()
    assert mails(data_dir) == []
    choose(moselle, in_app=False, by_email=True)
    moselle.rows("UPDATE users SET language = 'de' WHERE id = :id", id=moselle.user_id)
    tell(moselle)
    do_work()
    (mail,) = mails(data_dir)
    assert "owner@moselle.example" in mail
    assert "Ihr Export ist bereit: 3 Zeilen" in mail
    assert "/vendor/MOSELLE" in mail
    assert unread(moselle) == 1


def test_who_wants_nothing_is_told_nothing(moselle: Place) -> None:
    choose(moselle, in_app=False, by_email=False)
    assert tell(moselle) is None
    assert moselle.rows("SELECT FROM notifications") == []


def test_the_end_of_a_job_is_told_to_who_started_it(moselle: Place) -> None:
    with moselle.session() as session:
        core.notify_job_ended(session, NOTICE, "failed", user_id=moselle.user_id, vendor_id=moselle.vendor_id)
        assert core.notify_job_ended(session, NOTICE, "succeeded", user_id=None) is None
    assert [tuple(row) for row in moselle.rows("SELECT kind, tone FROM notifications")] == [
        (JOB_ENDED, "danger")
    ]


def test_a_rolled_back_act_tells_nobody(moselle: Place) -> None:
    with suppress(ZeroDivisionError), moselle.session() as session:
        core.notify(session, NOTICE, user_id=moselle.user_id, vendor_id=moselle.vendor_id)
        raise ZeroDivisionError
    assert unread(moselle) == 0


def test_admins_of_some_platforms_read_their_own(operator: Place) -> None:
    part = replace(operator, scope=PlatformScope((new_id(),), ()))
    tell(operator)
    assert unread(part) == 1
    with part.session() as session:
        notifications.mark_all_read(session, part.user_id)
    assert unread(part) == 0


def test_old_ones_are_removed(moselle: Place) -> None:
    tell(moselle)
    tell(moselle)
    moselle.rows(
        "UPDATE notifications SET created_at = created_at - cast(:age AS interval) "
        "WHERE id = (SELECT id FROM notifications ORDER BY id LIMIT 1)",
        age=timedelta(days=91),
    )
    with moselle.session() as session:
        assert notifications.delete_old(session, 90) == 1
    assert unread(moselle) == 1
