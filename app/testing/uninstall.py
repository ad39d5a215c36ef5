"""Proof that an uninstalled module leaves nothing behind: schemas are compared with ones that never had it."""

import random
import subprocess
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, make_url, text

from app.core.database import SYSTEM, unit_of_work
from app.core.embedded.postgres import find_binaries
from app.modules import install, lifecycle, migrations
from app.modules.base import ModuleClass
from app.modules.lifecycle import PLATFORMS, ModuleSwitchError
from app.modules.registry import modules
from app.modules.tasks import QUEUES
from app.tasks.runner import run_until_idle
from app.testing.database import Database, Templates

_DUMP_SECONDS = 60.0
_WORK_SECONDS = 120.0


def schema_of(database: Database) -> str:
    """What ``pg_dump --schema-only`` says, without comments, blank lines and what is random in it."""
    url = make_url(database.owner_url).set(drivername="postgresql").render_as_string(hide_password=False)
    dump = subprocess.run(
        [str(find_binaries() / "pg_dump"), "--schema-only", "--dbname", url],
        capture_output=True,
        text=True,
        timeout=_DUMP_SECONDS,
        check=True,
    ).stdout
    return "\n".join(line for line in dump.splitlines() if line and not line.startswith(("--", "\\")))


def schema_with(templates: Templates, codes: Iterable[str]) -> str:
    """The schema of a new database in which, of the modules that can be left out, only these ever were."""
    left_out = set(removable()) - set(codes)
    with templates.bare() as database:
        with migrations.owner_connection(database.owner_url) as connection:
            for history in migrations.histories():
                if history.owner not in left_out:
                    migrations.migrate(connection, history.owner)
        return schema_of(database)


def removable() -> list[str]:
    """Codes of the modules that can be uninstalled, in dependency order."""
    return [code for code, module in modules().items() if module.module_class is not ModuleClass.CORE]


def prove_uninstall(templates: Templates, database: Database, *, steps: int, seed: int) -> dict[str, Any]:
    """Install and uninstall at random on a database with demo data and what its jobs made of it.

    After each step the schema must be that of a database which never had more. Returns the figures.

    The application must be connected to the database.
    """
    assert run_until_idle(QUEUES, timeout_seconds=_WORK_SECONDS), "the demo data's own work did not end"
    chance = random.Random(seed)
    with unit_of_work(SYSTEM) as session:
        for platform_id in PLATFORMS.one()(session).values():
            for code in reversed(removable()):
                lifecycle.disable(session, platform_id, code, by="proof")
    with_tables = [history.owner for history in migrations.histories() if history.owner in removable()]
    references: dict[frozenset[str], str] = {}
    done, refused, rows, differences = 0, 0, 0, []
    for number in range(steps):
        code, act = chance.choice(with_tables), chance.choice(("install", "keep", "purge"))
        try:
            with migrations.owner_connection(database.owner_url) as connection:
                rows += _step(connection, code, act)
            done += 1
        except ModuleSwitchError:
            refused += 1
        with database.owner_engine.connect() as connection:
            there = _with_data(connection)
        if there not in references:
            references[there] = schema_with(templates, there)
        if schema_of(database) != references[there]:
            differences.append(f"after step {number} ({act} {code}, seed {seed})")
    return {
        "steps": done,
        "refused": refused,
        "subsets": len(references),
        "rows_removed": rows,
        "schema_differences": differences,
    }


def _step(connection: Connection, code: str, act: str) -> int:
    if act == "install":
        install.install(connection, code, by="proof")
        return 0
    removed = install.uninstall(connection, code, purge=act == "purge", by="proof")
    return sum(each.rows for each in removed)


def _with_data(connection: Connection) -> frozenset[str]:
    rows = connection.execute(text("SELECT code FROM installed_modules WHERE revision IS NOT NULL"))
    return frozenset(rows.scalars()) & set(removable())
