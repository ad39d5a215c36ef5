"""One switch acts in every running process: two web processes, a worker and a beat follow the command."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.modules.events import publish
from app.modules.tenancy import facade as tenancy
from app.modules.tenancy.events import VendorCreated
from app.tasks.dispatcher import dispatch
from app.testing import programs
from app.testing.browsing import sign_in
from app.testing.commands import run_command as run
from app.testing.database import Database
from tests.e2e.platform import Processes, free_port, is_ready

pytestmark = pytest.mark.reliability
EXPORT = "app.modules.marketplace.tasks.export.export_vendor_products_to_folder"
FOLLOW_SECONDS = 5.0
QUEUES = "default,long_running,scheduled"


@pytest.fixture
def processes(
    world: Database, broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Processes]:
    """Runs the product's commands on the demo world: with interpreters of their own, as nowhere else in the tests."""
    monkeypatch.setattr(programs, "is_forking", False)
    running = Processes(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def browsers(processes: Processes) -> Iterator[list[httpx2.Client]]:
    """Two web processes, with the owner of MINETT signed in to each."""
    bases = [f"http://127.0.0.1:{free_port()}" for _ in range(2)]
    for base in bases:
        processes.start("serve", "--port", base.rpartition(":")[2])
    processes.start("worker", "--queues", QUEUES, "--concurrency", "1", "--name", f"flip-{os.getpid()}")
    processes.start("beat")
    processes.wait_until(lambda: all(is_ready(base) for base in bases))
    clients = [httpx2.Client(base_url=base, timeout=10.0, trust_env=False) for base in bases]
    for client in clients:
        sign_in(client, "vendor", "owner@minett.example")
    yield clients
    for client in clients:
        client.close()


def start_work() -> None:
    """One event that the marketplace listens to, and one job of its own."""
    vendor = tenancy.get_vendor("MINETT")
    with unit_of_work(SYSTEM) as session:
        event = VendorCreated(vendor.id, vendor.code, "en")
        publish(session, event, vendor_id=vendor.id, aggregate=str(vendor.id))
    with unit_of_work(TenantScope(vendor.id, vendor.company_id)) as session:
        dispatch(session, EXPORT, kwargs={"languages": "en"}, vendor_id=vendor.id)


def states(world: Database, since: float) -> set[tuple[str, str | None]]:
    with world.owner_engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT state, waiting_reason FROM jobs WHERE module = 'marketplace' "
                "AND created_at > to_timestamp(:since)"
            ),
            {"since": since},
        )
        return {tuple(row) for row in rows}


@pytest.mark.long(20)
def test_web_worker_and_beat_follow_within_seconds(
    world: Database, processes: Processes, browsers: list[httpx2.Client]
) -> None:
    def all_answer(status: int) -> Callable[[], bool]:
        return lambda: all(
            browser.get("/vendor/MINETT/imports").status_code == status for browser in browsers
        )

    processes.wait_until(all_answer(200))
    assert run("modules", "disable", "order-folder").returncode == 0  # it stands on the marketplace
    assert run("modules", "disable", "marketplace").returncode == 0
    processes.wait_until(all_answer(404), FOLLOW_SECONDS)
    for browser in browsers:
        assert "/vendor/MINETT/imports" not in browser.get("/vendor/MINETT").text
        assert browser.get("/vendor/MINETT/products").status_code == 200
    refused = run("export", "products", "--vendor", "MINETT", "--out", "unused")
    assert refused.returncode == 1
    assert "framework.module_off" in refused.stderr

    since = time.time()
    start_work()
    waiting = {("queued", "module off")}
    processes.wait_until(lambda: states(world, since) == waiting, FOLLOW_SECONDS)
    assert run("jobs", "list", "--state", "queued").stdout.count("module off") == 2
    time.sleep(2.0)
    assert states(world, since) == waiting

    assert run("modules", "enable", "marketplace").returncode == 0
    processes.wait_until(all_answer(200), FOLLOW_SECONDS)
    processes.wait_until(lambda: states(world, since) == {("succeeded", None)}, FOLLOW_SECONDS)
    assert all("/vendor/MINETT/imports" in browser.get("/vendor/MINETT").text for browser in browsers)
