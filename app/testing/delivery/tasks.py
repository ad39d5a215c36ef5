"""Tasks of the proof: each has effects that must be seen once."""

import time

from celery import shared_task

from app.modules.task_base import ModuleTask
from app.tasks.dispatcher import dispatch
from app.testing.delivery import points
from app.testing.delivery.definition import TASKS
from app.testing.delivery.effects import Effect, call_outside, write_effect
from app.testing.delivery.points import reach

points.install()
_ATTEMPTS = 20  # what is proved is that nothing is lost, not that one gives up


def _act(task: ModuleTask, name: str) -> None:
    reach("before_effect")
    with task.get_db() as session:
        write_effect(session, Effect(name), task.job)
    reach("after_effect")


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=_ATTEMPTS)  # type: ignore[untyped-decorator]
def note(self: ModuleTask, key: str) -> None:
    """One effect."""
    _act(self, key)


@shared_task(base=ModuleTask, bind=True, scope="vendor", max_attempts=_ATTEMPTS)  # type: ignore[untyped-decorator]
def note_for_vendor(self: ModuleTask, key: str) -> None:
    """One effect, as a vendor."""
    _act(self, key)


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=_ATTEMPTS)  # type: ignore[untyped-decorator]
def count(self: ModuleTask, key: str, total: int) -> None:
    """An effect in each of several parts, each committed with where to go on."""
    for number in range(self.job.checkpoint or 0, total):
        _act(self, f"{key}:{number}")
        self.checkpoint(number + 1, number + 1, total)


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=_ATTEMPTS)  # type: ignore[untyped-decorator]
def go_on(self: ModuleTask, key: str) -> None:
    """An effect, and a job with another."""
    _act(self, key)
    with self.get_db() as session:
        dispatch(session, f"{TASKS}.note", kwargs={"key": f"{key}:next"}, parent_id=self.job.id)


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=_ATTEMPTS)  # type: ignore[untyped-decorator]
def call(self: ModuleTask, key: str) -> None:
    """Intent, a call to the outside with no transaction open, result."""
    self.checkpoint("calling", 0)
    reach("before_send")
    call_outside(key)
    reach("after_send")
    _act(self, key)


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=_ATTEMPTS)  # type: ignore[untyped-decorator]
def tick(self: ModuleTask) -> None:
    """One effect for each due time."""
    _act(self, f"tick:{self.job.id}")


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=_ATTEMPTS)  # type: ignore[untyped-decorator]
def linger(self: ModuleTask, key: str, seconds: float) -> None:
    """An effect that is committed late; who has to do it again does not wait."""
    _act(self, key)
    if self.job.attempt == 1:
        time.sleep(seconds)
