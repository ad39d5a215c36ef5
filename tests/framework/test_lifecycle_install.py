"""Modules are taken out of a database with nothing left behind, and brought back."""

import json
import time
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import text

from app.core.config import get_settings
from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.core.observability import HealthStatus
from app.core.storage import Usage, get_storage
from app.modules import install, lifecycle, migrations
from app.modules.install import Removed
from app.modules.lifecycle import PLATFORMS, ModuleSwitchError
from app.modules.observability import check_migrations
from app.modules.state import forget_snapshot, is_installed
from app.modules.tenancy import facade as tenancy
from app.tasks.dispatcher import dispatch
from app.testing.commands import run_command as run
from app.testing.database import Database, Templates
from app.testing.uninstall import prove_uninstall, schema_of, schema_with

_PAYING = ["payments", "billing"]  # they stand beside the catalogue and stay
_SELLING = ["orders", "inventory"]  # they stand on it, beside the marketplace
EXPORT = "app.modules.marketplace.tasks.export.export_vendor_products_to_folder"


def switch_off(world: Database, *codes: str) -> None:
    """Off everywhere, and long enough for every process to have noticed."""
    with unit_of_work(SYSTEM) as session:
        for code in codes:
            for platform_id in PLATFORMS.one()(session).values():
                lifecycle.disable(session, platform_id, code)
    with world.owner_engine.begin() as connection:
        connection.execute(text("UPDATE platform_modules SET updated_at = updated_at - interval '1 minute'"))


@pytest.fixture(autouse=True)
def _nothing_on_the_marketplace(world: Database) -> None:
    """No connector stands on it, so that it can be taken out by itself."""
    take_out(world, "order-folder")


def uninstall(world: Database, code: str, *, purge: bool = True) -> list[Removed]:
    with migrations.owner_connection(world.owner_url) as connection:
        removed = install.uninstall(connection, code, purge=purge)
    forget_snapshot()
    return removed


def take_out(world: Database, *codes: str) -> None:
    switch_off(world, *codes)
    for code in codes:
        uninstall(world, code)


def count(world: Database, sql: str) -> int:
    with world.owner_engine.connect() as connection:
        return int(connection.execute(text(sql)).scalar_one())


def start_export() -> None:
    vendor = tenancy.get_vendor("MINETT")
    with unit_of_work(TenantScope(vendor.id, vendor.company_id)) as session:
        dispatch(session, EXPORT, vendor_id=vendor.id)


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        (["marketplace"], ["catalog", *_SELLING, *_PAYING]),
        (["marketplace", "orders"], ["catalog", "inventory", *_PAYING]),
        (["inventory"], ["catalog", "orders", "marketplace", *_PAYING]),
        (["marketplace", *_SELLING, "catalog"], _PAYING),
    ],
)
def test_after_a_purge_the_schema_is_as_if_it_had_never_been_there(
    world: Database, templates: Templates, gone: list[str], left: list[str]
) -> None:
    start_export()
    take_out(world, *gone)
    assert schema_of(world) == schema_with(templates, left)
    for code in gone:
        for table, column in (
            ("platform_modules", "module_code"),
            ("jobs", "module"),
            ("deliveries", "handler"),
        ):
            assert count(world, f"SELECT count(*) FROM {table} WHERE {column} = '{code}'") == 0
        purged = (
            f"SELECT count(*) FROM audit_log WHERE action = 'framework.module_purged' AND target = '{code}'"
        )
        assert count(world, purged) == 1


def without_bytes(report: dict[str, Any]) -> dict[str, Any]:
    """A report without the sizes of tables, which vacuum may change between two looks."""
    tables = [{name: value for name, value in each.items() if name != "bytes"} for each in report["tables"]]
    return {name: value for name, value in report.items() if name != "bytes"} | {"tables": tables}


