"""What the operator decides about schedules is obeyed, kept and audited."""

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.modules import state
from app.tasks.errors import CronError, ScheduleNotFoundError
from app.tasks.ports import Schedule
from app.tasks.schedule_cli import schedule_app
from app.tasks.ticks import make_ticks
from tests.reliability import ledger_tasks as _tasks  # noqa: F401  registers them

pytestmark = [pytest.mark.reliability, pytest.mark.usefixtures("ledger_db", "hourly")]
NAME = "test.each_hour"


@pytest.fixture
def hourly(framework):
    """One schedule, due each hour."""
    former = clock.offset()
    schedule = Schedule(
        NAME, "tests.reliability.ledger_tasks.note", "0 * * * *", {"number": 1}, catch_up="all"
    )
    framework(schedules=lambda: [schedule], schedule_is_on=lambda _name: True)
    make_ticks()
    yield
    clock.set_offset(former)


def command(*words):
    return CliRunner().invoke(schedule_app, words)


def forward(**time):
    with unit_of_work(SYSTEM) as session:
        state.set_clock_offset(session, clock.offset() + timedelta(**time))
    state.forget_snapshot()
    state.refresh()


def test_a_paused_schedule_makes_nothing_until_it_is_resumed(query):
    assert command("pause", NAME).exit_code == 0
    assert "yes" in command("list").stdout.lower() or "true" in command("list").stdout.lower()
    forward(hours=3)
    assert make_ticks() == 0
    assert command("resume", NAME).exit_code == 0
    assert make_ticks() == 0  # what fell due meanwhile is let pass
    forward(hours=1)
    assert make_ticks() == 1
    audited = query("SELECT action, target, details ->> 'by' AS who FROM audit_log ORDER BY id")
    assert [tuple(row) for row in audited] == [
        ("tasks.schedule_paused", NAME, "command line"),
        ("tasks.schedule_resumed", NAME, "command line"),
    ]


def test_resuming_does_not_make_up_even_when_no_beat_ran_meanwhile():
    command("pause", NAME)
    forward(hours=5)
    command("resume", NAME)
    assert make_ticks() == 0


def test_run_now_makes_one_job_and_no_tick(query):
    first, second = command("run", NAME, "--json"), command("run", NAME, "--json")
    assert ('"created":true' in first.stdout, '"created":false' in second.stdout) == (True, True)
    assert query("SELECT cause, unique_key FROM jobs") == [("user", f"schedule:{NAME}")]
    assert query("SELECT count(*) FROM ticks") == [(0,)]
    assert query("SELECT count(*) FROM audit_log WHERE action = 'tasks.schedule_run'") == [(2,)]


def test_another_cron_holds_until_it_is_taken_back(query):
    assert command("change", NAME, "--cron", "*/10 * * * *").exit_code == 0
    forward(hours=1)
    assert make_ticks() == 6
    assert command("change", NAME).exit_code == 0
    forward(hours=2)
    assert make_ticks() == 2
    assert query("SELECT cron FROM schedule_states WHERE name = :name", name=NAME) == [(None,)]


def test_what_does_not_exist_is_refused(query):
    assert isinstance(command("pause", "no.such").exception, ScheduleNotFoundError)
    assert isinstance(command("change", NAME, "--cron", "61 * * * *").exception, CronError)
    assert query("SELECT count(*) FROM audit_log") == [(0,)]
