"""Imports of large feeds by a worker process, beside the floor: the same rows by COPY and INSERT … SELECT alone.

The floor has no checks, no history and no row-level security, but the same tables with the same indexes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2
import orjson
import psutil  # type: ignore[import-untyped]
from sqlalchemy import Engine, create_engine, text

from app.core.database import TenantScope, psycopg_url, unit_of_work
from app.core.errors import UnavailableError
from app.modules import setup
from app.modules.marketplace.facade import import_file, report_import
from app.modules.platform import owner_url
from app.modules.state import refresh
from app.modules.tenancy.facade import find_vendor
from app.testing.bench.pages import OWNER, VENDOR, served
from app.testing.bench.servers import Workers, scratch_platform
from app.testing.browsing import sign_in
from app.testing.working import work
from bench.feeds import FeedTruth, write_feed

_LANGUAGES = ("en", "fr", "de")
_RUNS = (("first", "en"), ("unchanged", "en"), ("second_language", "fr"), ("third_language", "de"))
_MOST_SECONDS = 3600.0
_LOOK_SECONDS = 0.2
_PAGE_SECONDS = 0.5
_TABLES = ("products", "product_translations", "marketplace_products")
# Rules of each kind as a shop has them, but none that mends or leaves out a dirty row: each must be reported.
_RULES: tuple[tuple[str, list[dict[str, Any]], dict[str, Any]], ...] = (
    ("round", [], {"kind": "round_price", "column": "price", "ending": "01", "direction": "nearest"}),
    ("map", [], {"kind": "map", "column": "google_product_category", "table": {"Luggage & Bags": "Bags"}}),
    (
        "replace",
        [{"column": "brand", "op": "equals", "value": "Belair"}],
        {"kind": "replace", "column": "title", "find": "Belair", "with": "Bel-Air"},
    ),
    (
        "set",
        [{"column": "shipping_weight", "op": "is_empty"}],
        {"kind": "set", "column": "shipping_weight", "value": "1 kg"},
    ),
    ("exclude", [{"column": "title", "op": "starts_with", "value": "Sample"}], {"kind": "exclude"}),
)


_RULE = text(
    """
    INSERT INTO feed_rules (id, vendor_id, stage, name, position, is_active, match, conditions, action,
                            created_at, updated_at, version)
    VALUES (gen_random_uuid(), :vendor, 'import', :name, :position, true, 'all', cast(:conditions AS jsonb),
            cast(:action AS jsonb), now(), now(), 1)
    """
)
_COLUMNS = """
    SELECT quote_ident(column_name) FROM information_schema.columns
    WHERE table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position
"""
_IS_OVER = text(
    "SELECT j.finished_at IS NOT NULL FROM feed_imports i JOIN jobs j ON j.id = i.job_id WHERE i.id = :id"
)


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """How many rows each of the three files has, and the seed they are made with."""

    rows: int = 100_000
    seed: int = 1


def measure_imports(plan: ImportPlan) -> dict[str, Any]:
    """Rows per second of a first and an unchanged import and of two more languages', beside the floor; the worker's
    memory, and how quickly pages answer meanwhile."""
    with scratch_platform(None) as folder:
        engine = create_engine(psycopg_url(owner_url()))
        scope = _vendor(engine)
        files = {language: folder / f"{language}.tsv" for language in _LANGUAGES}
        truths = {
            language: write_feed(path, rows=plan.rows, language=language, seed=plan.seed)
            for language, path in files.items()
        }
        arguments = ("app.cli", "worker", "--queues", "long_running", "--name", "bench")
        worker = Workers(arguments, folder / "worker.log")
        try:
            with served(folder) as port, _peak_memory(worker) as memory:
                reader = _Reader(port)
                runs = {
                    name: _import(engine, scope, files[language], truths[language], language, reader)
                    for name, language in _RUNS
                }
        finally:
            worker.end()
        figures = {
            "rows": plan.rows,
            "megabytes": round(files["en"].stat().st_size / 1e6, 1),
            "kinds_of_dirt": len(set(truths["en"].dirty.values())),
            "rules": len(_RULES),
            "imports": runs,
            "worker_peak_mb": memory,
            "floor": _floor(engine, scope, folder, plan.rows, runs["first"]["rows_per_second"]),
        }
        engine.dispose()
        return figures


def _vendor(engine: Engine) -> TenantScope:
    """A vendor without products, and the rules of its feeds."""
    setup.seed_demo()
    refresh()
    work(timeout_seconds=300)
    vendor = find_vendor(code=VENDOR)
    assert vendor
    with engine.begin() as connection:
        for table in (*_TABLES, "feed_imports", "feeds"):
            connection.execute(text(f"DELETE FROM {table} WHERE vendor_id = :vendor"), {"vendor": vendor.id})
        for position, (name, conditions, action) in enumerate(_RULES):
            values = {"vendor": vendor.id, "name": name, "position": position}
            values |= {
                "conditions": orjson.dumps(conditions).decode(),
                "action": orjson.dumps(action).decode(),
            }
            connection.execute(_RULE, values)
    return TenantScope(vendor.id, vendor.company_id)


def _import(
    engine: Engine, scope: TenantScope, path: Path, truth: FeedTruth, language: str, reader: "_Reader"
) -> dict[str, Any]:
    """Have one file imported; what came of it, checked against what was written."""
    with unit_of_work(scope) as session:
        key = import_file(session, path, language=language)
    with reader.asking() as times:
        _wait(engine, key)
    with unit_of_work(scope) as session:
        done = report_import(session, key)
    if done.state != "succeeded" or (done.rows, done.failed) != (truth.rows, len(truth.dirty)):
        raise UnavailableError(
            f"The import ended as {done.state} with {done.failed} of {len(truth.dirty)} dirty rows: {done.problem}"
        )
    assert done.finished_at
    assert done.started_at
    seconds = (done.finished_at - done.started_at).total_seconds()
    names = ("created", "updated", "unchanged", "excluded", "failed")
    counts = {name: getattr(done, name) for name in names}
    return {
        "rows_per_second": round(truth.rows / seconds),
        "seconds": round(seconds, 1),
        **counts,
        "page_p95_ms": times[int(len(times) * 0.95)] if times else None,
    }


def _wait(engine: Engine, import_id: Any) -> None:
    end = time.monotonic() + _MOST_SECONDS
    while time.monotonic() < end:
        with engine.connect() as connection:
            if connection.execute(_IS_OVER, {"id": import_id}).scalar_one():
                return
        time.sleep(_LOOK_SECONDS)
    raise UnavailableError("The import makes no end.")


class _Reader:
    """Somebody who opens the vendor's list of products twice a second, all the time."""

    def __init__(self, port: int) -> None:
        self._client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
        sign_in(self._client, "vendor", OWNER)

    @contextmanager
    def asking(self) -> Iterator[list[float]]:
        """Milliseconds of each answer while the block runs, sorted at its end."""
        times: list[float] = []
        is_over = Event()

        def ask() -> None:
            due = time.monotonic()
            while not is_over.wait(max(due - time.monotonic(), 0)):
                started = time.perf_counter()
                self._client.get(f"/vendor/{VENDOR}/products").raise_for_status()
                times.append(round((time.perf_counter() - started) * 1000, 1))
                due += _PAGE_SECONDS

        thread = Thread(target=ask, daemon=True)
        thread.start()
        try:
            yield times
        finally:
            is_over.set()
            thread.join()
            times.sort()


