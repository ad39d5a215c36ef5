"""The watchdog of a worker, a thread in its parent: ends what lives but does not work.

*A worker that takes no work*: the canary of one of its queues waits for twice its time although none of its processes
is busy, so wake-ups do not arrive. A wake-up is sent first, in case none was. The whole worker ends and its supervisor
starts a new one.

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
from celery.signals import worker_ready
from sqlalchemy import text

from app.tasks import canary, wakeups
from app.tasks.transactions import brief_work

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
_LOOKS = 12  # one after the other must find the same
_EXIT_CODE = 70

_BUSY = text("SELECT EXISTS (SELECT FROM job_runs WHERE ended_at IS NULL AND worker = ANY(:workers))")
_STUCK = text(
    """
    SELECT DISTINCT worker FROM job_runs lost
    WHERE outcome = 'lost' AND ended_at > clock_timestamp() - interval '60 s' AND worker = ANY(:workers)
    AND NOT EXISTS (
        SELECT FROM job_runs later
        WHERE later.ended_at IS NULL AND later.worker = lost.worker AND later.started_at > lost.ended_at
    )
    """
)


@worker_ready.connect  # type: ignore[untyped-decorator]
def _watch_this_worker(sender: Any, **_: Any) -> None:
    queues = list(sender.app.amqp.queues.consume_from)
    threading.Thread(target=watch, args=(queues, _end_process), name="watchdog", daemon=True).start()


def watch(queues: Sequence[str], end: Callable[[], None]) -> None:
    """Look again and again; call ``end`` and return once the worker is deaf."""
    seen = 0
    while seen < _LOOKS:
        time.sleep(LOOK_SECONDS)
        try:
            end_stuck_children()
            late = canary.overdue(queues)
            seen = seen + 1 if late and not _is_busy() else 0
            for queue in late:
                wakeups.send(queue)
        except Exception:
            log.exception("watchdog_cannot_look")  # the database is away: nobody can take work
            seen = 0
    log.error("worker_takes_no_work", queues=late, seconds=canary.DEGRADED_SECONDS + _LOOKS * LOOK_SECONDS)
    end()


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