def test_the_dry_run_and_the_purge_count_exactly_what_is_there(world: Database) -> None:
    start_export()
    switch_off(world, "marketplace")
    expected = {
        table: (
            count(world, f"SELECT count(*) FROM {table}"),
            count(world, f"SELECT pg_total_relation_size('{table}')"),
        )
        for table in ("feed_imports", "feed_settings", "marketplace_products", "feed_row_errors")
    }
    jobs = count(world, "SELECT count(*) FROM jobs WHERE module = 'marketplace'")
    said = json.loads(run("modules", "uninstall", "marketplace", "--purge", "--dry-run", "--json").stdout)
    found = {each["table"]: (each["rows"], each["bytes"]) for each in said["tables"]}
    assert {table: found[table] for table in expected} == expected
    assert all(rows > 0 for table, (rows, _) in expected.items() if table != "feed_row_errors")
    assert found["jobs"][0] == jobs > 0
    assert count(world, "SELECT count(*) FROM jobs WHERE module = 'marketplace'") == jobs

    done = json.loads(run("modules", "uninstall", "marketplace", "--purge", "--json").stdout)
    assert without_bytes(done) == without_bytes(said) | {"dry_run": False}
    with world.owner_engine.connect() as connection:
        entry = connection.execute(
            text(
                "SELECT details FROM audit_log WHERE action = 'framework.module_purged' AND target = 'marketplace'"
            )
        ).scalar_one()
    assert entry["by"] == "command line"
    assert entry["removed"]["jobs"] == jobs


@pytest.mark.demo_due  # the demo's own work leaves files too
def test_a_purge_takes_the_modules_files_of_every_vendor_along(world: Database) -> None:
    storage = get_storage(get_settings())
    for key in ("marketplace/v1/a.feed", "marketplace/v2/deep/b.feed", "catalog/v1/c"):
        storage.save(key, BytesIO(b"1234"))

    def uninstalled(*options: str) -> dict[str, Any]:
        done = run("modules", "uninstall", "marketplace", *options, "--json")
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    switch_off(world, "marketplace")
    assert uninstalled("--purge", "--dry-run")["files"] == {"files": 2, "bytes": 8}
    assert uninstalled("--keep-data")["files"] == {"files": 0, "bytes": 0}
    assert storage.usage("marketplace") == Usage(2, 8)
    assert uninstalled("--purge")["files"] == {"files": 2, "bytes": 8}
    assert (storage.usage("marketplace"), storage.usage("catalog")) == (Usage(0, 0), Usage(1, 4))
    entry = (
        "SELECT (details->>'files')::int FROM audit_log "
        "WHERE action = 'framework.module_purged' AND target = 'marketplace'"
    )
    assert count(world, entry) == 2
    assert "is not installed" in run("modules", "uninstall", "marketplace", "--purge").stderr

    storage.save("marketplace/v1/left.feed", BytesIO(b"1"))  # killed between its commit and its last file
    assert uninstalled("--purge")["files"] == {"files": 1, "bytes": 1}
    assert not storage.usage("marketplace").files


def test_an_uninstalled_module_stays_so_until_it_is_installed(world: Database) -> None:
    switch_off(world, "marketplace")
    uninstall(world, "marketplace")
    assert run("migrate", "--check").returncode == 0
    assert run("migrate").returncode == 0
    assert count(world, "SELECT count(*) FROM pg_class WHERE relname = 'feed_imports'") == 0
    assert "is uninstalled" in run("migrate", "marketplace").stderr
    assert "is not installed" in run("modules", "enable", "marketplace").stderr
    assert run("health").returncode == 0
    assert run("seed", "demo").returncode == 0

    assert run("modules", "install", "marketplace").returncode == 0
    assert run("modules", "enable", "marketplace").returncode == 0
    assert count(world, "SELECT count(*) FROM feed_imports") == 0
    with world.owner_engine.connect() as connection:
        assert migrations.drift(connection, "marketplace") == []


def test_kept_data_is_there_when_the_module_comes_back(world: Database) -> None:
    start_export()
    switch_off(world, "marketplace")
    before = count(world, "SELECT count(*) FROM feed_settings")
    assert uninstall(world, "marketplace", purge=False) == []
    assert not is_installed("marketplace")
    switch_off(world, "orders")
    with pytest.raises(ModuleSwitchError, match="Data that was kept of marketplace stands on 'orders'"):
        uninstall(world, "orders")
    with migrations.owner_connection(world.owner_url) as connection:
        assert install.install(connection, "marketplace") == ["marketplace"]
    assert count(world, "SELECT count(*) FROM feed_settings") == before > 0
    waiting = "SELECT count(*) FROM jobs WHERE module = 'marketplace' AND state = 'queued'"
    assert count(world, waiting) > 0


def test_a_new_module_waits_for_the_uninstalled_one_that_it_requires(world: Database) -> None:
    take_out(world, "marketplace", *_SELLING, "catalog")
    with world.owner_engine.begin() as connection:
        connection.execute(text("DELETE FROM installed_modules WHERE code = 'marketplace'"))
    with migrations.owner_connection(world.owner_url) as connection:
        assert migrations.migrate(connection) == []
    assert count(world, "SELECT count(*) FROM pg_class WHERE relname IN ('feed_imports', 'products')") == 0
    assert check_migrations().status is HealthStatus.OK
    assert not is_installed("marketplace")


