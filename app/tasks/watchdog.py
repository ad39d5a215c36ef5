"""The watchdog of a worker, a thread in its parent: ends what lives but does not work.

*A worker that takes no work*: although none of its processes is busy, it hears nothing, or the canary of one of its
queues waits for twice its time. Each worker has a queue of its own, its ear, so that a healthy worker beside it cannot
hide its deafness. Wake-ups are sent first, over a connection of their own: while the broker is away, nobody is deaf.
The whole worker ends and its supervisor starts a new one.

*A child that is stuck*: it lost a run to the reaper (beyond its time limit in code that no signal interrupts, or
frozen) and has not begun another since. The child ends, the jobs it still held come back, the pool starts a new one.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psutil  # type: ignore[import-untyped]
import structlog
from celery import current_app
from celery.signals import celeryd_after_setup, task_received, worker_ready
from kombu.entity import Queue
from kombu.exceptions import OperationalError
from sqlalchemy import text

from app.tasks import canary, wakeups
from app.tasks.transactions import brief_work

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
_LOOKS = 12  # one after the other must find the same
_EXIT_CODE = 70
_CONNECT_SECONDS = 5.0
_heard_at = 0.0

_BUSY = text("SELECT EXISTS (SELECT FROM job_runs WHERE ended_at IS NULL AND worker = ANY(:workers))")
_STUCK = text(
    """
    SELECT DISTINCT worker FROM job_runs lost
    WHERE outcome = 'lost' AND ended_at > clock_timestamp() - interval '60 s' AND worker = ANY(:workers)
    AND NOT EXISTS (
        SELECT FROM job_runs later
        WHERE later.worker = lost.worker AND later.started_at > lost.ended_at
    )
    """
)


def ear_of(worker: str) -> str:
    """The queue that only this worker (by its Celery name) consumes; its wake-ups lead to an empty claim."""
    return f"{worker}.ear"


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def _give_this_worker_an_ear(sender: str, instance: Any, **_: Any) -> None:
    ear = Queue(ear_of(sender), auto_delete=True)  # type: ignore[no-untyped-call]
    instance.app.amqp.queues.select_add(ear)


@task_received.connect  # type: ignore[untyped-decorator]
def _hear(**_: Any) -> None:
    global _heard_at
    _heard_at = time.monotonic()


@worker_ready.connect  # type: ignore[untyped-decorator]
def _watch_this_worker(sender: Any, **_: Any) -> None:
    _hear()
    ear = ear_of(sender.hostname)
    queues = [queue for queue in sender.app.amqp.queues.consume_from if queue != ear]
    threading.Thread(target=watch, args=(queues, ear, _end_process), name="watchdog", daemon=True).start()


def watch(queues: Sequence[str], ear: str, end: Callable[[], None]) -> None:
    """Look again and again; call ``end`` and return once the worker is deaf."""
    seen = 0
    while seen < _LOOKS:
        time.sleep(LOOK_SECONDS)
        try:
            end_stuck_children()
            late = canary.overdue(queues) + ([ear] if _is_silent() else [])
            seen = seen + 1 if late and not _is_busy() and _wake(late) else 0
        except Exception:
            log.exception("watchdog_cannot_look")  # the database is away: nobody can take work
            seen = 0
    log.error("worker_takes_no_work", queues=late, seconds=_LOOKS * LOOK_SECONDS)
    end()


def _is_silent() -> bool:
    return time.monotonic() - _heard_at >= _LOOKS * LOOK_SECONDS


def _wake(queues: Sequence[str]) -> bool:
    """Send each queue a wake-up; False when the broker cannot be reached."""
    with current_app.connection_for_write() as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_CONNECT_SECONDS)
        except OperationalError:
            return False
        return all(wakeups.send(queue, connection) for queue in queues)


def _children() -> list[int]:
    return [child.pid for child in psutil.Process().children(recursive=True)]


def _workers() -> list[str]:
    """The names under which this worker's processes run jobs."""
    host = socket.gethostname()
    return [f"{host}:{pid}" for pid in (os.getpid(), *_children())]


def _is_busy() -> bool:
    with brief_work() as session:
        return bool(session.execute(_BUSY, {"workers": _workers()}).scalar_one())


def end_stuck_children() -> None:
    """SIGKILL for each of this worker's processes that lost a run and has not moved since."""
    with brief_work() as session:
        stuck = list(session.execute(_STUCK, {"workers": _workers()}).scalars())
    for worker in stuck:
        log.error("worker_child_stuck", worker=worker)
        _kill(int(worker.rpartition(":")[2]))


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _end_process() -> None:
    """At once: what does not listen to its broker does not listen to an orderly stop either. It had no work."""
    for pid in _children():
        _kill(pid)
    os._exit(_EXIT_CODE)
