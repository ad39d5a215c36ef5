"""Health checks and metrics of the kernel.

Metrics are named ``wizamart_<module>_<thing>_<unit>``. With several processes, ``PROMETHEUS_MULTIPROC_DIR``
must be in the environment before Python starts: the client library decides at import. The supervisor calls
``wipe_multiprocess_dir`` once before it starts them.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from app.core.i18n import FALLBACK, translate
from app.core.logging import mask

_MAX_REASON_CHARS = 300


class HealthStatus(StrEnum):
    """``degraded`` works with limits and stays in service; ``failed`` does not work."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HealthResult:
    """What a check found: ``key`` and ``params`` make one sentence for people, ``details`` are figures for machines.

    A parameter may be another result, whose sentence then stands inside this one.
    """

    status: HealthStatus
    key: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """The sentence in a language; "" where the check says nothing."""
        shown = {
            name: value.text(language) if isinstance(value, HealthResult) else value
            for name, value in self.params.items()
        }
        return translate(language, self.key, **shown) if self.key else ""

    @property
    def summary(self) -> str:
        """The sentence in English, for the command line and for programs."""
        return self.text(FALLBACK)


HealthCheck = Callable[[], HealthResult]


@dataclass(frozen=True, slots=True)
class _Run:
    answer: Future[HealthResult]
    started: float


# A check that hangs keeps its one thread; callers in the meantime wait for the same run instead of
# starting more. A forked child has none of these threads.
_running: dict[str, _Run] = {}
_lock = threading.Lock()


def _forget_runs() -> None:
    global _lock
    _lock = threading.Lock()
    _running.clear()


os.register_at_fork(after_in_child=_forget_runs)


def run_checks(checks: Mapping[str, HealthCheck], timeout_seconds: float = 3.0) -> dict[str, HealthResult]:
    """Runs all checks at the same time, each in a thread, and returns within ``timeout_seconds``.

    A check that raises or does not answer in time is ``failed`` with its reason (secrets masked); the others
    are not affected. Names identify checks: one name never runs twice at once in a process.
    """
    deadline = time.monotonic() + timeout_seconds
    runs = {name: _start(name, check) for name, check in checks.items()}
    return {name: _result(run, deadline) for name, run in runs.items()}


def _start(name: str, check: HealthCheck) -> _Run:
    with _lock:
        run = _running.get(name)
        if run is None:
            run = _Run(Future(), time.monotonic())
            thread = threading.Thread(
                target=_work, args=(name, check, run), name=f"health-{name}", daemon=True
            )
            thread.start()
            _running[name] = run
        return run


def _work(name: str, check: HealthCheck, run: _Run) -> None:
    try:
        result = check()
    except BaseException as error:
        reason = str(mask(f"{type(error).__name__}: {error}"))
        result = HealthResult(HealthStatus.FAILED, "health.raised", {"reason": reason[:_MAX_REASON_CHARS]})
    with _lock:
        _running.pop(name, None)
    run.answer.set_result(result)


def _result(run: _Run, deadline: float) -> HealthResult:
    try:
        return run.answer.result(timeout=max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        waited = {"seconds": round(time.monotonic() - run.started, 1)}
        return HealthResult(HealthStatus.FAILED, "health.silent", waited, waited)


METRICS_CONTENT_TYPE = CONTENT_TYPE_LATEST
_MULTIPROCESS_DIR = os.environ.get("PROMETHEUS_MULTIPROC_DIR")

# Labels come from closed sets, else a client could grow the memory of every process.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# All have labels: without, the client library would open its files already at import.
_HTTP_REQUESTS = Counter("wizamart_http_requests", "HTTP requests answered.", ["area", "method", "status"])
_HTTP_SECONDS = Histogram(
    "wizamart_http_request_seconds",
    "Time until an HTTP request was answered.",
    ["area"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_JOBS_FINISHED = Counter("wizamart_jobs_finished", "Runs of background jobs that ended.", ["task", "state"])
_JOB_SECONDS = Histogram(
    "wizamart_job_seconds",
    "Time a run of a background job took.",
    ["task"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600),
)


def count_request(area: str, method: str, status: int, seconds: float) -> None:
    """Counts one HTTP answer; ``area`` is admin, vendor, storefront, api, …, never a path."""
    _HTTP_REQUESTS.labels(area, method if method in _METHODS else "other", str(status)).inc()
    _HTTP_SECONDS.labels(area).observe(seconds)


def count_job(task: str, state: str, seconds: float) -> None:
    """Counts one ended run of a registered task; ``state`` is the state it ended in."""
    _JOBS_FINISHED.labels(task, state).inc()
    _JOB_SECONDS.labels(task).observe(seconds)


def metrics_text() -> bytes:
    """All metrics as Prometheus text (``METRICS_CONTENT_TYPE``), of all processes that share the folder."""
    if not _MULTIPROCESS_DIR:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=_MULTIPROCESS_DIR)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def wipe_multiprocess_dir(path: Path) -> None:
    """Makes the folder the processes share, or empties it of the figures of processes that are gone.

    Only while none of them runs: figures in use would be lost.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in path.glob("*.db"):
        file.unlink(missing_ok=True)
