"""An import in the product's own worker, which is killed in the middle of the file."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.core.database import TenantScope, unit_of_work
from app.modules.marketplace.services import import_service
from app.modules.marketplace.services.import_parts import PART_ROWS
from app.modules.marketplace.services.import_service import ImportRequest
from app.modules.tenancy import facade as tenancy
from app.testing.database import Database
from bench.feeds import write_feed
from tests.e2e.platform import Processes

pytestmark = [pytest.mark.reliability, pytest.mark.demo_due]
ROWS, KILLED_AT = 20_000, 5_000
LEASE_AND_WORK_SECONDS = 50.0
Rows = Callable[[str], Any]


@pytest.fixture
def processes(world: Database, broker: str, tmp_path: Path) -> Iterator[Processes]:
    """Runs the product's commands on the demo world."""
    running = Processes(tmp_path)
    yield running
    running.stop()


def start_import(feed: Path) -> UUID:
    vendor = tenancy.get_vendor("MINETT")
    with unit_of_work(TenantScope(vendor.id, vendor.company_id)) as session:
        request = ImportRequest("en", source_name=feed.name, content=feed)
        return import_service.start_import(session, request).id


@pytest.mark.long(31)
def test_a_killed_worker_costs_one_part_of_the_file_and_no_row(
    world: Database, processes: Processes, tmp_path: Path
) -> None:
    def rows(sql: str) -> Any:
        with world.owner_engine.connect() as connection:
            return connection.execute(text(sql), {"import_id": import_id}).all()

    truth = write_feed(tmp_path / "feed.tsv", rows=ROWS, language="en", seed=3)
    import_id = start_import(tmp_path / "feed.tsv")
    processes.start("beat")
    first = processes.start("worker", "--queues", "long_running", "--name", f"first-{os.getpid()}")
    half = (
        "SELECT 1 FROM feed_imports JOIN job_runs USING (job_id) "
        f"WHERE feed_imports.id = :import_id AND rows >= {KILLED_AT} AND backend_pid IS NOT NULL"
    )
    processes.wait_until(lambda: rows(half) != [])
    processes.kill(first)
    committed = when_settled(processes, rows)
    assert KILLED_AT <= committed.rows < ROWS
    assert committed.rows % PART_ROWS == 0

    processes.start("worker", "--queues", "long_running", "--name", f"second-{os.getpid()}")
    ended = (
        "SELECT 1 FROM feed_imports JOIN jobs ON jobs.id = job_id WHERE feed_imports.id = :import_id "
        "AND finished_at IS NOT NULL"
    )
    processes.wait_until(lambda: rows(ended) != [], LEASE_AND_WORK_SECONDS)
    check_job(rows)
    good = ROWS - len(truth.dirty)
    counts = "SELECT rows, created, updated, unchanged, failed FROM feed_imports WHERE id = :import_id"
    assert rows(counts) == [(ROWS, good, 0, 0, len(truth.dirty))]
    check_rows(rows, good)
    lines = "SELECT line FROM feed_row_errors WHERE import_id = :import_id ORDER BY line"
    assert [row.line for row in rows(lines)] == sorted(truth.dirty)
    # What the first worker had committed was not done again: the second one went on behind it.
    before = "SELECT count(*) FROM products WHERE created_at < (SELECT max(started_at) FROM job_runs)"
    assert rows(before) == [(committed.created,)]


def when_settled(processes: Processes, rows: Rows) -> Any:
    """The import's counts once the database has noticed that the worker is gone."""
    session = (
        "SELECT 1 FROM job_runs JOIN pg_stat_activity ON pid = backend_pid "
        "JOIN feed_imports ON feed_imports.job_id = job_runs.job_id WHERE feed_imports.id = :import_id"
    )
    processes.wait_until(lambda: rows(session) == [])
    (found,) = rows("SELECT rows, created FROM feed_imports WHERE id = :import_id")
    return found


def check_job(rows: Rows) -> None:
    runs = rows(
        "SELECT state, attempts, outcome, worker FROM jobs JOIN job_runs ON job_id = jobs.id "
        "JOIN feed_imports ON feed_imports.job_id = jobs.id WHERE feed_imports.id = :import_id ORDER BY job_runs.token"
    )
    assert [(run.state, run.attempts, run.outcome) for run in runs] == [
        ("succeeded", 2, "lost"),
        ("succeeded", 2, "succeeded"),
    ]
    assert runs[0].worker != runs[1].worker


def check_rows(rows: Rows, good: int) -> None:
    """Every good row is one staging row, one product and one text, written once."""
    assert rows("SELECT count(*), count(DISTINCT sku), max(version) FROM products") == [(good, good, 1)]
    assert rows("SELECT count(*), max(version) FROM product_translations") == [(good, 1)]
    staged = (
        "SELECT count(*), count(DISTINCT external_id) FROM marketplace_products WHERE import_id = :import_id"
    )
    assert rows(staged) == [(good, good)]
    unlike = (
        "SELECT sku FROM products FULL JOIN marketplace_products ON sku = external_id "
        "WHERE sku IS NULL OR external_id IS NULL"
    )
    assert rows(unlike) == []
    assert rows("SELECT count(*) FROM feed_import_seen") == [(0,)]
