"""Installing a module into a database and taking it out again, with nothing left behind. Needs the tables' owner."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, inspect, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.storage import Usage, get_storage
from app.modules import migrations
from app.modules.base import ModuleClass, ModuleDefinition
from app.modules.lifecycle import PLATFORMS, ModuleSwitchError, Who, audit, enable
from app.modules.registry import get_module, modules, requirements
from app.modules.state import lock_switches, touch_version

# A process that has not looked since the module was switched off still serves it; each looks once a second.
_SETTLE_SECONDS = 3.0

# Rows about a module in tables that are not its own, in the order in which they can be deleted.
_OF_ITS_JOBS = "job_id IN (SELECT id FROM jobs WHERE module = :code)"
_TRACES = {
    "platform_modules": "module_code = :code",
    "ticks": f"schedule = ANY(:schedules) OR {_OF_ITS_JOBS}",
    "schedule_states": "name = ANY(:schedules)",
    "deliveries": f"handler = :code OR {_OF_ITS_JOBS}",
    "job_runs": _OF_ITS_JOBS,
    "jobs": "module = :code",
}


@dataclass(frozen=True, slots=True)
class Removed:
    """What goes from one table: ``bytes`` is its whole size with indexes, or that of the rows where others stay."""

    table: str
    rows: int
    bytes: int
    is_dropped: bool


def would_install(connection: Connection, code: str) -> list[str]:
    """What ``install`` would install: the module and what it requires, requirements first, without what is there."""
    installed = _codes(connection, "is_installed")
    return [each for each in modules() if each in _closure(code) and each not in installed]


def install(connection: Connection, code: str, *, by: Who = None) -> list[str]:
    """Make the tables of a module, and first of what it requires, unless they are there; returns the codes.

    Data that an uninstalled module kept is used again. It is switched on nowhere yet.
    """
    fresh = would_install(connection, code)
    connection.execute(
        text("UPDATE installed_modules SET is_installed = true WHERE code = ANY(:codes)"), {"codes": fresh}
    )
    owners = {history.owner for history in migrations.histories()}
    for each in fresh:
        if each in owners:
            migrations.migrate(connection, each)
    migrations.record_installed(connection)
    touch_version(connection)
    with _session(connection) as session:
        for each in fresh:
            audit(session, "framework.module_installed", each, by)
    return fresh


@dataclass(frozen=True, slots=True)
class Added:
    """Modules that were switched on for a platform, as one that is on there requires them since this release."""

    platform: str
    codes: tuple[str, ...]
    required_by: str

    def __str__(self) -> str:
        return f"{self.platform}: switched on {', '.join(self.codes)}, which {self.required_by} now requires."


def enable_requirements(connection: Connection) -> list[Added]:
    """Switch on what modules that are on require, for releases that add a requirement; after everything is migrated.

    Nothing goes off, and what somebody uninstalled stays so.
    """
    if not migrations.has_framework(connection):
        return []
    present, on = _codes(connection, "is_installed"), defaultdict[UUID, set[str]](set)
    rows = text("SELECT platform_id, module_code FROM platform_modules WHERE is_enabled")
    for platform_id, code in connection.execute(rows):
        on[platform_id].add(code)
    can_be_off = {code for code, one in modules().items() if one.module_class is not ModuleClass.CORE}
    added = []
    with _session(connection) as session:
        for platform_id, codes in on.items():
            for code in [code for code in modules() if code in codes and _closure(code) <= present]:
                if (_closure(code) & can_be_off) - codes:
                    switched = enable(session, platform_id, code, by="upgrade")
                    codes.update(switched)
                    added.append(Added(_name(session, platform_id), tuple(switched), code))
    return added


def _name(session: Session, platform_id: UUID) -> str:
    named = {key: platform for platform, key in PLATFORMS.one()(session).items()}
    return named.get(platform_id, str(platform_id))


def would_uninstall(connection: Connection, code: str, *, purge: bool) -> list[Removed]:
    """What ``uninstall`` would remove, table by table; nothing when the data is kept. Raises as it does."""
    definition = get_module(code)
    _refuse(connection, definition, purge=purge)
    return _sizes(connection, definition) if purge else []


def uninstall(connection: Connection, code: str, *, purge: bool, by: Who = None) -> list[Removed]:
    """Take a module out of the database, all or nothing; returns what was removed, exactly.

    With ``purge`` nothing is left but the audit log and, until ``delete_stored_files``, its files; else its tables,
    switches, waiting jobs and files stay for ``install``. Once more, when only files are left.
    Raises ModuleSwitchError for a core module, while the module is on for a platform, while an installed module
    requires it, and while jobs of it run.
    """
    definition = get_module(code)
    lock_switches(connection)
    _refuse(connection, definition, purge=purge)
    _settle(connection, code)
    removed = _purge(connection, definition) if purge else []
    connection.execute(
        text("UPDATE installed_modules SET is_installed = false WHERE code = :code"), {"code": code}
    )
    migrations.record_installed(connection)
    touch_version(connection)
    action = "framework.module_purged" if purge else "framework.module_uninstalled"
    with _session(connection) as session:
        rows = {each.table: each.rows for each in removed}
        audit(session, action, code, by, removed=rows, files=stored_files(code).files if purge else 0)
    return removed


def stored_files(code: str) -> Usage:
    """The files of a module in storage, of all vendors."""
    return get_storage(get_settings()).usage(code)


def delete_stored_files(code: str) -> Usage:
    """Remove the files of a module; returns what was removed. Only after the purge is committed: they do not return."""
    return get_storage(get_settings()).delete_folder(code)


def _purge(connection: Connection, definition: ModuleDefinition) -> list[Removed]:
    tables = _existing_tables(connection, definition.code)
    for table in tables:  # so that what is counted is what goes
        connection.exec_driver_sql(f'LOCK TABLE "{table}" IN ACCESS EXCLUSIVE MODE')
    removed = [_size(connection, table) for table in tables]
    for table, condition in _TRACES.items():
        removed += _trace(connection, definition, table, f'gone AS (DELETE FROM "{table}" WHERE {condition})')
    for history in migrations.histories():
        if history.owner == definition.code:
            migrations.downgrade(connection, history)
    return removed


def _refuse(connection: Connection, definition: ModuleDefinition, *, purge: bool) -> None:
    code = definition.code
    if definition.module_class is ModuleClass.CORE:
        raise ModuleSwitchError(f"Module {code!r} is a core module and cannot be uninstalled.")
    installed, with_data = _codes(connection, "is_installed"), _codes(connection, "revision IS NOT NULL")
    if code not in installed and not (purge and (code in with_data or stored_files(code).files)):
        raise ModuleSwitchError(f"Module {code!r} is not installed.")
    on = _platforms_with(connection, code)
    if on:
        raise ModuleSwitchError(
            f"Module {code!r} is on for {', '.join(on)}. Run: wizamart modules disable {code}"
        )
    above = [other.code for other in modules().values() if code in other.requires]
    in_the_way = [other for other in above if other in installed]
    if in_the_way:
        raise ModuleSwitchError(
            f"Module {code!r} is required by {', '.join(in_the_way)}. Uninstall these first."
        )
    kept = [other for other in above if other in with_data]
    if purge and kept:
        raise ModuleSwitchError(
            f"Data that was kept of {', '.join(kept)} stands on {code!r}. Uninstall these with --purge first."
        )
    running = connection.execute(
        text("SELECT count(*) FROM jobs WHERE module = :code AND state = 'running'"), {"code": code}
    ).scalar_one()
    if running:
        raise ModuleSwitchError(f"{running} jobs of module {code!r} run. Wait for them or cancel them.")


def _settle(connection: Connection, code: str) -> None:
    latest = connection.execute(
        text("SELECT max(updated_at) FROM platform_modules WHERE module_code = :code"), {"code": code}
    ).scalar_one()
    if latest is not None:
        left = _SETTLE_SECONDS - (clock.now() - latest).total_seconds()
        time.sleep(min(max(left, 0.0), _SETTLE_SECONDS))


def _sizes(connection: Connection, definition: ModuleDefinition) -> list[Removed]:
    found = [_size(connection, table) for table in _existing_tables(connection, definition.code)]
    for table in _TRACES:
        found += _trace(connection, definition, table)
    return found


def _size(connection: Connection, table: str) -> Removed:
    sql = text(f'SELECT count(*), pg_total_relation_size(\'"{table}"\') FROM "{table}"')
    rows, size = connection.execute(sql).one()
    return Removed(table, rows, size, is_dropped=True)


def _trace(connection: Connection, definition: ModuleDefinition, table: str, also: str = "") -> list[Removed]:
    """Count a module's rows in a table that is not its own, and do something else in the same statement."""
    sizes = f'SELECT pg_column_size(t.*) AS bytes FROM "{table}" t WHERE {_TRACES[table]}'
    both = ", ".join(filter(None, (f"found AS ({sizes})", also)))
    values = {"code": definition.code, "schedules": [entry.name for entry in definition.scheduled_tasks]}
    counted = text(f"WITH {both} SELECT count(*), coalesce(sum(bytes), 0) FROM found")
    rows, size = connection.execute(counted, values).one()
    return [Removed(table, rows, int(size), is_dropped=False)] if rows else []


def _existing_tables(connection: Connection, code: str) -> list[str]:
    migrations.load_models()
    existing = set(inspect(connection).get_table_names())
    return [table.name for table in migrations.tables_of(code) if table.name in existing]


def _closure(code: str) -> set[str]:
    return {code}.union(*(_closure(required) for required in requirements(get_module(code), modules())))


def _codes(connection: Connection, condition: str) -> set[str]:
    return set(connection.execute(text(f"SELECT code FROM installed_modules WHERE {condition}")).scalars())


def _platforms_with(connection: Connection, code: str) -> list[str]:
    rows = connection.execute(
        text("SELECT platform_id FROM platform_modules WHERE module_code = :code AND is_enabled"),
        {"code": code},
    )
    ids = set(rows.scalars())
    with _session(connection) as session:
        named = {platform_id: platform for platform, platform_id in PLATFORMS.one()(session).items()}
    return sorted(named.get(platform_id, str(platform_id)) for platform_id in ids)


@contextmanager
def _session(connection: Connection) -> Iterator[Session]:
    """A session within the owner's transaction, which it neither commits nor ends."""
    with Session(bind=connection, join_transaction_mode="conditional_savepoint") as session:
        yield session
        session.flush()
