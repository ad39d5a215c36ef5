"""Schedules: which due times need a tick, and making each tick once however many beats try.

A tick is a row with the primary key (schedule, due time), written in the transaction that also writes its job.
"""

from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Literal

import structlog
from cronsim import CronSim
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.tasks.dispatcher import dispatch
from app.tasks.leases import worker_name
from app.tasks.ledger import JobOptions
from app.tasks.models import ScheduleState, Tick
from app.tasks.ports import Schedule, framework
from app.tasks.transactions import brief_work

log = structlog.get_logger(__name__)

CatchUpRule = Literal["once", "skip", "all"]

# A tick that is late by more than this was missed.
GRACE = timedelta(seconds=60)
_MAX_TICKS_AT_ONCE = 100  # of one schedule with the rule "all"; the rest follow a second later


def due_times(cron: str, after: datetime, until: datetime, rule: CatchUpRule) -> list[datetime]:
    """Due times after ``after`` and up to ``until`` (aware, UTC) that get a tick under a catch-up rule, oldest first.

    "all": each, at most 100 in one call. "once": the latest. "skip": the latest unless it was missed by more than a
    minute.
    """
    if rule == "all":
        return list(islice(takewhile(lambda due: due <= until, CronSim(cron, after)), _MAX_TICKS_AT_ONCE))
    latest = _latest(cron, until)
    if latest is None or latest <= after or (rule == "skip" and until - latest > GRACE):
        return []
    return [latest]


def _latest(cron: str, until: datetime) -> datetime | None:
    # Going back, CronSim starts before a whole second but at a broken one.
    start = until if until.microsecond else until + timedelta(microseconds=1)
    return next(CronSim(cron, start, reverse=True), None)


def next_times(cron: str, count: int) -> list[datetime]:
    """The next due times from now on (business time)."""
    return list(islice(CronSim(cron, clock.now()), count))


def make_ticks() -> int:
    """Make the ticks that are due; returns how many this process made.

    A new schedule starts now. What falls due while a schedule is paused, or its module off, is let pass.
    """
    now = clock.now()
    schedules = framework().schedules()
    with brief_work() as session:
        known = {state.name: state for state in session.execute(select(ScheduleState)).scalars()}
    return sum(_advance(schedule, known.get(schedule.name), now) for schedule in schedules)


def _advance(schedule: Schedule, state: ScheduleState | None, now: datetime) -> int:
    """One schedule's turn. A schedule that cannot be served must not keep the others waiting."""
    try:
        if state is None:
            with brief_work() as session:
                _consider(session, schedule.name, now)
            return 0
        due = due_times(state.cron or schedule.cron, state.considered_until, now, schedule.catch_up)
        is_on = not state.is_paused and framework().schedule_is_on(schedule.name)
        return sum(_make(schedule, moment, is_on) for moment in due)
    except Exception:
        log.exception("schedule_failed", schedule=schedule.name)
        return 0


def _make(schedule: Schedule, due_at: datetime, is_on: bool) -> int:
    with brief_work() as session:
        _consider(session, schedule.name, due_at)
        if not is_on:
            return 0
        tick = insert(Tick).values(schedule=schedule.name, due_at=due_at, made_by=worker_name())
        if not session.execute(tick.on_conflict_do_nothing().returning(Tick.schedule)).first():
            return 0
        job = dispatch(session, schedule.task, kwargs=schedule.kwargs, **options_of(schedule))
        if job.created:
            session.execute(_SET_JOB, {"job_id": job.id, "schedule": schedule.name, "due_at": due_at})
    return 1


_SET_JOB = text("UPDATE ticks SET job_id = :job_id WHERE schedule = :schedule AND due_at = :due_at")


def options_of(schedule: Schedule) -> JobOptions:
    """How a schedule's job is to be run, by its overlap rule."""
    options: JobOptions = {"cause": "schedule"}
    if schedule.overlap == "skip":
        options["unique_key"] = f"schedule:{schedule.name}"
    elif schedule.overlap == "queue":
        options["ordering_key"] = f"schedule:{schedule.name}"
    return options


_CONSIDER = text(
    """
    INSERT INTO schedule_states (name, considered_until, is_paused) VALUES (:name, :until, false)
    ON CONFLICT (name) DO UPDATE SET considered_until = excluded.considered_until
    WHERE schedule_states.considered_until < excluded.considered_until
    """
)


def _consider(session: Session, name: str, until: datetime) -> None:
    session.execute(_CONSIDER, {"name": name, "until": until})