@contextmanager
def _peak_memory(worker: Workers) -> Iterator[dict[str, int]]:
    """The most megabytes that one of the worker's processes had, and all of them together (shared pages counted in
    each), while the block ran."""
    found = {"largest_process": 0, "all_processes": 0}
    is_over = Event()

    def look() -> None:
        root = psutil.Process(worker.pid)
        while not is_over.wait(_LOOK_SECONDS):
            sizes = [_resident(one) for one in (root, *root.children(recursive=True))]
            found["largest_process"] = max(found["largest_process"], round(max(sizes) / 1e6))
            found["all_processes"] = max(found["all_processes"], round(sum(sizes) / 1e6))

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        is_over.set()
        thread.join()


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _floor(engine: Engine, scope: TenantScope, folder: Path, rows: int, ours: int) -> dict[str, Any]:
    """Rows of a feed per second by COPY into a bare table and one INSERT … SELECT into an equally indexed one.

    ``one_table`` writes the products alone, ``all_tables`` also the texts and the rows of the feed, as an import does.
    """
    seconds = dict.fromkeys(_TABLES, 0.0)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        for table in _TABLES:
            path = folder / f"{table}.copy"
            where = f"WHERE vendor_id = '{scope.vendor_id}'"
            where += " AND language = 'en'" if table != "products" else ""
            with driver.cursor() as cursor, path.open("wb") as file:
                cursor.execute(_COLUMNS, (table,))
                names = ", ".join(name for (name,) in cursor.fetchall())
                with cursor.copy(f"COPY (SELECT {names} FROM {table} {where}) TO STDOUT") as copy:
                    for block in copy:
                        file.write(block)
                cursor.execute(f"CREATE TABLE floor_bare AS SELECT {names} FROM {table} LIMIT 0")
                cursor.execute(f"CREATE TABLE floor_table (LIKE {table} INCLUDING ALL)")
                driver.commit()
                started = time.monotonic()
                with path.open("rb") as source, cursor.copy("COPY floor_bare FROM STDIN") as copy:
                    while block := source.read(1 << 20):
                        copy.write(block)
                cursor.execute(f"INSERT INTO floor_table ({names}) SELECT {names} FROM floor_bare")
                driver.commit()
                seconds[table] = time.monotonic() - started
                cursor.execute("DROP TABLE floor_bare, floor_table")
                driver.commit()
    one, everything = (round(rows / spent) for spent in (seconds["products"], sum(seconds.values())))
    return {
        "one_table": one,
        "all_tables": everything,
        "first_to_one_table": round(ours / one, 2),
        "first_to_all_tables": round(ours / everything, 2),
    }
