"""A ledger with something to see, and real workers to kill."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kombu import pools
from sqlalchemy import text

from app.core.celery_config import celery_app
from app.core.roles import PLATFORM, TENANT
from app.tasks import claim, ports, wakeups
from app.testing.database import Database
from app.testing.programs import Program, start_program

Query = Callable[..., Any]


@pytest.fixture
def ledger_db(live_db: Database, broker: str) -> Iterator[Database]:
    """A real database with a table for the effects of tasks, an empty broker, and Celery pointed at it."""
    with live_db.owner_engine.begin() as connection:
        connection.execute(text("CREATE TABLE ledger_test_effects (job_id uuid, number int)"))
        connection.execute(text(f"GRANT SELECT, INSERT ON ledger_test_effects TO {TENANT}, {PLATFORM}"))
    former = celery_app.conf.broker_url
    point_celery_at(broker)
    claim._last_lane.clear()
    wakeups._quiet_until = 0.0
    yield live_db
    point_celery_at(former)


def point_celery_at(url: str | None) -> None:
    """Let go of all connections and use another broker from now on."""
    celery_app.set_current()
    celery_app.conf.broker_url = celery_app.conf.broker_write_url = celery_app.conf.broker_read_url = url
    pools.reset()
    celery_app._pool = celery_app.amqp._producer_pool = None


@pytest.fixture
def broker_at() -> Callable[[str | None], None]:
    """Points Celery at another broker within a test."""
    return point_celery_at


@pytest.fixture
def query(ledger_db: Database) -> Query:
    """Rows as the owner sees them, behind all policies."""

    def run(sql: str, **values: Any) -> Any:
        with ledger_db.owner_engine.begin() as connection:
            result = connection.execute(text(sql), values)
            return result.all() if result.returns_rows else None

    return run


@pytest.fixture
def worker_process(ledger_db: Database, broker: str, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts real workers (one process each, unless told otherwise); those that still run are ended with the test."""
    started: list[Program] = []

    def start(*options: str) -> Program:
        words = ["celery", "-A", "tests.reliability.ledger_tasks", "worker", *(options or ("--pool", "solo"))]
        words += ["--without-gossip", "--without-mingle", "-n", f"w{len(started)}-{os.getpid()}@test"]
        log = tmp_path / f"worker{len(started)}.log"
        process = start_program(words, log, os.environ, death_signal=signal.SIGKILL)
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with its children
        process.wait(timeout=10)


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Waits until a condition holds."""

    def wait(condition: Callable[[], bool], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come to pass in time"
            time.sleep(0.05)

    return wait


@pytest.fixture
def framework() -> Iterator[Callable[..., None]]:
    """Registers the framework with some answers replaced: no argument, and it is as it was."""
    connected = ports.framework()

    def answer(**answers: Any) -> None:
        ports.register(replace(connected, **answers))

    yield answer
    ports.register(connected)
