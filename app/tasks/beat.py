"""Our scheduler for ``celery beat``: each second it makes due ticks, relays wake-ups, reaps lost runs and more.

Everything it does is safe to do twice, so any number of beats may run.
"""

import time
from collections.abc import Callable
from typing import Any

import structlog
from celery.beat import Scheduler

from app.tasks.canary import make_canaries
from app.tasks.ports import framework
from app.tasks.reaper import reap
from app.tasks.relay import relay, release_waiting
from app.tasks.retention import remove_old
from app.tasks.ticks import make_ticks

log = structlog.get_logger(__name__)


def refresh() -> None:
    """Follow the switches and the business clock, which other processes may have moved."""
    framework().refresh()


_DUTIES: tuple[Callable[[], object], ...] = (
    refresh,
    reap,
    make_ticks,
    make_canaries,
    release_waiting,
    relay,
    remove_old,
)


def beat_once() -> None:
    """All duties once; one that fails is logged and never keeps the others from theirs."""
    for duty in _DUTIES:
        try:
            duty()
        except Exception:
            log.exception("beat_duty_failed", duty=duty.__name__)


class LedgerScheduler(Scheduler):  # type: ignore[misc]
    """Takes the place of Celery's schedule file: ticks are rows, the schedule comes from the modules."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"lazy": True}))

    def tick(self, *_args: object, **_kwargs: object) -> float:
        """The duties of this second; returns the seconds until the next (at least a tenth, so that beat can stop)."""
        beat_once()
        return max(0.1, 1.0 - time.time() % 1.0)
