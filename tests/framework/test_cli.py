"""The command line: every command explains itself with an example; errors are one line and an exit code."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from sqlalchemy import text

from app.cli import cli, mount_commands
from app.core.database import SYSTEM, unit_of_work
from app.modules import lifecycle
from app.modules.lifecycle import PLATFORMS
from app.modules.tenancy import facade as tenancy
from app.testing.commands import run_command as run
from app.testing.database import Database, Templates, connect_app

mount_commands()


def commands(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All leaf commands with their path."""
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from commands(child, (*path, name))
    else:
        yield path, command


LEAVES = dict(commands(typer.main.get_command(cli)))


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_has_an_example_that_parses(path: tuple[str, ...]) -> None:
    help_text = LEAVES[path].help or ""
    example = help_text.partition("Example: wizamart ")[2].split("\n")[0].split()
    assert tuple(example[: len(path)]) == path, f"no example in the help of {' '.join(path)}"


def test_modules_list_as_text_and_json(world: Database) -> None:
    listed = json.loads(run("modules", "list", "--json").stdout)
    assert [module["code"] for module in listed][:2] == ["tenancy", "core"]
    assert "marketplace" in run("modules", "list").stdout


def listed() -> dict[str, dict[str, Any]]:
    return {module["code"]: module for module in json.loads(run("modules", "list", "--json").stdout)}


def test_modules_list_says_how_each_is_in_the_database(world: Database) -> None:
    before = listed().values()
    assert {(module["state"], *module["platforms"], *module["pending"]) for module in before} == {
        ("on", "demo")
    }

    with unit_of_work(SYSTEM) as session:
        for code in ("order-folder", "marketplace"):
            lifecycle.disable(session, PLATFORMS.one()(session)["demo"], code)
        tenancy.create_platform(session, code="second", name="Second")
    with world.owner_engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE installed_modules SET is_installed = false WHERE code IN ('marketplace', 'order-folder')"
            )
        )
        connection.execute(text("UPDATE installed_modules SET revision = NULL WHERE code = 'catalog'"))
    after = listed()
    assert (after["catalog"]["state"], after["catalog"]["platforms"]) == ("on 1 of 2", ["demo"])
    assert after["catalog"]["pending"][0] == "catalog_0001"
    assert after["catalog"]["health"]["status"] == "ok"
    assert (after["core"]["state"], after["core"]["platforms"]) == ("on", ["demo", "second"])
    assert (after["marketplace"]["state"], after["marketplace"]["health"]) == ("not installed", None)
    done = run("modules", "list")
    (row,) = [line.split() for line in done.stdout.splitlines() if line.startswith("catalog ")]
    assert row[:6] == ["catalog", "optional", "on", "1", "of", "2"]
    assert row[-2:] == [str(len(after["catalog"]["pending"])), "ok"]
    assert "Next: wizamart migrate" in done.stderr
    assert json.loads(run("modules", "show", "catalog", "--json").stdout)["state"] == "on 1 of 2"
    assert "state        not installed" in run("modules", "show", "marketplace").stdout


def test_modules_list_shows_what_is_off(world: Database) -> None:
    with unit_of_work(SYSTEM) as session:
        for code in ("order-folder", "marketplace"):
            lifecycle.disable(session, PLATFORMS.one()(session)["demo"], code)
    assert {module["state"] for code, module in listed().items() if code == "marketplace"} == {"off"}


def test_modules_list_needs_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WIZAMART_DATABASE_URL", "WIZAMART_DATABASE_OWNER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WIZAMART_DATA_DIR", str(tmp_path))
    assert {module["state"] for module in listed().values()} == {None}
    assert "no database yet" in run("modules", "list").stderr
    assert list(tmp_path.iterdir()) == []


def test_modules_list_on_a_database_that_was_never_migrated(templates: Templates, data_dir: Path) -> None:
    with templates.bare() as database, connect_app(database):
        found = listed()
    assert {module["state"] for module in found.values()} == {"not installed"}
    assert found["tenancy"]["pending"][0] == "tenancy_0001"


def test_migrate_plan_and_check(world: Database) -> None:
    assert run("migrate", "--check").returncode == 0
    assert json.loads(run("migrate", "--plan", "--json").stdout) == []
    assert "CREATE TABLE vendors" in run("migrate", "tenancy", "--sql").stdout
    assert run("migrate", "nonsense").returncode == 3


def test_a_wrong_name_is_one_clear_line(world: Database) -> None:
    done = run("modules", "show", "nonsense")
    assert done.returncode == 3
    assert "'nonsense'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_does_not_answer_is_exit_code_4(world: Database) -> None:
    done = run("jobs", "list", WIZAMART_DATABASE_URL="postgresql://x@127.0.0.1:1/none")
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_the_plans_import_line_runs() -> None:
    line = (
        "from app.modules.base import ModuleDefinition, ScheduledTask; "
        "from app.modules.tasks import discover_module_tasks, build_beat_schedule; "
        "from app.modules.task_base import ModuleTask; "
        "from app.core.celery_config import celery_app; "
        "from app.modules.registry import CORE_MODULES, OPTIONAL_MODULES, INTERNAL_MODULES"
    )
    assert subprocess.run([sys.executable, "-c", line], check=False, timeout=60).returncode == 0
