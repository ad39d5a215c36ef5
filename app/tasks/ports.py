"""What the ledger must know about tasks and modules, registered once per process by the framework.

``app/tasks`` imports the kernel only; this is the other direction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from app.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """A task as the ledger sees it; ``module`` is the code of its owner."""

    name: str
    module: str
    scope: Literal["vendor", "platform"]
    queue: str
    max_attempts: int
    time_limit_seconds: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to run a task: ``cron`` has five fields, in UTC."""

    name: str
    task: str
    cron: str
    kwargs: dict[str, Any]
    catch_up: Literal["once", "skip", "all"] = "once"
    overlap: Literal["skip", "queue", "allow"] = "skip"


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that this process may run, as it was when claimed. ``token`` proves it.

    ``request_id`` and ``traceparent`` are those of the request that it came of, also by way of other jobs.
    """

    id: UUID
    token: int
    vendor_id: UUID | None
    module: str
    task: str
    queue: str
    args: dict[str, Any]
    attempt: int
    checkpoint: Any | None
    ordering_key: str | None
    created_by: UUID | None
    request_id: str | None = None
    traceparent: str | None = None


def _always_on(*_: object) -> bool:
    return True


def _no_schedules() -> Sequence[Schedule]:
    return ()


@dataclass(frozen=True, slots=True)
class Framework:
    """The framework's answers.

    ``find_task`` raises UnknownTaskError. ``execute`` runs a claimed job and commits its effect together with its
    completion, or raises. ``module_is_on`` takes a module code and a vendor or None, ``schedule_is_on`` a
    schedule's name. ``refresh`` brings switches and business clock up to date, at most once a second.
    ``audit(session, action, target, by, **details)`` writes who did what, in the session's transaction.
    """

    find_task: Callable[[str], TaskInfo]
    execute: Callable[[ClaimedJob], None]
    task_names: Callable[[], Sequence[str]]
    refresh: Callable[[], None]
    audit: Callable[..., None]
    schedules: Callable[[], Sequence[Schedule]] = field(default=_no_schedules)
    module_is_on: Callable[[str, UUID | None], bool] = field(default=_always_on)
    schedule_is_on: Callable[[str], bool] = field(default=_always_on)


_framework: Framework | None = None


def register(answers: Framework) -> None:
    """Connect the framework; every entry (web, worker, beat, command line) does so at its start."""
    global _framework
    _framework = answers


def framework() -> Framework:
    """The connected framework; ConfigurationError when the process did not connect one."""
    if _framework is None:
        raise ConfigurationError(
            "Background work is not connected. Import app.core.celery_config at the entry."
        )
    return _framework
