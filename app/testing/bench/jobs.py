"""The ledger beside plain Celery: rates, the cost of starting work, and how long an event is on its way."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

from celery import current_app
from sqlalchemy import text

from app.core.database import SYSTEM, unit_of_work
from app.core.errors import UnavailableError
from app.modules.events import publish
from app.modules.tasks import DEFAULT_QUEUE
from app.tasks import wakeups
from app.tasks.dispatcher import dispatch
from app.testing.bench import floor
from app.testing.bench.events import ProbeSent
from app.testing.bench.marks import clear_marks, read_marks
from app.testing.bench.servers import Workers, scratch_platform, wait_for_marks

_TASKS = "app.testing.bench.tasks"
_PER_TRANSACTION = 100
_DRAIN_SECONDS = 120.0
_UNFINISHED = text(
    "SELECT EXISTS (SELECT FROM jobs WHERE state IN ('queued', 'running') AND module = 'bench')"
)


class Plan(NamedTuple):
    """How much to measure: jobs in a round, rounds, worker children, events per second, for how many seconds."""

    jobs: int
    rounds: int
    concurrency: int
    rate: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared. ``fill`` starts so many tasks of a kind, ``probe`` one that is timed."""

    workers: Workers
    fill: Callable[[str, int], None]
    probe: Callable[[], None]
    is_idle: Callable[[], bool]


def _fill_ledger(kind: str, count: int, per_transaction: int = _PER_TRANSACTION) -> None:
    for start in range(0, count, per_transaction):
        with unit_of_work(SYSTEM) as session:
            for _ in range(min(per_transaction, count - start)):
                dispatch(session, f"{_TASKS}.{kind}")


def _fill_ledger_singly(kind: str, count: int) -> None:
    _fill_ledger(kind, count, per_transaction=1)


def _publish_probe() -> None:
    with unit_of_work(SYSTEM) as session:
        sent_ns = time.monotonic_ns()
        publish(session, ProbeSent(sent_ns), aggregate=str(sent_ns))


def _ledger_is_idle() -> bool:
    with unit_of_work(SYSTEM) as session:
        return not session.execute(_UNFINISHED).scalar_one()


def _fill_floor(kind: str, count: int) -> None:
    task = floor.app.tasks[f"floor.{kind}"]
    for _ in range(count):
        task.delay()


def _send_probe() -> None:
    floor.nothing.delay(time.monotonic_ns())


@contextmanager
def _sides(folder: Path, concurrency: int) -> Iterator[dict[str, Side]]:
    of_ledger = ("worker", "--queues", DEFAULT_QUEUE, "--concurrency", str(concurrency), "--name", "bench")
    of_floor = ("-A", "app.testing.bench.floor", "worker", "-c", str(concurrency), "-n", "floor@%h")
    lean = ("--without-gossip", "--without-mingle")
    started = [
        Workers(("app.cli", *of_ledger), folder / "ledger.log"),
        Workers(("celery", *of_floor, "-Q", floor.QUEUE, *lean), folder / "floor.log"),
        Workers(("app.cli", "beat"), folder / "beat.log"),
    ]
    try:
        sides = {
            "ledger": Side(started[0], _fill_ledger, _publish_probe, _ledger_is_idle),
            "celery": Side(started[1], _fill_floor, _send_probe, lambda: True),
        }
        for side in sides.values():  # the first tasks find connections open and code loaded
            _drain(side, "nothing", 200)
        yield sides
    finally:
        for workers in started:
            workers.end()


def measure(plan: Plan, broker_url: str | None) -> dict[str, Any]:
    """All figures: rates per second, and milliseconds; medians of the rounds, in which the two take turns."""
    with scratch_platform(broker_url) as folder, _sides(folder, plan.concurrency) as sides:
        figures: dict[str, Any] = {"servers": _servers(), **plan._asdict()}
        for kind, label in (("nothing", "no-op"), ("write", "small write")):
            figures[label] = _compare(sides, plan.rounds, partial(_drain, kind=kind, count=plan.jobs))
        figures["dispatch"] = _compare(sides, plan.rounds, lambda side: _fill(side, side.fill, plan.jobs))
        single = [_fill(sides["ledger"], _fill_ledger_singly, plan.jobs // 4) for _ in range(plan.rounds)]
        figures["dispatch"]["ledger, one per transaction"] = round(median(single), 1)
        figures["latency"] = {name: _latency(side, plan) for name, side in sides.items()}
    return figures


def _servers() -> str:
    with unit_of_work(SYSTEM) as session:
        version = session.execute(text("SHOW server_version")).scalar_one()
    with current_app.connection_for_write() as connection:
        return f"PostgreSQL {version}, {connection.transport.driver_type} broker"


def _compare(sides: dict[str, Side], rounds: int, measure_once: Callable[[Side], float]) -> dict[str, float]:
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            found[name].append(measure_once(side))
    rates = {name: round(median(values), 1) for name, values in found.items()}
    return rates | {"ratio": round(rates["ledger"] / rates["celery"], 3)}


def _drain(side: Side, kind: str, count: int) -> float:
    """Tasks done per second, from the moment the workers may begin with a full queue."""
    clear_marks()
    with side.workers.stopped():
        side.fill(kind, count)
    return count / _finish(side, count)


def _fill(side: Side, fill: Callable[[str, int], None], count: int) -> float:
    """Tasks started per second while nobody works."""
    clear_marks()
    with side.workers.stopped():
        started = time.monotonic()
        fill("nothing", count)
        seconds = time.monotonic() - started
    _finish(side, count)
    return count / seconds


def _finish(side: Side, count: int) -> float:
    """Wait for the end of all work; returns how long it took. Left-over wake-ups are gone afterwards."""
    started = time.monotonic()
    wait_for_marks(count, _DRAIN_SECONDS)
    _wait_until(side.is_idle)
    seconds = time.monotonic() - started
    with current_app.connection_for_write() as connection:
        _wait_until(lambda: wakeups.outstanding(connection, DEFAULT_QUEUE) == 0)
    return seconds


def _wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + _DRAIN_SECONDS
    while not is_so():
        if time.monotonic() > end:
            raise UnavailableError("The workers did not come to rest.")
        time.sleep(0.005)


def _latency(side: Side, plan: Plan) -> dict[str, float]:
    """Milliseconds from publishing to handling, at a steady rate."""
    clear_marks()
    count = plan.rate * plan.seconds
    started = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, started + number / plan.rate - time.monotonic()))
        side.probe()
    rate = count / (time.monotonic() - started)
    _finish(side, count)
    return {"per second": round(rate, 1), **_percentiles([value / 1e6 for value in read_marks()])}


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(values, n=100)
    return {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "max": round(max(values), 1)}
