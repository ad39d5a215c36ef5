"""The inherited rules notice: each planted fault of a definition fails the rule that is about it."""

import inspect
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.modules import registry, routing
from app.modules.base import ModuleDefinition, Permission, ScheduledTask
from app.modules.registry import modules
from app.testing.conformance import ModuleConformance
from app.testing.conformance.module import Conformance, installed_only, stands_on
from app.testing.database import Database

PACKAGE = "app.modules.tenancy"
SWEEP = f"{PACKAGE}.tasks.sessions.delete_ended_sessions"
HEALTH = "app.modules.catalog.services.health_service:check_health"
CREATED = "tenancy.vendor_created"


def tenancy() -> ModuleDefinition:
    return modules()["tenancy"]


def rules_of(changes: dict[str, Any]) -> ModuleConformance:
    """The rules over the module *tenancy* with a changed definition."""

    class Changed(ModuleConformance):
        code = "tenancy"

        @property
        def module(self) -> ModuleDefinition:
            return replace(tenancy(), **changes)

    return Changed()


def schedule(name: str, task: str = SWEEP, at: str = "0 3 * * *") -> dict[str, Any]:
    return {"scheduled_tasks": [ScheduledTask(name, task, at)]}


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("the_definition_is_complete", {"code": "Tenancy"}),
        ("the_definition_is_complete", {"version": "1"}),
        ("the_definition_is_complete", {"description": " "}),
        ("the_folder_is_named_after_the_module", {"package": "app.modules.catalog"}),
        ("the_definition_matches_the_folder", {"routes": ("admin",)}),
        ("the_definition_matches_the_folder", {"tasks_path": None}),
        ("the_definition_matches_the_folder", {"handlers": {CREATED: HEALTH}}),
        ("the_definition_matches_the_folder", {"commands": None}),
        ("the_definition_matches_the_folder", {"publishes": ()}),
        ("permissions_are_named_after_the_module_and_used", {"permissions": ()}),
        (
            "permissions_are_named_after_the_module_and_used",
            {"permissions": (Permission("core.vendors.view", "tenancy.permissions.vendors_view"),)},
        ),
        ("import_paths_lead_to_functions", {"providers": {"core.vendor_tiles": f"{PACKAGE}.facade:__all__"}}),
        ("public_ids_resolve", {"public_ids": {"vendor_id": ("vendor", "vendors")}}),
        ("public_ids_resolve", {"public_ids": {"product_id": ("prd", "products")}}),
        ("prefixes_of_public_ids_are_its_own", {"public_ids": {"vendor_id": ("prd", "vendors")}}),
        ("every_task_has_a_queue_and_limits", {"package": "app.modules.marketplace"}),
        ("queues_are_asked_for_own_tasks_only", {"task_queues": {"app.modules.*": "default"}}),
        ("queues_are_asked_for_own_tasks_only", {"task_queues": {f"{PACKAGE}.tasks.*": "fast"}}),
        ("schedules_are_valid", schedule("tenancy.sweep")),
        ("schedules_are_valid", schedule("tenancy.delete_sessions", f"{PACKAGE}.tasks.sessions.gone")),
        ("published_events_are_declared_and_travel", {"publishes": (CREATED, "tenancy.vendor_deleted")}),
        ("handlers_take_what_is_published", {"handlers": {CREATED: HEALTH}}),
        ("permissions_and_pages_have_words", {"permissions": (Permission("tenancy.a.b", "tenancy.gone"),)}),
    ],
)
def test_a_planted_fault_is_noticed(rule: str, changes: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        getattr(rules_of(changes), f"test_{rule}")()
    getattr(rules_of({}), f"test_{rule}")()


def test_a_door_that_is_not_mounted_is_noticed() -> None:
    with pytest.raises(AssertionError):
        rules_of({}).test_every_door_is_mounted(FastAPI())


class TestCatalogRules:
    """Rules about what a module does, over a framework with a gate taken out."""

    @pytest.fixture
    def rules(self) -> ModuleConformance:
        class Catalog(ModuleConformance):
            code = "catalog"

        return Catalog()

    def test_a_door_without_its_check_is_noticed(
        self,
        rules: ModuleConformance,
        client: TestClient,
        owner_engine: Engine,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(routing, "_check", lambda *_: None)
        with pytest.raises(AssertionError):
            rules.test_who_has_no_permission_is_refused(client, owner_engine)
        with pytest.raises(AssertionError):
            rules.test_off_its_doors_are_closed_the_rest_works_and_it_comes_back(client)

    def test_a_page_that_is_gone_is_noticed(
        self, rules: ModuleConformance, client: TestClient, owner_engine: Engine
    ) -> None:
        with owner_engine.begin() as connection:
            connection.execute(text("DROP TABLE products CASCADE"))
        with pytest.raises(AssertionError):
            rules.test_every_menu_entry_leads_to_a_page(client)
        with pytest.raises(AssertionError):
            rules.test_every_page_opens_in_each_language(client, owner_engine)

    def test_a_table_that_is_not_as_declared_is_noticed(
        self, rules: ModuleConformance, live_db: Database
    ) -> None:
        with live_db.owner_engine.begin() as connection:
            connection.execute(text("ALTER TABLE products DROP COLUMN mpn CASCADE"))
            connection.execute(text("DROP POLICY products_tenant ON products"))
        for rule in (rules.test_models_and_migrations_agree, rules.test_its_tables_say_whose_rows_they_hold):
            with pytest.raises(AssertionError):
                rule(live_db)


def test_there_are_at_least_25_rules_and_none_is_lost_between_the_parts() -> None:
    inherited = {name for name, _ in inspect.getmembers(ModuleConformance) if name.startswith("test_")}
    declared = [
        name
        for part in ModuleConformance.__mro__
        if issubclass(part, Conformance)
        for name in vars(part)
        if name.startswith("test_")
    ]
    assert sorted(inherited) == sorted(declared)
    assert len(inherited) >= 25


def test_every_module_of_the_tree_runs_them() -> None:
    for code, module in modules().items():
        if module.package.startswith("app."):
            text = (module.folder / "tests" / "test_conformance.py").read_text("utf-8")
            assert "(ModuleConformance):" in text
            assert f'code = "{code}"' in text


def test_the_smaller_installation_lasts_for_its_block_only() -> None:
    before = list(modules())
    with installed_only(stands_on("catalog")):
        assert set(modules()) == {"catalog", "core", "tenancy"}
    assert list(modules()) == before
    assert registry.OPTIONAL_MODULES
