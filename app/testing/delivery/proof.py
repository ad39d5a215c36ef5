"""The proof itself: a stage, work, faults, and what is left when all is quiet again."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kombu import pools
from sqlalchemy import Engine, text
from sqlalchemy.pool import NullPool

from app.core import clock
from app.core.celery_config import celery_app
from app.core.config import changed_environment, get_settings
from app.core.database import dispose_engine, make_engine
from app.core.embedded import Servers
from app.core.errors import UnavailableError
from app.modules import state
from app.modules.platform import embedded_environment, prepare_embedded
from app.testing.delivery.brokers import Program
from app.testing.delivery.definition import installed
from app.testing.delivery.effects import make_tables
from app.testing.delivery.faults import Attack, plan
from app.testing.delivery.figures import collect, considered_until
from app.testing.delivery.points import FOLDER
from app.testing.delivery.processes import Processes
from app.testing.delivery.servers import scratch_servers
from app.testing.delivery.work import Producer

_WORKERS, _CHILDREN, _BEATS = 2, 2, 2
_START_SECONDS = 60.0
_SETTLE_SECONDS = 180.0
_WORK_SECONDS = 900.0
_UNFINISHED = text("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')")
QUEUES = "default,long_running,scheduled"


@dataclass(frozen=True, slots=True)
class Stage:
    """A platform of its own with the proof's modules, and the owner's engine to look behind the scenes."""

    owner: Engine
    processes: Processes
    points: Path


@contextmanager
def stage(folder: Path, servers: Servers) -> Iterator[Stage]:
    """A migrated database, and this process connected to the servers; no workers or beats yet."""
    points, logs = folder / "points", folder / "logs"
    for needed in (points, logs):
        needed.mkdir()
    with installed(folder / "site") as site:
        environment = embedded_environment(servers, folder / "data", get_settings())
        environment |= {"WIZAMART_LOG_LEVEL": "WARNING"}
        with changed_environment(environment), connected(environment["WIZAMART_BROKER_URL"]):
            prepare_embedded(servers)
            owner = make_engine(environment["WIZAMART_DATABASE_OWNER_URL"], poolclass=NullPool)
            make_tables(owner)
            processes = Processes(logs, {"PYTHONPATH": _path(site), FOLDER: str(points)})
            try:
                yield Stage(owner, processes, points)
            finally:
                processes.end_all()
                owner.dispose()


def _path(site: Path) -> str:
    return os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))


@contextmanager
def connected(broker_url: str) -> Iterator[None]:
    """This process talks to the scratch servers; afterwards to nothing, until it is told to."""
    former = celery_app.conf.broker_url
    _forget()
    _use_broker(broker_url)
    try:
        yield
    finally:
        _forget()
        _use_broker(former)


def _forget() -> None:
    dispose_engine()
    state.forget_snapshot()
    clock.set_offset(timedelta())  # another database's clock may have been moved


def _use_broker(url: str) -> None:
    celery_app.set_current()
    celery_app.conf.broker_url = celery_app.conf.broker_write_url = celery_app.conf.broker_read_url = url
    pools.reset()  # type: ignore[no-untyped-call]
    celery_app._pool = celery_app.amqp._producer_pool = None


def prove_delivery(
    folder: Path, program: Program, *, jobs: int, rounds: int, seed: int, outage_seconds: float
) -> dict[str, Any]:
    """Play ``rounds`` of faults while at least ``jobs`` jobs are made and done; returns the figures.

    Raises UnavailableError, with the ends of the logs, when the work does not come to an end.
    """
    started = time.monotonic()
    with scratch_servers(folder / "data", program) as servers, stage(folder, servers.addresses) as here:
        since = _start(here)
        producer = Producer(seed, jobs)
        producer.start()
        attack = Attack(here.processes, servers, here.points, random.Random(seed), outage_seconds)
        try:
            for faults in plan(seed, rounds):
                for fault in faults:
                    attack.play(fault)
                    attack.pause(0.5)
            attack.wait_until(lambda: producer.has_ended and not here.processes.stopped, _WORK_SECONDS)
        finally:
            producer.stop()
        producer.check()
        if not attack.wait_until(lambda: is_quiet(here.owner), _SETTLE_SECONDS):
            raise UnavailableError(f"The work does not come to an end.\n{here.processes.tails()}")
        here.processes.end_all()
        figures = collect(here.owner, here.points, since)
    return {
        "seed": seed,
        "rounds": rounds,
        "broker": program.value,
        **figures,
        "rolled_back": producer.rolled_back,
        "points_missed": attack.missed,
        "faults": dict(sorted(attack.played.items())),
        "seconds": round(time.monotonic() - started, 1),
    }


def _start(here: Stage) -> datetime:
    """Workers and beats run; returns how far the schedule has come."""
    for number in range(1, _WORKERS + 1):
        options = ("--queues", QUEUES, "--concurrency", str(_CHILDREN), "--name", f"proof-{number}")
        here.processes.start(f"worker-{number}", "worker", *options)
    for number in range(1, _BEATS + 1):
        here.processes.start(f"beat-{number}", "beat")
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        here.processes.look_after()
        since = considered_until(here.owner)
        if since is not None and all(worker.children() for worker in here.processes.named("worker")):
            return since
        time.sleep(0.1)
    raise UnavailableError(f"Workers and beats did not start.\n{here.processes.tails()}")


def is_quiet(owner: Engine) -> bool:
    """Whether all work has come to its end."""
    with owner.connect() as connection:
        return bool(connection.execute(_UNFINISHED).scalar_one() == 0)
