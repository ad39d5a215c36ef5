"""Schedules: catch-up rules against brute force, ticks made once."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.modules import state
from app.modules.tasks import cron_of
from app.tasks import ports
from app.tasks.ports import Schedule
from app.tasks.runner import run_until_idle
from app.tasks.ticks import GRACE, due_times, make_ticks
from tests.reliability import ledger_tasks as _tasks  # noqa: F401  registers them

START = datetime(2026, 2, 27, 22, 50, tzinfo=UTC)
TASK = "tests.reliability.ledger_tasks.note"

fields = st.tuples(
    st.sampled_from(["*", "*/7", "0", "5,35", "59", "10-20"]),
    st.sampled_from(["*", "*/6", "0", "23", "3,4"]),
    st.sampled_from(["*", "1", "28", "*/2"]),
    st.sampled_from(["*", "2", "3"]),
    st.sampled_from(["*", "0", "1-5", "6"]),
)


def brute_force(parts, after, until):
    """Looks at each minute."""
    minutes, hours, days, months, weekdays = (
        numbers(part, *bounds)
        for part, bounds in zip(parts, ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6)), strict=True)
    )
    both = parts[2].startswith("*") or parts[4].startswith("*")
    moment = after.replace(second=0, microsecond=0)
    found = []
    while moment <= until:
        by_day, by_weekday = moment.day in days, moment.isoweekday() % 7 in weekdays
        on_day = (by_day and by_weekday) if both else (by_day or by_weekday)
        if (
            moment > after
            and on_day
            and moment.minute in minutes
            and moment.hour in hours
            and moment.month in months
        ):
            found.append(moment)
        moment += timedelta(minutes=1)
    return found


def numbers(part, low, high):
    if part.startswith("*"):
        return set(range(low, high + 1, int(part.partition("/")[2] or 1)))
    if "-" in part:
        first, last = part.split("-")
        return set(range(int(first), int(last) + 1))
    return {int(number) for number in part.split(",")}


@given(fields, st.integers(0, 3000 * 60), st.integers(0, 3000 * 60), st.integers(0, 999_999))
def test_due_times_are_those_of_brute_force(parts, offset, length, microseconds):
    after = START + timedelta(seconds=offset)
    until = after + timedelta(seconds=length, microseconds=microseconds)
    expected = brute_force(parts, after, until)
    cron = " ".join(parts)
    assert due_times(cron, after, until, "all") == expected[:100]
    assert due_times(cron, after, until, "once") == expected[-1:]
    assert due_times(cron, after, until, "skip") == [due for due in expected[-1:] if until - due <= GRACE]


def test_a_crontabs_arguments_are_read_as_cron():
    assert cron_of("5 0 * * *") == "5 0 * * *"
    assert cron_of({"minute": 30}) == "30 * * * *"
    assert cron_of({"minute": 0, "hour": [3, 4], "day_of_week": "sun"}) == "0 3,4 * * sun"


@pytest.fixture
def one_schedule(framework, ledger_db):
    """Registers one schedule due each minute; moving the business clock makes it due."""
    former = clock.offset()

    def use(**options):
        schedule = Schedule("test.each_minute", TASK, "* * * * *", {"number": 1}, **options)
        framework(schedules=lambda: [schedule], schedule_is_on=lambda _name: True)

    yield use
    clock.set_offset(former)


def forward(**time):
    with unit_of_work(SYSTEM) as session:
        state.set_clock_offset(session, clock.offset() + timedelta(**time))
    state.forget_snapshot()
    state.refresh()


def test_many_beats_make_each_tick_once(one_schedule, query):
    one_schedule(catch_up="all", overlap="allow")
    make_ticks()
    forward(minutes=7)
    made = []
    beats = [threading.Thread(target=lambda: made.append(make_ticks())) for _ in range(4)]
    for beat in beats:
        beat.start()
    for beat in beats:
        beat.join()
    assert sum(made) == 7
    assert query("SELECT count(*), count(DISTINCT due_at), count(job_id) FROM ticks") == [(7, 7, 7)]
    assert query("SELECT count(*) FROM jobs WHERE cause = 'schedule'") == [(7,)]


def test_a_new_schedule_starts_now_and_once_makes_the_last_tick(one_schedule, query):
    one_schedule()
    assert make_ticks() == 0
    forward(hours=3)
    assert (make_ticks(), make_ticks()) == (1, 0)
    (tick,) = query("SELECT due_at FROM ticks")
    assert timedelta(0) <= clock.now() - tick.due_at <= timedelta(minutes=1)


def test_overlap_skip_makes_a_tick_without_a_job(one_schedule, query):
    one_schedule(overlap="skip")
    make_ticks()
    for _ in range(2):
        forward(minutes=1)
        assert make_ticks() == 1
    assert [row.job_id is None for row in query("SELECT job_id FROM ticks ORDER BY due_at")] == [False, True]
    run_until_idle(["default"], timeout_seconds=10)
    forward(minutes=1)
    make_ticks()
    assert query("SELECT count(job_id) FROM ticks") == [(2,)]


def test_overlap_queue_runs_one_after_the_other(one_schedule, query):
    one_schedule(overlap="queue", catch_up="all")
    make_ticks()
    forward(minutes=3)
    make_ticks()
    assert query("SELECT DISTINCT ordering_key FROM jobs") == [("schedule:test.each_minute",)]
    run_until_idle(["default"], timeout_seconds=10)
    assert query("SELECT count(*) FROM jobs WHERE state = 'succeeded'") == [(3,)]


def test_what_falls_due_while_off_or_paused_is_let_pass(one_schedule, framework, query):
    one_schedule()
    make_ticks()
    framework(schedules=ports.framework().schedules, schedule_is_on=lambda _name: False)
    forward(minutes=5)
    assert make_ticks() == 0
    one_schedule()
    assert make_ticks() == 0
    query("UPDATE schedule_states SET is_paused = true")
    forward(minutes=5)
    assert make_ticks() == 0
    query("UPDATE schedule_states SET is_paused = false")
    assert make_ticks() == 0
    forward(minutes=1)
    assert make_ticks() == 1


def test_one_broken_schedule_does_not_stop_the_others(framework, query, ledger_db):
    broken = Schedule("test.broken", "no.such.task", "* * * * *", {})
    good = Schedule("test.good", TASK, "* * * * *", {})
    framework(schedules=lambda: [broken, good], schedule_is_on=lambda _name: True)
    former = clock.offset()
    try:
        make_ticks()
        forward(minutes=1)
        assert make_ticks() == 1
    finally:
        clock.set_offset(former)
    assert query("SELECT schedule FROM ticks") == [("test.good",)]
