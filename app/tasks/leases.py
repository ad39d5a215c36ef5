"""Leases of the jobs this process holds, renewed by one thread on a connection of its own.

A process that dies stops renewing; ``reaper.py`` then takes its jobs away. The thread also notes which database
session a run works in, so that the reaper can end it.
"""

import os
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import text

from app.tasks.claim import LEASE_SECONDS
from app.tasks.ports import ClaimedJob
from app.tasks.transactions import brief_work

log = structlog.get_logger(__name__)

_RENEW_SECONDS = 4.0
_LOOK_SECONDS = 1.0


@dataclass(slots=True)
class _Held:
    backend_pid: int | None = None
    is_noted: bool = True
    renew_until: float = float("inf")


_held: dict[tuple[UUID, int], _Held] = {}
_lock = threading.Lock()
_thread: threading.Thread | None = None


def _forget_in_child() -> None:
    global _lock, _thread
    _lock, _thread = threading.Lock(), None
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)


def worker_name() -> str:
    """This process, as runs and ticks name it: host:pid."""
    return f"{socket.gethostname()}:{os.getpid()}"


def hold(jobs: Iterable[ClaimedJob]) -> None:
    """Renew the leases of newly claimed jobs until ``let_go``."""
    global _thread
    with _lock:
        for job in jobs:
            _held[job.id, job.token] = _Held()
        if _thread is None:
            _thread = threading.Thread(target=_beat, name="leases", daemon=True)
            _thread.start()


def begin(job: ClaimedJob, time_limit_seconds: float) -> None:
    """The job starts now: one that hangs beyond its limit is not renewed for ever."""
    with _lock:
        held = _held.get((job.id, job.token))
        if held is not None:
            held.renew_until = time.monotonic() + time_limit_seconds + LEASE_SECONDS


def note_session(job: ClaimedJob, backend_pid: int) -> None:
    """The job works in this database session from now on."""
    with _lock:
        held = _held.get((job.id, job.token))
        if held is not None and held.backend_pid != backend_pid:
            held.backend_pid, held.is_noted = backend_pid, False


def let_go(jobs: Iterable[ClaimedJob]) -> None:
    """These runs have ended."""
    with _lock:
        for job in jobs:
            _held.pop((job.id, job.token), None)


def _beat() -> None:
    global _thread
    renewed_at = time.monotonic()
    while True:
        time.sleep(_LOOK_SECONDS)
        with _lock:
            if not _held:
                _thread = None
                return
            is_due = time.monotonic() - renewed_at >= _RENEW_SECONDS
            chosen = {key: held.backend_pid for key, held in _held.items() if _needs_beat(held, is_due)}
            for key in chosen:
                _held[key].is_noted = True
        if not chosen:
            continue
        try:
            _renew(chosen)
            renewed_at = time.monotonic() if is_due else renewed_at
        except Exception:
            log.exception("lease_renewal_failed")


def _needs_beat(held: _Held, is_due: bool) -> bool:
    return time.monotonic() < held.renew_until and (is_due or not held.is_noted)


def _renew(chosen: dict[tuple[UUID, int], int | None]) -> None:
    with brief_work() as session:
        session.execute(
            _RENEW,
            {
                "ids": [job_id for job_id, _ in chosen],
                "tokens": [token for _, token in chosen],
                "pids": list(chosen.values()),
            },
        )


_RENEW = text(
    f"""
    UPDATE job_runs SET leased_until = clock_timestamp() + interval '{LEASE_SECONDS} s',
        heartbeat_at = clock_timestamp(), backend_pid = held.pid
    FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS bigint[]), CAST(:pids AS bigint[])) AS held (id, token, pid)
    WHERE job_runs.job_id = held.id AND job_runs.token = held.token AND job_runs.ended_at IS NULL
    """
)
