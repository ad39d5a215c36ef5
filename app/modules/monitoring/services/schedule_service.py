"""Schedules that enabled modules declare, with what the operator decided and what became of the last run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Select,
    Text,
    Uuid,
    column,
    or_,
    select,
    table,
    values,
)
from sqlalchemy.orm import Session

from app.core.ids import from_public, to_public
from app.modules.base import ScheduledTask
from app.modules.monitoring.services.cron_words_service import cron_words
from app.modules.registry import modules
from app.modules.tasks import cron_of, schedule_is_on, scheduled_tasks
from app.tasks import overview, schedules, ticks
from app.tasks.errors import ScheduleNotFoundError
from app.tasks.overview import LastTick

SCHEDULE_PREFIX = "sch"
_NAMES = UUID("5c1e6c1b-6c0f-5a0e-9a34-2b8f4f2f5f10")  # schedules have names, addresses of lists want ids
_COLUMNS = (
    column("id", Uuid()),
    column("name", Text()),
    column("module", Text()),
    column("task", Text()),
    column("cron", Text()),
    column("words", Text()),
    column("next_at", DateTime(timezone=True)),
    column("is_paused", Boolean()),
    column("is_changed", Boolean()),
    column("last_at", DateTime(timezone=True)),
    column("last_state", Text()),
    column("catch_up", Text()),
    column("overlap", Text()),
)
ROWS = table("schedule_rows", *_COLUMNS)


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """A schedule: as declared by its module, the cron in force, whether it is paused, and its last tick."""

    declared: ScheduledTask
    cron: str
    is_paused: bool
    last: LastTick | None

    @property
    def id(self) -> UUID:
        """Made of the name, the same wherever the platform runs."""
        return id_of(self.declared.name)

    @property
    def module(self) -> str:
        """Code of the module that declares it."""
        return next(code for code, module in modules().items() if self.declared in module.scheduled_tasks)

    @property
    def name(self) -> str:
        """Its name within the module."""
        return self.declared.name.partition(".")[2]

    @property
    def is_changed(self) -> bool:
        """Whether the operator chose other times than the module."""
        return self.cron != cron_of(self.declared.schedule)

    def next_times(self, count: int) -> Sequence[datetime]:
        """When it is due next; never while it is paused."""
        return [] if self.is_paused else ticks.next_times(self.cron, count)


def id_of(name: str) -> UUID:
    """The id under which a schedule stands in lists."""
    return uuid5(_NAMES, name)


def list_schedules(session: Session) -> list[ScheduleEntry]:
    """All schedules of modules that are on somewhere, by name."""
    declared = {name: entry for name, entry in sorted(scheduled_tasks().items()) if schedule_is_on(name)}
    known = schedules.states(session)
    last = overview.last_ticks(session, list(declared))
    return [
        ScheduleEntry(
            declared=entry,
            cron=(name in known and known[name].cron) or cron_of(entry.schedule),
            is_paused=name in known and known[name].is_paused,
            last=last.get(name),
        )
        for name, entry in declared.items()
    ]


def declaring_modules() -> list[str]:
    """Codes of the modules with schedules that are on somewhere."""
    return [
        code
        for code, module in modules().items()
        if any(schedule_is_on(one.name) for one in module.scheduled_tasks)
    ]


def get_schedule(session: Session, public: str) -> ScheduleEntry:
    """The schedule with this public id; the first one where none is said. Raises ScheduleNotFoundError."""
    key = from_public(SCHEDULE_PREFIX, public)
    for entry in list_schedules(session):
        if not public or entry.id == key:
            return entry
    raise ScheduleNotFoundError


def public_id_of(entry: ScheduleEntry) -> str:
    """As it stands in addresses."""
    return to_public(SCHEDULE_PREFIX, entry.id)


def select_schedules(session: Session, language: str) -> Select[Any]:
    """The schedules as rows of a query, so that lists can search, filter and sort them."""
    rows = values(*_COLUMNS, name="given").data(list(_rows(list_schedules(session), language)))
    return select(*ROWS.c).select_from(ROWS).add_cte(select(rows).cte(ROWS.name))


def _rows(entries: Sequence[ScheduleEntry], language: str) -> Iterator[tuple[Any, ...]]:
    for entry in entries:
        last = entry.last
        yield (
            entry.id,
            entry.name,
            entry.module,
            entry.declared.task,
            entry.cron,
            cron_words(entry.cron, language),
            next(iter(entry.next_times(1)), None),
            entry.is_paused,
            entry.is_changed,
            last.due_at if last else None,
            last.state if last else None,
            entry.declared.catch_up.value,
            entry.declared.overlap.value,
        )


def matching(words: str) -> ColumnElement[bool]:
    """Schedules whose name, module or task holds the words."""
    found = [ROWS.c[name].icontains(words, autoescape=True) for name in ("name", "module", "task")]
    return or_(*found)
