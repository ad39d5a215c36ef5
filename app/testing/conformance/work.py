"""Work behind the pages: tasks, schedules, events and their handlers."""

import inspect
import re
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest
from celery import current_app
from cronsim import CronSim
from pydantic import TypeAdapter
from sqlalchemy import Engine, text

from app.core import clock
from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.core.ids import new_id
from app.core.tables import Base
from app.modules import migrations
from app.modules.base import load
from app.modules.events import Event, event_class, publish, rebuild
from app.modules.registry import modules
from app.modules.task_base import ModuleTask, find_task, task_names
from app.modules.tasks import QUEUES, build_beat_schedule, cron_of, scheduled_tasks
from app.tasks.dispatcher import dispatch
from app.tasks.errors import MissingTenantError
from app.testing.conformance.module import Conformance
from app.testing.working import vendor_scope, work

_FAR = timedelta(days=366 * 4 + 1)  # the rarest date is 29 February
_SAMPLES: dict[Any, Any] = {
    str: "en",
    int: 1,
    bool: True,
    datetime: datetime.fromisoformat("2026-01-02T03:04:05+00:00"),
}


class WorkRules(Conformance):
    """What a module does when nobody looks."""

    def tasks(self) -> list[ModuleTask]:
        """The module's tasks."""
        names = [name for name in task_names() if name.startswith(f"{self.module.package}.tasks.")]
        return [current_app.tasks[name] for name in names]

    def published(self) -> list[type[Event]]:
        """Classes of events that stand in the module's events.py."""
        name = f"{self.module.package}.events"
        found = vars(import_module(name)).values() if find_spec(name) else ()
        return [
            one
            for one in found
            if isinstance(one, type) and issubclass(one, Event) and one.__module__ == name
        ]

    def test_every_public_function_of_a_task_file_is_a_task_named_by_its_path(self) -> None:
        registered = {task.name for task in self.tasks()}
        for path in sorted((self.module.folder / "tasks").glob("*.py")):
            name = f"{self.module.package}.tasks.{path.stem}"
            declared = [one for key, one in vars(import_module(name)).items() if not key.startswith("_")]
            functions = {
                one.__name__ for one in declared if inspect.isfunction(one) and one.__module__ == name
            }
            assert not functions, f"{name}: {functions} are no tasks"
        for task in self.tasks():
            assert task.name == f"{task.run.__module__}.{task.run.__name__}"
        assert bool(registered) == bool(self.module.tasks_path)

    def test_every_task_has_a_queue_and_limits(self) -> None:
        for task in self.tasks():
            info = find_task(task.name)
            assert info.queue in QUEUES, task.name
            assert info.module == self.code
            assert 1 <= info.max_attempts <= 20, task.name
            assert 0 < info.time_limit_seconds <= 24 * 3600, task.name

    def test_queues_are_asked_for_own_tasks_only(self) -> None:
        for pattern, queue in self.module.task_queues.items():
            assert pattern.startswith(f"{self.module.package}.tasks."), pattern
            assert queue in QUEUES, queue

    @pytest.mark.usefixtures("world")
    def test_a_vendors_task_is_refused_without_its_vendor(self) -> None:
        for task in self.tasks():
            if task.scope != "vendor":
                continue
            with pytest.raises(MissingTenantError):
                task.apply_async()
            with pytest.raises(MissingTenantError), unit_of_work(SYSTEM) as session:
                dispatch(session, task.name)

    def test_schedules_are_valid(self) -> None:
        known = {task.name: task for task in self.tasks()}
        beat = build_beat_schedule()
        for entry in self.module.scheduled_tasks:
            assert re.fullmatch(rf"{self.code.replace('-', '_')}\.[a-z]+(?:_[a-z0-9]+)+", entry.name), (
                entry.name
            )
            assert entry.task in known, entry.task
            assert known[entry.task].scope == "platform", (
                "a schedule names no vendor: dispatch a job for each"
            )
            assert known[entry.task].named_arguments(entry.args, entry.kwargs) is not None
            assert scheduled_tasks().get(entry.name) == entry, f"two modules have a schedule {entry.name}"
            now = clock.system_now()
            assert next(CronSim(cron_of(entry.schedule), now)) - now < _FAR
            assert beat[entry.name]["options"]["queue"] in QUEUES

    @pytest.mark.timeout(180)
    def test_scheduled_tasks_run(self, owner_engine: Engine, world: object) -> None:
        with unit_of_work(SYSTEM) as session:
            jobs = [
                dispatch(session, entry.task, kwargs=entry.kwargs, max_attempts=1).id
                for entry in self.module.scheduled_tasks
            ]
        work()
        assert {_state(owner_engine, job_id) for job_id in jobs} <= {"succeeded"}

    def test_published_events_are_declared_and_travel(self) -> None:
        assert {event.name for event in self.published()} == set(self.module.publishes)
        for event in self.published():
            assert is_dataclass(event)
            assert event.__dataclass_params__.frozen, event.name  # type: ignore[attr-defined]
            assert re.fullmatch(rf"{self.code.replace('-', '_')}\.[a-z]+(?:_[a-z]+)+", event.name), event.name
            sample = _sample(event, new_id())
            payload = TypeAdapter(event).dump_python(sample, mode="json")
            assert rebuild(event.name, payload) == sample

    def test_handlers_take_what_is_published(self) -> None:
        for name, path in self.module.handlers.items():
            publisher = next((other for other in modules().values() if name in other.publishes), None)
            function = load(path)
            assert function.__name__.startswith("on_"), path
            given = list(inspect.signature(function).parameters)
            assert len(given) == 2, f"{path} takes a session and an event"
            if publisher:  # a module may listen to one that is not installed
                taken = get_type_hints(function)[given[1]]
                assert event_class(name) in (get_args(taken) or (taken,)), path

    @pytest.mark.timeout(180)
    def test_an_event_is_handled_once_however_often_it_comes(
        self, owner_engine: Engine, world: object
    ) -> None:
        vendor = vendor_scope().vendor_id
        for name, path in self.module.handlers.items():
            if not any(name in other.publishes for other in modules().values()):
                continue
            event = _sample(event_class(name), vendor)
            with unit_of_work(TenantScope(vendor)) as session:
                event_id = publish(session, event, vendor_id=vendor, aggregate="conformance")
            work()
            assert _deliveries(owner_engine, event_id, self.code) == ["succeeded"], name
            before = self._rows(owner_engine)
            with unit_of_work(TenantScope(vendor)) as session:
                load(path)(session, event)
            assert self._rows(owner_engine) == before, f"{path} did its work a second time for the same event"

    def _rows(self, owner: Engine) -> dict[str, int]:
        migrations.load_models()
        names = [table.name for table in migrations.tables_of(self.code)]
        assert set(names) <= set(Base.metadata.tables)
        with owner.connect() as connection:
            return {
                name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()
                for name in names
            }


def _sample(event: type[Event], vendor: UUID) -> Event:
    """An event with plausible values; ids are the vendor's own."""
    values: dict[str, Any] = {}
    hints = get_type_hints(event)
    for one in fields(event):
        kind = hints[one.name]
        values[one.name] = vendor if kind is UUID else _SAMPLES.get(kind)
    return event(**values)


def _state(owner: Engine, job_id: UUID) -> str:
    with owner.connect() as connection:
        statement = text("SELECT state FROM jobs WHERE id = :id")
        return str(connection.execute(statement, {"id": job_id}).scalar_one())


def _deliveries(owner: Engine, event_id: UUID, code: str) -> list[str]:
    statement = text(
        "SELECT j.state FROM deliveries d JOIN jobs j ON j.id = d.job_id WHERE d.event_id = :id AND d.handler = :code"
    )
    with owner.connect() as connection:
        return list(connection.execute(statement, {"id": event_id, "code": code}).scalars())
