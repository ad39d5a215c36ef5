"""A long history of finished jobs does not slow a claim."""

import time
from statistics import median
from uuid import UUID

import pytest

from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.tasks.claim import claim
from app.tasks.dispatcher import dispatch
from app.tasks.relay import relay
from tests.reliability import ledger_tasks as _tasks  # noqa: F401  registers them

pytestmark = [pytest.mark.reliability, pytest.mark.usefixtures("ledger_db")]
ROWS = 100_000
VENDORS = [UUID(int=number << 64) for number in range(1, 21)]
_HISTORY = """
    INSERT INTO jobs (id, vendor_id, module, task, queue, priority, run_after, args, state, attempts, max_attempts,
        token, created_at, started_at, finished_at)
    SELECT gen_random_uuid(), cast(lpad(to_hex(1 + n % 20), 16, '0') || lpad('', 16, '0') AS uuid), 'framework',
        'tests.reliability.ledger_tasks.note_for_vendor', 'default', 0, now(), '{}',
        CASE n % 50 WHEN 0 THEN 'failed' ELSE 'succeeded' END, 1, 3, 1, now() - make_interval(secs => n),
        now() - make_interval(secs => n), now() - make_interval(secs => n)
    FROM generate_series(1, :rows) n
"""


def claim_seconds() -> float:
    """The usual time of a claim with work of twenty vendors waiting."""
    for vendor in VENDORS:
        with unit_of_work(TenantScope(vendor)) as session:
            for _ in range(12):
                dispatch(session, "tests.reliability.ledger_tasks.note_for_vendor", vendor_id=vendor)
    taken = []
    for _ in range(30):
        started = time.perf_counter()
        assert len(claim("default", 8, "test:1")) == 8
        taken.append(time.perf_counter() - started)
    return median(taken)


def test_a_claim_does_not_look_at_what_is_finished(query, ledger_db, record_property):
    before = claim_seconds()
    query(_HISTORY, rows=ROWS)
    with ledger_db.owner_engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE jobs")
    after = claim_seconds()
    record_property("claim_ms", (round(before * 1000, 2), round(after * 1000, 2)))
    print(f"claim of 8: {before * 1000:.2f} ms, behind {ROWS:,} finished jobs {after * 1000:.2f} ms")
    assert after < 3 * before + 0.005
    started = time.perf_counter()
    relay()
    with unit_of_work(SYSTEM):
        assert time.perf_counter() - started < 1.0
