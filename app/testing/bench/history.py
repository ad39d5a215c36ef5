"""What a long history of finished jobs costs a claim and a pass of beat's duties over the ledger."""

import time
from collections.abc import Callable
from statistics import quantiles
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from app.core.config import get_settings
from app.core.database import SYSTEM, dispose_engine, unit_of_work
from app.modules.tasks import DEFAULT_QUEUE
from app.tasks.claim import claim
from app.tasks.ledger import JobOptions, enqueue
from app.tasks.reaper import reap
from app.tasks.relay import relay, release_waiting
from app.tasks.retention import remove_old
from app.testing.bench.servers import scratch_platform

_TASK = "app.testing.bench.tasks.nothing"
_BATCH = 8
_VENDORS = 20
_CLAIMS = 200
_PASSES = 20
_ROWS_AT_ONCE = 500_000

# Spread over 80 days, which retention keeps; keys rise with time, as the application's do. One in fifty failed.
_JOBS = text(
    """
    INSERT INTO jobs (id, vendor_id, module, task, queue, run_after, args, state, attempts, max_attempts, token,
        priority, created_at, started_at, finished_at)
    SELECT cast(lpad(to_hex(cast(extract(epoch FROM at) * 1000 AS bigint)), 12, '0') || substr(md5(n::text), 1, 20)
            AS uuid),
        cast(lpad(to_hex(1 + n % :vendors), 16, '0') || lpad('', 16, '0') AS uuid), 'bench', :task, :queue, at, '{}',
        CASE n % 50 WHEN 0 THEN 'failed' ELSE 'succeeded' END, 1, 3, 1, 0, at, at, at
    FROM generate_series(cast(:start AS bigint), :end) n
    CROSS JOIN LATERAL (SELECT now() - interval '80 days' * (1 - n / cast(:total AS float8)) AS at) moment
    """
)
_RUNS = """
    INSERT INTO job_runs (job_id, token, vendor_id, attempt, worker, leased_until, heartbeat_at, started_at, ended_at,
        outcome)
    SELECT id, 1, vendor_id, 1, 'bench:1', finished_at, finished_at, started_at, finished_at, state
    FROM jobs
"""
_SIZE = "SELECT pg_total_relation_size('jobs') + pg_total_relation_size('job_runs')"


def measure_history(rows: int) -> dict[str, Any]:
    """Milliseconds of a claim of eight jobs and of beat's duties, before and behind ``rows`` finished jobs.

    The rows are written in logged tables with all indexes. Foreign keys are not checked meanwhile, and VACUUM ANALYZE
    follows, as autovacuum's work of months.
    """
    with scratch_platform(None):
        before = _measure()
        started = time.monotonic()
        _write(rows)
        seconds = time.monotonic() - started
        dispose_engine()  # plans that were made for the empty tables
        after = _measure()
        with unit_of_work(SYSTEM) as session:
            size = session.execute(text(_SIZE)).scalar_one()
    return {
        "rows": rows,
        "gigabytes": round(size / 1e9, 3),
        "seconds_to_write": round(seconds, 1),
        "without": before,
        "behind": after,
        "ratio_p50": round(after["claim"]["p50"] / before["claim"]["p50"], 2),
        "ratio_p95": round(after["claim"]["p95"] / before["claim"]["p95"], 2),
    }


def _write(rows: int) -> None:
    url = get_settings().database_owner_url
    assert url is not None
    admin = create_engine(make_url(url).set(username="postgres"), poolclass=NullPool)
    with admin.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("TRUNCATE jobs, job_runs CASCADE")
        connection.exec_driver_sql("SET session_replication_role = replica")  # no check of each foreign key
        for start in range(1, rows + 1, _ROWS_AT_ONCE):
            _write_part(connection, start, min(start + _ROWS_AT_ONCE - 1, rows), rows)
        connection.exec_driver_sql(_RUNS)
        connection.exec_driver_sql("VACUUM ANALYZE jobs, job_runs")
        connection.exec_driver_sql("CHECKPOINT")


def _write_part(connection: Connection, start: int, end: int, total: int) -> None:
    values = {"start": start, "end": end, "total": total, "vendors": _VENDORS}
    connection.execute(_JOBS, values | {"task": _TASK, "queue": DEFAULT_QUEUE})


def _measure() -> dict[str, dict[str, float]]:
    _queue(_CLAIMS * _BATCH)
    return {"claim": _timed(_claim, _CLAIMS), "beat": _timed(_duties, _PASSES)}


def _queue(jobs: int) -> None:
    options: JobOptions = {"queue": DEFAULT_QUEUE, "module": "bench", "max_attempts": 3}
    with unit_of_work(SYSTEM) as session:
        for number in range(jobs):
            vendor = UUID(int=(1 + number % _VENDORS) << 64)
            enqueue(session, _TASK, args={}, vendor_id=vendor, options=options)


def _claim() -> None:
    assert len(claim(DEFAULT_QUEUE, _BATCH, "bench:1")) == _BATCH


def _duties() -> None:
    reap()
    release_waiting()
    relay()
    remove_old()


def _timed(call: Callable[[], None], times: int) -> dict[str, float]:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    cuts = quantiles(taken, n=100)
    return {"p50": round(cuts[49], 2), "p95": round(cuts[94], 2), "max": round(max(taken), 2)}