def test_a_database_from_before_modules_could_be_uninstalled_is_brought_up(world: Database) -> None:
    with migrations.owner_connection(world.owner_url) as connection:
        connection.execute(text("ALTER TABLE installed_modules DROP COLUMN is_installed"))
        connection.execute(text("DROP TABLE idempotency_keys"))
        connection.execute(text("UPDATE migrations_framework SET version_num = 'framework_0001'"))
        ran = migrations.migrate(connection)
    assert [each.owner for each in ran] == ["framework"]
    assert count(world, "SELECT count(*) FROM installed_modules WHERE NOT is_installed") == 0
    assert schema_of(world).count("is_installed boolean NOT NULL") == 1


def test_events_pass_by_a_module_that_is_not_installed(world: Database) -> None:
    switch_off(world, "marketplace")
    uninstall(world, "marketplace")
    with unit_of_work(SYSTEM) as session:
        company = tenancy.create_company(session, name="New", contact_email="new@example.org")
        platform_id = PLATFORMS.one()(session)["demo"]
        tenancy.create_vendor(session, company_id=company, platform_ids=[platform_id], code="NEW", name="New")
    assert count(world, "SELECT count(*) FROM deliveries WHERE handler = 'marketplace'") == 0


def test_what_stands_in_the_way_is_named(world: Database) -> None:
    def refusal(code: str) -> str:
        with pytest.raises(ModuleSwitchError) as caught:
            uninstall(world, code)
        return str(caught.value)

    assert "core module" in refusal("tenancy")
    assert "on for demo" in refusal("marketplace")
    switch_off(world, "marketplace", *_SELLING, "catalog")
    assert "required by inventory, orders, marketplace" in refusal("catalog")
    uninstall(world, "inventory")
    assert "required by marketplace." in refusal("orders")
    start_export()
    with world.owner_engine.begin() as connection:
        connection.execute(
            text("UPDATE jobs SET state = 'running' WHERE module = 'marketplace' AND state = 'queued'")
        )
    assert "jobs of module 'marketplace' run" in refusal("marketplace")
    assert count(world, "SELECT count(*) FROM installed_modules WHERE is_installed") > 0


def test_it_waits_until_every_process_has_seen_the_switch(world: Database) -> None:
    with unit_of_work(SYSTEM) as session:
        lifecycle.disable(session, PLATFORMS.one()(session)["demo"], "marketplace")
    started = time.monotonic()
    uninstall(world, "marketplace")
    assert 2.5 < time.monotonic() - started < 6.0


def test_installing_pulls_in_what_is_required(world: Database, templates: Templates) -> None:
    take_out(world, "marketplace", *_SELLING, "catalog")
    done = json.loads(run("modules", "install", "marketplace", "--json").stdout)
    assert done["installed"] == ["catalog", "orders", "marketplace"]
    assert schema_of(world) == schema_with(templates, ["catalog", "orders", "marketplace", *_PAYING])


@pytest.mark.parametrize("seed", [1, 2])
def test_random_subsets_in_random_order(world: Database, templates: Templates, seed: int) -> None:
    figures = prove_uninstall(templates, world, steps=12, seed=seed)
    assert figures["schema_differences"] == []
    assert figures["steps"] >= 4
    assert figures["subsets"] >= 2


def test_a_requirement_that_a_release_adds_is_switched_on_and_said(world: Database) -> None:
    with world.owner_engine.begin() as connection:  # as before the marketplace required orders
        connection.execute(
            text("UPDATE platform_modules SET is_enabled = false WHERE module_code = ANY(:codes)"),
            {"codes": ["orders", "customers", "inventory"]},
        )
    with migrations.owner_connection(world.owner_url) as connection:
        migrations.migrate(connection)
        added = install.enable_requirements(connection)
        assert install.enable_requirements(connection) == []
        on = connection.execute(text("SELECT module_code FROM platform_modules WHERE is_enabled")).scalars()
        assert {"orders", "marketplace"} <= set(on)
        audited = connection.execute(
            text("SELECT target FROM audit_log WHERE action = 'framework.module_enabled' AND details @> :by"),
            {"by": json.dumps({"by": "upgrade"})},
        ).scalars()
        assert set(audited) == {code for one in added for code in one.codes}
    assert "demo: switched on orders, which marketplace now requires." in map(str, added)
