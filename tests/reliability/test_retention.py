"""What ended long ago goes, in parts; everything else stays."""

import pytest

from app.core.config import get_settings
from app.tasks import retention

pytestmark = [pytest.mark.reliability, pytest.mark.usefixtures("ledger_db", "eager")]
_INSERT = """
    WITH made AS (
        INSERT INTO jobs (id, parent_id, module, task, queue, priority, run_after, args, state, attempts, max_attempts,
            token, created_at, finished_at)
        SELECT gen_random_uuid(), cast(:parent AS uuid), 'tests', 'x', 'default', 0, now(), '{}', :state, 1, 1, 1,
            now() - make_interval(days => :days),
            CASE WHEN :state IN ('queued', 'running') THEN NULL ELSE now() - make_interval(days => :days) END
        FROM generate_series(1, :count) RETURNING id, created_at
    ), runs AS (
        INSERT INTO job_runs (job_id, token, attempt, worker, leased_until, heartbeat_at, started_at, ended_at)
        SELECT id, 1, 1, 'w:1', created_at, created_at, created_at, created_at FROM made
    ), handed AS (
        INSERT INTO deliveries (id, event_id, event, handler, aggregate, payload, job_id, created_at)
        SELECT gen_random_uuid(), gen_random_uuid(), 'x.y', 'x', 'a', '{}', id, created_at FROM made
    ), ticked AS (
        INSERT INTO ticks (schedule, due_at, job_id, made_by, made_at)
        SELECT 'test.' || id, created_at, id, 'b:1', created_at FROM made
    )
    SELECT id FROM made
"""


@pytest.fixture
def eager(monkeypatch):
    """The next look is now, and parts are small."""
    monkeypatch.setattr(retention, "_next_at", 0.0)
    monkeypatch.setattr(retention, "_BATCH", 10)


def insert(query, count, *, days, state="succeeded", parent=None):
    return [row.id for row in query(_INSERT, count=count, days=days, state=state, parent=parent)]


def rows(query):
    tables = ("jobs", "job_runs", "deliveries", "ticks")
    return {table: query(f"SELECT count(*) FROM {table}")[0][0] for table in tables}


def test_old_jobs_go_with_all_that_belongs_to_them(query):
    for state in ("succeeded", "failed", "cancelled"):
        insert(query, 3, days=91, state=state)
    insert(query, 2, days=89)
    assert retention.remove_old() == 18
    assert rows(query) == {"jobs": 2, "job_runs": 2, "deliveries": 2, "ticks": 2}
    assert retention.remove_old() == 0


def test_unfinished_work_stays_however_old(query):
    (parent,) = insert(query, 1, days=200)
    insert(query, 1, days=200, state="queued", parent=parent)
    insert(query, 1, days=200, state="running")
    retention.remove_old()
    assert (rows(query)["jobs"], rows(query)["job_runs"]) == (3, 3)


def test_the_setting_decides(query, monkeypatch):
    insert(query, 2, days=8)
    monkeypatch.setenv("WIZAMART_JOB_RETENTION_DAYS", "7")
    get_settings.cache_clear()
    retention.remove_old()
    assert rows(query)["jobs"] == 0


def test_it_works_in_bounded_parts_and_looks_once_a_minute(query):
    insert(query, 70, days=100)
    assert retention.remove_old() == 100  # five parts of ten jobs and ten ticks
    assert retention.remove_old() == 40
    insert(query, 1, days=100)
    assert retention.remove_old() == 0
