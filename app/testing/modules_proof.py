"""Proof that a module comes and goes under load: pages follow, no request breaks, no work is lost."""

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import text

from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.modules import lifecycle
from app.modules.events import publish
from app.modules.lifecycle import PLATFORMS
from app.modules.tasks import QUEUES
from app.modules.tenancy import facade as tenancy
from app.modules.tenancy.events import VendorCreated
from app.tasks.dispatcher import dispatch
from app.testing.database import Database
from app.testing.delivery.processes import Processes
from app.testing.modules_load import FLIPPED_PAGE, Load, signed_in, steady_load

MODULE = "marketplace"
_ABOVE = ("order-folder",)  # what stands on it
FOLLOW_SECONDS = 5.0
_TASK = "app.modules.marketplace.tasks.export.export_vendor_products_to_folder"
_REQUESTS_PER_SECOND = 20.0
_START_SECONDS = 60.0
_DRAIN_SECONDS = 120.0
_LOOK_SECONDS = 0.1
# Once the module stays off for longer, so that a worker which did not follow would be seen.
_LONG_OFF_SECONDS = FOLLOW_SECONDS + 0.5


@dataclass(slots=True)
class _Flips:
    """What is known so far: seconds until every web process had followed, and the jobs that were made."""

    platform_id: UUID
    probes: Sequence[httpx2.Client]
    probing: Load = field(default_factory=Load)
    followed: list[float] = field(default_factory=list)
    jobs: list[UUID] = field(default_factory=list)
    off: list[tuple[datetime, datetime]] = field(default_factory=list)


def prove_flips(database: Database, logs: Path, flips: int) -> dict[str, Any]:
    """Switch a module off and on ``flips`` times on a database with demo data, under 20 requests a second to two
    web processes, with two workers, while work of the module is made. Returns the figures.

    The environment of this process must point at the database and its broker.
    """
    load, started = Load(), time.monotonic()
    with ExitStack() as stack:
        bases = stack.enter_context(_running(Processes(logs, {})))
        probes = [stack.enter_context(closing(signed_in(base))) for base in bases]
        with unit_of_work(SYSTEM) as session:
            state = _Flips(PLATFORMS.one()(session)["demo"], probes)
        browsing_since = time.monotonic()
        with steady_load(load, bases, _REQUESTS_PER_SECOND):
            for number in range(flips):
                _flip(state, _LONG_OFF_SECONDS if number == 0 else 0.0)
            _drain(database, state.jobs)
        seconds = time.monotonic() - browsing_since
    statuses = load.statuses + state.probing.statuses
    return {
        "flips": flips,
        "switches": len(state.followed),
        "follow_seconds_p95": round(sorted(state.followed)[int(len(state.followed) * 0.95)], 2),
        "follow_seconds_max": round(max(state.followed), 2),
        "requests": statuses.total(),
        "requests_per_second": round(load.statuses.total() / seconds, 1),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "unexpected_answers": sum(n for status, n in statuses.items() if status not in (200, 404)),
        "unanswered": load.failures + state.probing.failures,
        "slowest_request_seconds": round(load.slowest, 2),
        **_figures_of_work(database, state),
        "seconds": round(time.monotonic() - started, 1),
    }


def flips_are_proved(figures: Mapping[str, Any]) -> bool:
    """No broken request, nothing lost, doubled or done while off, and everybody followed in time."""
    return (
        figures["unexpected_answers"] == 0
        and not figures["unanswered"]
        and figures["lost"] == figures["doubled"] == figures["started_while_off"] == 0
        and figures["waited"] > 0
        and figures["follow_seconds_max"] <= FOLLOW_SECONDS
    )


def _flip(state: _Flips, hold_seconds: float) -> None:
    switched_at = _switch(state, is_on=False)
    _follow(state, 404)
    _make_work(state)
    time.sleep(hold_seconds)
    state.off.append((switched_at, _switch(state, is_on=True)))
    _follow(state, 200)
    _make_work(state)


def _switch(state: _Flips, *, is_on: bool) -> datetime:
    """Switch the module; returns when, by the database's clock."""
    with unit_of_work(SYSTEM) as session:
        if is_on:
            lifecycle.enable(session, state.platform_id, MODULE, by="proof")
        else:
            for code in (*_ABOVE, MODULE):
                lifecycle.disable(session, state.platform_id, code, by="proof")
        moment: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment


