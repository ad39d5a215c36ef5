"""Tasks of the ledger's tests, and the Celery entry with which real workers load them."""

import os
import signal
import time
from typing import Any

from celery import shared_task
from celery.worker.control import control_command
from sqlalchemy import text

from app.core.celery_config import celery_app as app
from app.core.errors import ConflictError, UnavailableError
from app.modules.task_base import ModuleTask
from app.tasks import leases, watchdog

__all__ = ["app"]

# Such a worker is looked at more often, and its stuck jobs are given up sooner.
if "WIZAMART_TEST_WATCHDOG_SECONDS" in os.environ:
    watchdog.LOOK_SECONDS = float(os.environ["WIZAMART_TEST_WATCHDOG_SECONDS"])
    leases.LEASE_SECONDS = 1

_EFFECT = text("INSERT INTO ledger_test_effects (job_id, number) VALUES (:job_id, :number)")


@shared_task(base=ModuleTask, bind=True, scope="platform")
def note(self: ModuleTask, number: int = 0) -> dict[str, int]:
    with self.get_db() as session:
        session.execute(_EFFECT, {"job_id": self.job.id, "number": number})
    return {"number": number}


@shared_task(base=ModuleTask, bind=True)
def note_for_vendor(self: ModuleTask, vendor_id: str, number: int = 0) -> dict[str, Any]:
    with self.get_db() as session:
        session.execute(_EFFECT, {"job_id": self.job.id, "number": number})
        role = session.execute(text("SELECT current_user, current_setting('app.vendor_id')")).one()
    return {"vendor_id": vendor_id, "role": role[0], "setting": role[1]}


@shared_task(base=ModuleTask, bind=True, scope="platform")
def nothing(self: ModuleTask) -> None:
    return None


@shared_task(base=ModuleTask, bind=True, scope="platform")
def count_slowly(self: ModuleTask, total: int, seconds: float = 0.0) -> dict[str, int]:
    start = self.job.checkpoint or 0
    for number in range(start, total):
        with self.get_db() as session:
            session.execute(_EFFECT, {"job_id": self.job.id, "number": number})
        time.sleep(seconds)
        self.checkpoint(number + 1, number + 1, total, phase="counting")
    return {"started_at": start}


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=2)
def break_down(self: ModuleTask) -> None:
    with self.get_db() as session:
        session.execute(_EFFECT, {"job_id": self.job.id, "number": self.job.attempt})
        raise RuntimeError("password=hunter2 is wrong")


@shared_task(base=ModuleTask, bind=True, scope="platform")
def refuse(self: ModuleTask) -> None:
    raise ConflictError("Not now.")


@shared_task(base=ModuleTask, bind=True, scope="platform")
def find_nobody(self: ModuleTask) -> None:
    raise UnavailableError


@shared_task(base=ModuleTask, bind=True, scope="platform")
def try_dry(self: ModuleTask) -> dict[str, str]:
    with self.get_db() as session:
        session.execute(_EFFECT, {"job_id": self.job.id, "number": 1})
    self.discard()
    return {"mode": "dry"}


@shared_task(base=ModuleTask, bind=True, scope="platform", time_limit_seconds=0.2, max_attempts=1)
def hang(self: ModuleTask) -> None:
    time.sleep(30)


@shared_task(base=ModuleTask, bind=True, scope="platform", time_limit_seconds=0.2, max_attempts=1)
def hang_in_c(self: ModuleTask) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})  # as a library that never returns to Python
    time.sleep(300)


@shared_task(base=ModuleTask, bind=True)
def sleep_for_vendor(self: ModuleTask, seconds: float) -> None:
    time.sleep(seconds)


@shared_task(base=ModuleTask, bind=True, scope="platform")
def report_twice(self: ModuleTask) -> None:
    with self.get_db() as session:
        session.execute(_EFFECT, {"job_id": self.job.id, "number": 1})
        self.report(1, 2, phase="half")
        self.report(2, 2)


@shared_task(base=ModuleTask, bind=True, scope="platform")
def freeze(self: ModuleTask) -> None:
    with self.get_db() as session:
        session.execute(_EFFECT, {"job_id": self.job.id, "number": self.job.attempt})
        if self.job.attempt == 1:
            os.kill(os.getpid(), signal.SIGSTOP)


@control_command()  # type: ignore[untyped-decorator]
def go_deaf(state: Any) -> dict[str, str]:
    """The broker no longer sends this worker anything, and the worker does not know."""
    consumer = state.consumer.task_consumer
    for tag in consumer._active_tags.values():
        consumer.channel.basic_cancel(tag)
    return {"ok": "deaf"}
