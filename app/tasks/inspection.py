"""What the workers say of themselves, asked through the broker, and whether the broker answers at all.

Nobody waits long: the questions are asked as health checks are, each in the one thread it has, left behind when
the time is over. Ask while no transaction is open.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from celery import current_app

from app.core.observability import HealthResult, HealthStatus, run_checks
from app.tasks.watchdog import ear_of

_ANSWER_SECONDS = 0.5  # workers that do not answer within it count as silent
_TOTAL_SECONDS = 1.0
_PING_SECONDS = 1.0
_FRESH_SECONDS, _STALE_SECONDS = 5.0, 30.0
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Worker:
    """A Celery worker that answered: its name, its processes' ids, the queues it consumes, how many messages it takes
    at once, and for how many seconds it runs."""

    name: str
    pid: int
    processes: tuple[int, ...]
    queues: tuple[str, ...]
    prefetch: int
    uptime_seconds: float

    @property
    def host(self) -> str:
        """The host's name, as runs give it before the process id."""
        return self.name.partition("@")[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answered. ``problem`` says why nobody could be asked, None where the broker works; ``at`` is monotonic."""

    workers: tuple[Worker, ...]
    problem: HealthResult | None
    at: float

    @property
    def age_seconds(self) -> float:
        """How long ago that was."""
        return time.monotonic() - self.at

    def consumers(self, queue: str) -> int:
        """How many workers consume a queue."""
        return sum(queue in worker.queues for worker in self.workers)


_last: Answer | None = None


def ask_workers() -> Answer:
    """Who works. The first to ask waits for about a second; later an answer of up to half a minute is given at once,
    and asked for anew beside."""
    known = _last
    if known is None or known.age_seconds > _STALE_SECONDS:
        return _ask_anew()
    if known.age_seconds > _FRESH_SECONDS and not _lock.locked():
        threading.Thread(target=_ask_anew, name="inspection", daemon=True).start()
    return known


def _ask_anew() -> Answer:
    global _last
    with _lock:
        if _last is None or _last.age_seconds > _FRESH_SECONDS:
            _last = _ask()
        return _last


def _ask() -> Answer:
    broker = check_broker()
    if broker.status is not HealthStatus.OK:
        return Answer((), broker, time.monotonic())
    if not _has_broker():
        return Answer((), None, time.monotonic())
    answers = run_checks(
        {name: partial(_inspect, name) for name in ("stats", "active_queues")}, _TOTAL_SECONDS
    )
    for answer in answers.values():
        if answer.status is not HealthStatus.OK:
            problem = HealthResult(HealthStatus.FAILED, "health.workers.silent", {"reason": answer})
            return Answer((), problem, time.monotonic())
    stats, queues = answers["stats"].details, answers["active_queues"].details
    found = [_worker(name, said, queues.get(name) or ()) for name, said in stats.items()]
    return Answer(tuple(sorted(found, key=lambda worker: worker.name)), None, time.monotonic())


def _inspect(question: str) -> HealthResult:
    """The answers of the workers by their names, as details."""
    inspect = current_app.control.inspect(timeout=_ANSWER_SECONDS)
    return HealthResult(HealthStatus.OK, details=getattr(inspect, question)() or {})


def _has_broker() -> bool:
    """Without one, work is done by the process that asks for it."""
    return not str(current_app.conf.broker_url).startswith("unset:")


def _worker(name: str, said: Mapping[str, Any], queues: Sequence[Mapping[str, Any]]) -> Worker:
    pool = said.get("pool") or {}
    processes = pool.get("processes") or ()
    return Worker(
        name=name,
        pid=int(said.get("pid") or 0),
        processes=tuple(int(pid) for pid in processes if isinstance(pid, int)),
        queues=tuple(sorted(str(queue["name"]) for queue in queues if queue["name"] != ear_of(name))),
        prefetch=int(said.get("prefetch_count") or 0),
        uptime_seconds=float(said.get("uptime") or 0),
    )


def check_broker() -> HealthResult:
    """Health of the broker: whether it takes a connection within a second."""
    if not _has_broker():
        return HealthResult(HealthStatus.OK, "health.broker.none")
    answer = run_checks({"broker connection": _connect}, _PING_SECONDS)["broker connection"]
    if answer.status is not HealthStatus.OK:
        return HealthResult(HealthStatus.FAILED, "health.broker.silent", {"reason": answer})
    return answer


def _connect() -> HealthResult:
    with current_app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=_PING_SECONDS)
        with connection.channel():
            transport = {"transport": connection.transport.driver_type}
            return HealthResult(HealthStatus.OK, "health.broker.answers", transport)
