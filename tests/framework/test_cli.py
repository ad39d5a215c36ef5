"""The command line: every command explains itself with an example; errors are one line and an exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
import typer

from app.cli import cli, mount_commands
from app.testing.database import Database

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


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        env={**os.environ, "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_has_an_example_that_parses(path: tuple[str, ...]) -> None:
    help_text = LEAVES[path].help or ""
    example = help_text.partition("Example: wizamart ")[2].split("\n")[0].split()
    assert tuple(example[: len(path)]) == path, f"no example in the help of {' '.join(path)}"


def test_modules_list_as_text_and_json(world: Database) -> None:
    listed = json.loads(run("modules", "list", "--json").stdout)
    assert [module["code"] for module in listed][:2] == ["tenancy", "core"]
    assert "marketplace" in run("modules", "list").stdout


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
