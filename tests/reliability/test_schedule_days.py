"""Fourteen days of schedules in seconds: three beats, a clock that jumps both ways, a change to summer time."""

import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.modules import state
from app.tasks.ports import Schedule
from app.tasks.ticks import GRACE, make_ticks
from tests.reliability import ledger_tasks as _tasks  # noqa: F401  registers them

pytestmark = pytest.mark.reliability
TASK = "tests.reliability.ledger_tasks.nothing"
START = datetime(2026, 3, 22, 0, 0, 30, tzinfo=UTC)  # summer time begins on the 29th at 01:00 UTC
DAYS = 14
BEATS = 3
# Minutes of the day at which each is due, and on which weekdays (0 is Monday).
EVERY_DAY = range(7)
DUE = {
    "each_quarter": ("*/15 * * * *", range(0, 1440, 15), EVERY_DAY),
    "in_the_gap": ("30 1,2 * * *", (90, 150), EVERY_DAY),
    "on_sunday": ("0 1 * * 0", (60,), (6,)),
}
RULES = ("all", "once", "skip")


def schedules() -> list[Schedule]:
    return [
        Schedule(f"{name}.{rule}", TASK, cron, {}, catch_up=rule, overlap="allow")
        for name, (cron, _, _) in DUE.items()
        for rule in RULES
    ]


def all_due(name: str) -> list[datetime]:
    _, minutes, weekdays = DUE[name]
    midnight = START.replace(hour=0, minute=0, second=0)
    days = [midnight + timedelta(days=day) for day in range(DAYS + 1)]
    return [
        day + timedelta(minutes=minute) for day in days if day.weekday() in weekdays for minute in minutes
    ]


def expected(name: str, rule: str, looks: list[datetime]) -> set[datetime]:
    """What the rule promises for beats that looked at these times, step by step."""
    made: set[datetime] = set()
    considered = looks[0]
    for now in looks[1:]:
        due = [moment for moment in all_due(name) if considered < moment <= now]
        if rule != "all":
            due = [moment for moment in due[-1:] if rule == "once" or now - moment <= GRACE]
        made.update(due)
        considered = max([considered, *due])
    return made


def look_times(seed: int) -> Iterator[datetime]:
    """Half past a minute each: mostly forward by minutes or hours, now and then an hour or two back."""
    choice = random.Random(seed)
    now, end = START, START + timedelta(days=DAYS)
    while now < end:
        yield now
        if choice.random() < 0.1:
            now = max(START, now - timedelta(minutes=choice.randint(1, 150)))
        elif choice.random() < 0.1:
            now = next(due for due in all_due("in_the_gap") if due > now) + timedelta(seconds=30)
        else:
            now += timedelta(minutes=choice.choice((1, 15, choice.randint(1, 500), choice.randint(300, 900))))


def move_clock_to(moment: datetime) -> None:
    with unit_of_work(SYSTEM) as session:
        state.set_clock_offset(session, moment - clock.system_now())
    state.forget_snapshot()
    state.refresh()


def beat_together() -> int:
    made: list[int] = []
    beats = [threading.Thread(target=lambda: made.append(make_ticks())) for _ in range(BEATS)]
    for beat in beats:
        beat.start()
    for beat in beats:
        beat.join()
    assert len(made) == BEATS
    return sum(made)


@pytest.fixture
def local_time(monkeypatch):
    """The machine stands in Luxembourg."""
    monkeypatch.setenv("TZ", "Europe/Luxembourg")
    time.tzset()
    former = clock.offset()
    yield
    clock.set_offset(former)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.long(15)
@pytest.mark.usefixtures("local_time")
def test_fourteen_days_miss_and_double_no_tick(framework, query):
    framework(schedules=schedules, schedule_is_on=lambda _name: True)
    looks = list(look_times(seed=14))
    assert any(later < earlier for earlier, later in pairwise(looks))
    for moment in looks:
        move_clock_to(moment)
        while beat_together():
            pass
    made: dict[str, set[datetime]] = {schedule.name: set() for schedule in schedules()}
    for row in query("SELECT schedule, due_at FROM ticks"):
        made[row.schedule].add(row.due_at)
    assert made == {f"{name}.{rule}": expected(name, rule, looks) for name in DUE for rule in RULES}
    assert made["each_quarter.all"] == {
        moment for moment in all_due("each_quarter") if START < moment <= max(looks)
    }
    assert made["in_the_gap.skip"] < made["in_the_gap.once"]
    ticks = sum(len(moments) for moments in made.values())
    assert query("SELECT count(*), count(DISTINCT id) FROM jobs") == [(ticks, ticks)]
    assert query("SELECT count(*), count(DISTINCT job_id) FROM ticks") == [(ticks, ticks)]
