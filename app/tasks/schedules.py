"""What an operator decides about schedules: kept in the database, obeyed by every beat, written in the audit log."""

from cronsim import CronSim, CronSimError
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core import clock
from app.tasks.dispatcher import dispatch
from app.tasks.errors import CronError, ScheduleNotFoundError
from app.tasks.ledger import JobRef
from app.tasks.models import ScheduleState
from app.tasks.ports import Schedule, framework
from app.tasks.ticks import options_of

# What was due before the decision is not made up for under the new rule.
_DECIDE = text(
    """
    INSERT INTO schedule_states (name, considered_until, is_paused, cron)
    VALUES (:name, :now, coalesce(:is_paused, false), :cron)
    ON CONFLICT (name) DO UPDATE SET considered_until = greatest(schedule_states.considered_until, :now),
        is_paused = coalesce(:is_paused, schedule_states.is_paused),
        cron = CASE WHEN :changes_cron THEN :cron ELSE schedule_states.cron END
    """
)


def find(name: str) -> Schedule:
    """The schedule that modules declare under the name; ScheduleNotFoundError when there is none."""
    for schedule in framework().schedules():
        if schedule.name == name:
            return schedule
    raise ScheduleNotFoundError(f"There is no schedule {name!r}. See: wizamart schedule list")


def states(session: Session) -> dict[str, ScheduleState]:
    """How far each schedule has come and what the operator decided, by name."""
    return {state.name: state for state in session.execute(select(ScheduleState)).scalars()}


def pause(session: Session, name: str, *, by: str) -> None:
    """Make no ticks of a schedule until ``resume``; what falls due meanwhile is let pass."""
    _decide(session, find(name), is_paused=True)
    framework().audit(session, "tasks.schedule_paused", name, by)


def resume(session: Session, name: str, *, by: str) -> None:
    """Make ticks again, from now on."""
    _decide(session, find(name), is_paused=False)
    framework().audit(session, "tasks.schedule_resumed", name, by)


def change(session: Session, name: str, cron: str | None, *, by: str) -> None:
    """Run a schedule by another cron (five fields, UTC); None: as its module declares. Raises CronError."""
    try:
        CronSim(cron or "* * * * *", clock.now())
    except CronSimError as error:
        raise CronError(f"{cron!r} is no schedule in cron's five fields: {error}.") from None
    _decide(session, find(name), cron=cron, changes_cron=True)
    framework().audit(session, "tasks.schedule_changed", name, by, cron=cron or "as declared")


def run_now(session: Session, name: str, *, by: str) -> JobRef:
    """Make the schedule's job now, paused or not. One that may not overlap and is unfinished is returned."""
    schedule = find(name)
    options = options_of(schedule) | {"cause": "user"}
    job = dispatch(session, schedule.task, kwargs=schedule.kwargs, **options)
    framework().audit(session, "tasks.schedule_run", name, by)
    return job


def _decide(
    session: Session,
    schedule: Schedule,
    *,
    is_paused: bool | None = None,
    cron: str | None = None,
    changes_cron: bool = False,
) -> None:
    values = {"name": schedule.name, "now": clock.now(), "is_paused": is_paused, "cron": cron}
    session.execute(_DECIDE, {**values, "changes_cron": changes_cron})
