"""The modules' tasks and schedules, put together for Celery and for the ledger. Names no module."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any

from celery.schedules import crontab

from app.modules.base import ScheduledTask
from app.modules.registry import modules
from app.modules.state import is_enabled_anywhere, is_enabled_for_vendor

DEFAULT_QUEUE = "default"
QUEUES = (DEFAULT_QUEUE, "long_running", "scheduled")

_CRON_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def discover_module_tasks() -> list[str]:
    """Dotted names of every task file of every installed module, for ``autodiscover_tasks``."""
    return [
        name
        for module in modules().values()
        if module.tasks_path
        for name in _python_files(module.tasks_path)
    ]


def _python_files(path: str) -> Iterator[str]:
    spec = find_spec(path)
    if spec is None:
        return
    yield path
    for found in iter_modules(spec.submodule_search_locations or (), f"{path}."):
        yield found.name


def task_routes() -> dict[str, dict[str, str]]:
    """Celery's routing table: task glob to queue, as the definitions declare."""
    return {
        pattern: {"queue": queue}
        for module in modules().values()
        for pattern, queue in module.task_queues.items()
    }


def queue_of(task_name: str) -> str:
    """The queue a task is routed to; ``default`` when no definition says otherwise."""
    for pattern, route in task_routes().items():
        if fnmatchcase(task_name, pattern):
            return route["queue"]
    return DEFAULT_QUEUE


def build_beat_schedule() -> dict[str, dict[str, Any]]:
    """The modules' schedules in the form of Celery's ``beat_schedule``."""
    return {
        entry.name: {
            "task": entry.task,
            "schedule": crontab.from_string(cron_of(entry.schedule)),
            "args": entry.args,
            "kwargs": entry.kwargs,
            "options": {"queue": queue_of(entry.task)},
        }
        for entry in scheduled_tasks().values()
    }


def scheduled_tasks() -> dict[str, ScheduledTask]:
    """All schedules by name."""
    return {entry.name: entry for module in modules().values() for entry in module.scheduled_tasks}


def cron_of(schedule: str | Mapping[str, Any]) -> str:
    """A five-field cron string from one, or from the keyword arguments of Celery's ``crontab``."""
    if isinstance(schedule, str):
        return schedule
    return " ".join(_cron_field(schedule.get(name, "*")) for name in _CRON_FIELDS)


def _cron_field(value: Any) -> str:
    return str(value) if isinstance(value, str | int) else ",".join(str(item) for item in value)


def schedule_is_on(name: str) -> bool:
    """Whether any platform has the module on that declares the schedule."""
    return any(
        is_enabled_anywhere(code)
        for code, module in modules().items()
        if any(entry.name == name for entry in module.scheduled_tasks)
    )


def module_is_on(code: str, vendor_id: Any) -> bool:
    """Whether a job of the module may run for the vendor; work of the framework itself always may."""
    return code not in modules() or is_enabled_for_vendor(code, vendor_id)
