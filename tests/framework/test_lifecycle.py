"""Switching modules on and off: what is pulled in, what stands in the way, what is written down, what follows."""

import json
import threading
import time
from uuid import UUID

import pytest
from click.testing import Result
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from sqlalchemy import text
from typer.testing import CliRunner

from app.cli import cli, mount_commands
from app.core.database import SYSTEM, unit_of_work
from app.core.errors import NotFoundError
from app.modules import lifecycle, routing
from app.modules.base import ScheduledTask
from app.modules.lifecycle import PLATFORMS, ModuleSwitchError
from app.modules.pages import AREA_COOKIES, IDENTITY, PageContext
from app.modules.providers import ProviderPoint
from app.modules.registry import get_module
from app.modules.routing import AreaRouter
from app.modules.state import (
    ModuleOffError,
    enabled_modules,
    forget_snapshot,
    is_enabled,
    is_enabled_for_vendor,
    one_view,
    require_enabled,
)
from app.modules.tasks import schedule_is_on
from app.modules.tenancy import facade as tenancy
from app.testing.browsing import sign_in
from app.testing.database import Database

mount_commands()

ON_THE_CATALOGUE = ("marketplace", "orders", "inventory")


def wizamart(*arguments: str) -> Result:
    """The command, in this process; an error it raises is in ``exception``."""
    forget_snapshot()
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture(autouse=True)
def _nothing_on_the_marketplace(world: Database) -> None:
    """No connector stands on it, so that it can be switched off by itself."""
    switch_off("order-folder")


def demo_platform() -> UUID:
    with unit_of_work(SYSTEM) as session:
        return PLATFORMS.one()(session)["demo"]


def audited(world: Database) -> list[tuple[str, str, str | None]]:
    """Switches since the demo data, oldest first."""
    with world.owner_engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT action, target, details->>'by' AS by FROM audit_log WHERE action LIKE 'framework.%' "
                "AND details->>'by' <> 'demo data' ORDER BY id"
            )
        )
        return [tuple(row) for row in rows]


def switch_off(*codes: str) -> None:
    with unit_of_work(SYSTEM) as session:
        for code in codes:
            lifecycle.disable(session, demo_platform(), code)
    forget_snapshot()


def test_off_and_on_again_names_what_is_pulled_in_and_is_audited(world: Database) -> None:
    switch_off("inventory")
    earlier = len(audited(world))
    for code in ("marketplace", "orders", "catalog"):
        done = wizamart("modules", "disable", code, "--json")
        assert json.loads(done.stdout)["platforms"] == {"demo": [code]}
    back = wizamart("modules", "enable", "marketplace", "--platform", "demo")
    assert back.stdout == "demo: marketplace is now on; before it, because it is required: catalog, orders.\n"
    assert wizamart("modules", "enable", "marketplace").stdout == "demo: marketplace is on already.\n"
    assert audited(world)[earlier:] == [
        ("framework.module_disabled", "marketplace", "command line"),
        ("framework.module_disabled", "orders", "command line"),
        ("framework.module_disabled", "catalog", "command line"),
        ("framework.module_enabled", "catalog", "command line"),
        ("framework.module_enabled", "orders", "command line"),
        ("framework.module_enabled", "marketplace", "command line"),
    ]


def test_what_others_need_stays_on_and_they_are_named(world: Database) -> None:
    done = wizamart("modules", "disable", "catalog")
    assert isinstance(done.exception, ModuleSwitchError)
    assert str(done.exception) == (
        "Module 'catalog' is required by inventory, orders, marketplace. Switch off these first."
    )
    assert audited(world) == []


@pytest.mark.parametrize("code", ["tenancy", "core"])
def test_core_modules_stay_on(world: Database, code: str) -> None:
    assert "core module" in str(wizamart("modules", "disable", code).exception)


def test_a_dry_run_says_the_same_and_changes_nothing(world: Database) -> None:
    done = wizamart("modules", "disable", "marketplace", "--dry-run")
    assert done.stdout == "demo: marketplace would be off.\n"
    assert isinstance(wizamart("modules", "disable", "catalog", "--dry-run").exception, ModuleSwitchError)
    switch_off(*ON_THE_CATALOGUE, "catalog")
    before = audited(world)
    done = wizamart("modules", "enable", "marketplace", "--dry-run", "--json")
    assert json.loads(done.stdout) == {
        "module": "marketplace",
        "switched": "on",
        "dry_run": True,
        "platforms": {"demo": ["catalog", "orders", "marketplace"]},
    }
    assert audited(world) == before
    forget_snapshot()
    assert "catalog" not in enabled_modules([demo_platform()])