def _follow(state: _Flips, status: int) -> None:
    """Wait until every web process answers so; longer than allowed is a figure, not an error."""
    started = time.monotonic()
    waiting = list(state.probes)
    while waiting and time.monotonic() - started < 2 * FOLLOW_SECONDS:
        waiting = [probe for probe in waiting if state.probing.ask(probe, FLIPPED_PAGE) != status]
        if waiting:
            time.sleep(_LOOK_SECONDS)
    state.followed.append(time.monotonic() - started)


def _make_work(state: _Flips) -> None:
    """A job of the module, and an event that it listens to."""
    vendor = tenancy.get_vendor("MINETT")
    with unit_of_work(SYSTEM) as session:
        event = VendorCreated(vendor.id, vendor.code, "en")
        event_id = publish(session, event, vendor_id=vendor.id, aggregate=str(vendor.id))
        delivery = text("SELECT job_id FROM deliveries WHERE event_id = :event_id AND handler = :module")
        state.jobs.append(session.execute(delivery, {"event_id": event_id, "module": MODULE}).scalar_one())
    with unit_of_work(TenantScope(vendor.id, vendor.company_id)) as session:
        state.jobs.append(dispatch(session, _TASK, kwargs={"languages": "en"}, vendor_id=vendor.id).id)


def _drain(database: Database, jobs: list[UUID]) -> None:
    deadline = time.monotonic() + _DRAIN_SECONDS
    while time.monotonic() < deadline:
        with database.owner_engine.connect() as connection:
            unfinished = text("SELECT count(*) FROM jobs WHERE id = ANY(:jobs) AND finished_at IS NULL")
            if not connection.execute(unfinished, {"jobs": jobs}).scalar_one():
                return
        time.sleep(0.2)


_WORK = text(
    """
    SELECT count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
           count(*) FILTER (WHERE runs.succeeded > 1) AS doubled,
           count(*) FILTER (WHERE runs.first - created_at > interval '3 s') AS waited
    FROM jobs CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE outcome = 'succeeded') AS succeeded, min(started_at) AS first
        FROM job_runs WHERE job_id = jobs.id
    ) runs WHERE id = ANY(:jobs)
    """
)
_STARTED = text(
    """
    SELECT count(*) FROM job_runs JOIN jobs ON jobs.id = job_id WHERE module = :module
    AND job_runs.started_at BETWEEN cast(:off AS timestamptz) + make_interval(secs => :follow) AND :on
    """
)


def _figures_of_work(database: Database, state: _Flips) -> dict[str, int]:
    with database.owner_engine.connect() as connection:
        row = connection.execute(_WORK, {"jobs": state.jobs}).one()
        started = sum(
            connection.execute(
                _STARTED, {"module": MODULE, "off": off, "on": on, "follow": FOLLOW_SECONDS}
            ).scalar_one()
            for off, on in state.off
        )
    made = len(state.jobs)
    return {
        "jobs": made,
        "lost": made - row.succeeded,
        "doubled": row.doubled,
        "waited": row.waited,
        "started_while_off": started,
    }


@contextmanager
def _running(processes: Processes) -> Iterator[list[str]]:
    """Two web processes, two workers and a beat; yields where the web is."""
    ports = [_free_port() for _ in range(2)]
    try:
        for port in ports:
            processes.start(f"web-{port}", "serve", "--port", str(port))
        for name in ("first", "second"):
            queues = ",".join(QUEUES)
            processes.start(
                name, "worker", "--queues", queues, "--concurrency", "1", "--name", f"{name}-{ports[0]}"
            )
        processes.start("beat", "beat")
        bases = [f"http://127.0.0.1:{port}" for port in ports]
        deadline = time.monotonic() + _START_SECONDS
        while not all(_is_ready(base) for base in bases):
            assert time.monotonic() < deadline, processes.tails()
            time.sleep(0.1)
        yield bases
    finally:
        processes.end_all()


def _is_ready(base_url: str) -> bool:
    try:
        return httpx2.get(f"{base_url}/health/ready", timeout=2.0, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