def test_all_platforms_are_meant_when_none_is_named(world: Database) -> None:
    with unit_of_work(SYSTEM) as session:
        other = tenancy.create_platform(session, code="other", name="Other")
        lifecycle.enable_all(session, other)
        lifecycle.disable(session, other, "order-folder")
    assert json.loads(wizamart("modules", "disable", "marketplace", "--json").stdout)["platforms"] == {
        "demo": ["marketplace"],
        "other": ["marketplace"],
    }
    only = wizamart("modules", "enable", "marketplace", "--platform", "other")
    assert only.stdout == "other: marketplace is now on.\n"
    forget_snapshot()
    assert "marketplace" in enabled_modules([other])
    assert "marketplace" not in enabled_modules([demo_platform()])


def test_an_unknown_platform_is_refused_with_the_known_ones(world: Database) -> None:
    error = wizamart("modules", "enable", "catalog", "--platform", "nowhere").exception
    assert isinstance(error, NotFoundError)
    assert str(error) == "There is no platform 'nowhere'. Known: demo."


def test_two_switches_at_once_leave_nothing_that_stands_on_air(world: Database) -> None:
    switch_off(*ON_THE_CATALOGUE)
    platform_id = demo_platform()

    def enable_marketplace() -> None:
        with unit_of_work(SYSTEM) as session:
            lifecycle.enable(session, platform_id, "marketplace")

    second = threading.Thread(target=enable_marketplace)
    with unit_of_work(SYSTEM) as session:
        lifecycle.disable(session, platform_id, "catalog")
        second.start()
        time.sleep(0.5)
    second.join(10)
    forget_snapshot()
    assert {"catalog", "marketplace"} <= set(enabled_modules([platform_id]))


def test_a_principal_has_no_permission_of_a_module_that_is_off(client: TestClient) -> None:
    sign_in(client, "vendor", "owner@minett.example")
    token = client.cookies[AREA_COOKIES["vendor"]]
    assert "marketplace.imports.view" in IDENTITY.one()("vendor", token, "MINETT").permissions
    switch_off("marketplace")
    off = IDENTITY.one()("vendor", token, "MINETT").permissions
    assert not [code for code in off if code.startswith("marketplace.")]
    assert "catalog.products.view" in off


def test_pages_menu_and_tiles_follow(client: TestClient) -> None:
    sign_in(client, "vendor", "owner@minett.example")
    home = client.get("/vendor/MINETT").text
    assert "/vendor/MINETT/imports" in home
    switch_off("marketplace")
    assert client.get("/vendor/MINETT/imports").status_code == 404
    assert "/vendor/MINETT/imports" not in client.get("/vendor/MINETT").text
    assert client.get("/vendor/MINETT/products").status_code == 200


def test_commands_of_a_module_refuse_vendors_for_whom_it_is_off(world: Database) -> None:
    vendor = tenancy.get_vendor("MINETT")
    require_enabled("marketplace", vendor.id)
    switch_off("marketplace")
    assert not is_enabled_for_vendor("marketplace", vendor.id)
    for arguments in (
        ("export", "products", "--vendor", "MINETT", "--out", "unused"),
        ("import", "products", "http://127.0.0.1:1/feed", "--vendor", "MINETT"),
    ):
        error = wizamart(*arguments).exception
        assert isinstance(error, ModuleOffError)
        assert "wizamart modules enable marketplace" in str(error)


def test_schedules_and_providers_follow(world: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = ScheduledTask("marketplace.tidy", "app.modules.marketplace.tasks.export.tidy", "0 4 * * *")
    monkeypatch.setattr(get_module("marketplace"), "scheduled_tasks", [schedule])
    tiles: ProviderPoint[object] = ProviderPoint("core.vendor_tiles")
    platform_id = demo_platform()
    assert schedule_is_on("marketplace.tidy")
    before = len(list(tiles.implementations([platform_id])))
    switch_off("marketplace")
    assert not schedule_is_on("marketplace.tidy")
    assert len(list(tiles.implementations([platform_id]))) == before - 1


def test_public_doors_follow(app: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(ctx: PageContext) -> PlainTextResponse:
        return PlainTextResponse("open")

    router = AreaRouter("public")
    router.action("/planted", permission=None, method="GET")(answer)
    routing._mount(app, get_module("marketplace"), router.doors[0])
    assert client.get("/planted").text == "open"
    switch_off("marketplace")
    assert client.get("/planted").status_code == 404


def test_a_request_sees_the_whole_of_a_switch_or_nothing_of_it(world: Database) -> None:
    platform_id = demo_platform()
    with one_view():
        switch_off("marketplace")
        assert is_enabled("marketplace", [platform_id])
    assert not is_enabled("marketplace", [platform_id])
