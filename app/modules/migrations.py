"""Migrations: one linear Alembic history and one version table per owner, run in the order of the registry."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.schema import Table

from app import VERSION
from app.core import clock
from app.core.database import make_engine
from app.core.errors import ConfigurationError
from app.core.policies import drop_search_function, secure_tables
from app.core.tables import Base
from app.modules.registry import modules, owner_of
from app.modules.state import touch_version

if TYPE_CHECKING:  # Alembic is a tenth of what every process would import; few ask for it
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

_LOCK_KEY = 0x77697A61  # one migration at a time per database
_APP = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class History:
    """The migrations of one owner: 'tasks' (the ledger), 'framework', or a module's code."""

    owner: str
    folder: Path

    @property
    def version_table(self) -> str:
        """Where PostgreSQL remembers how far this history has come."""
        return f"migrations_{self.owner.replace('-', '_')}"

    def scripts(self) -> "ScriptDirectory":
        """Alembic's view of the revision files."""
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(self.folder.parent))
        config.set_main_option("version_locations", str(self.folder))
        config.set_main_option("path_separator", "newline")
        return ScriptDirectory.from_config(config)

    def head(self) -> str | None:
        """The newest revision in the files."""
        return self.scripts().get_current_head()


def histories() -> list[History]:
    """All histories in the order they are run: the ledger's, the framework's, then the modules'."""
    found = [
        History("tasks", _APP / "tasks" / "migrations" / "versions"),
        History("framework", Path(__file__).parent / "versions"),
    ]
    found += [History(code, module.folder / "migrations" / "versions") for code, module in modules().items()]
    return [history for history in found if history.folder.is_dir()]


def load_models() -> None:
    """Import every table of the ledger, the framework and the installed modules into the metadata."""
    import_module("app.tasks.models")
    import_module("app.modules.state")
    import_module("app.modules.idempotency")
    for module in modules().values():
        package = f"{module.package}.models"
        if find_spec(package) is None:
            continue
        for found in iter_modules(import_module(package).__path__, f"{package}."):
            import_module(found.name)


def tables_of(owner: str) -> list[Table]:
    """Mapped tables of one owner. Call ``load_models`` first."""
    return [table for table in Base.metadata.sorted_tables if owner_of(table.info["python_module"]) == owner]


@contextmanager
def owner_connection(url: str) -> Iterator[Connection]:
    """A connection as the owner of the tables, for migrate, install and backup only.

    Holds the migration lock; work is committed at the end of the block, all of it or nothing.
    """
    engine = make_engine(url, pool_size=1)
    try:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            yield connection
    finally:
        engine.dispose()


def current(connection: Connection, history: History) -> str | None:
    """The revision the database is at."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(
        connection, opts={"version_table": history.version_table}
    ).get_current_revision()


@dataclass(frozen=True, slots=True)
class Pending:
    """A history that is not at its head; ``revisions`` are still to run, oldest first."""

    owner: str
    revisions: tuple[str, ...]


def pending(connection: Connection, owner: str | None = None) -> list[Pending]:
    """What ``migrate`` would run, in order."""
    found = []
    for history in _installed(connection, owner):
        at, scripts = current(connection, history), history.scripts()
        revisions = tuple(
            script.revision for script in reversed(list(scripts.iterate_revisions("heads", at or "base")))
        )
        if revisions:
            found.append(Pending(history.owner, revisions))
    return found


def migrate(connection: Connection, owner: str | None = None) -> list[Pending]:
    """Run what is pending, then bring policies and the list of installed modules up to date; returns what ran."""
    load_models()
    chosen = _installed(connection, owner)
    ran = pending(connection, owner)
    for history in chosen:
        _run(connection, history)
    secure_tables(connection, [table for history in chosen for table in tables_of(history.owner)])
    record_installed(connection)
    if ran and has_framework(connection):
        touch_version(connection)
    return ran


def downgrade(connection: Connection, history: History) -> None:
    """Take one history down to nothing, with all its data; what stands on its tables must be gone already.

    What was generated beside the migrations goes too. Raises ConfigurationError when a table is left.
    """
    load_models()
    tables = tables_of(history.owner)
    for statement in filter(None, map(drop_search_function, tables)):
        connection.exec_driver_sql(statement)
    _run(connection, history, lambda scripts, at: scripts._downgrade_revs("base", at))
    connection.exec_driver_sql(f'DROP TABLE IF EXISTS "{history.version_table}"')
    left = {table.name for table in tables} & set(inspect(connection).get_table_names())
    if left:
        raise ConfigurationError(
            f"The downgrades of {history.owner!r} leave tables behind: {', '.join(sorted(left))}."
        )


def migration_sql(owner: str | None = None) -> str:
    """The SQL of a migration from nothing, for a DBA to read or run."""
    load_models()
    output = StringIO()
    for history in _selected(owner):
        output.write(f"-- {history.owner}\n")
        _run_offline(history, output)
    return output.getvalue()


def drift(connection: Connection, owner: str) -> list[Any]:
    """Differences between an owner's models and the database; empty when the migrations are complete."""
    from alembic.autogenerate import compare_metadata

    return list(compare_metadata(_context(connection, owner), Base.metadata))


def draft(connection: Connection, owner: str) -> str:
    """The body of ``upgrade()`` that would bring the database to an owner's models."""
    from alembic.autogenerate import produce_migrations, render_python_code

    context = _context(connection, owner)
    upgrade = produce_migrations(context, Base.metadata).upgrade_ops
    assert upgrade is not None
    return render_python_code(upgrade, migration_context=context)


def _selected(owner: str | None) -> Sequence[History]:
    chosen = [history for history in histories() if owner in (None, history.owner)]
    if not chosen:
        raise ConfigurationError(
            f"{owner!r} has no migrations. Known: {', '.join(history.owner for history in histories())}."
        )
    return chosen


def uninstalled(connection: Connection) -> set[str]:
    """Codes of the modules that somebody uninstalled, and of those that cannot be there without them.

    Nothing brings them back but ``install``.
    """
    if not has_framework(connection):
        return set()
    # Not by the column's name: the table may be older than the column.
    old_or_new = text("SELECT code FROM installed_modules m WHERE to_jsonb(m)->>'is_installed' = 'false'")
    gone = set(connection.execute(old_or_new).scalars())
    for code, module in modules().items():
        if gone.intersection(module.requires):
            gone.add(code)
    return gone


def has_framework(connection: Connection) -> bool:
    """Whether the framework's tables are there."""
    return connection.scalar(text("SELECT to_regclass('public.installed_modules')")) is not None


def _installed(connection: Connection, owner: str | None) -> Sequence[History]:
    gone = uninstalled(connection)
    if owner in gone:
        raise ConfigurationError(f"Module {owner!r} is uninstalled. Run: wizamart modules install {owner}")
    return [history for history in _selected(owner) if history.owner not in gone]


def _context(connection: Connection, owner: str) -> "MigrationContext":
    from alembic.migration import MigrationContext

    load_models()
    names = {table.name for table in tables_of(owner)}

    def mine(thing: Any, _name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        table = thing if kind == "table" else getattr(thing, "table", None)
        return table is None or table.name in names

    return MigrationContext.configure(
        connection,
        opts={"include_object": mine, "compare_type": True, "target_metadata": Base.metadata},
    )


def _up(scripts: "ScriptDirectory", at: Any) -> Any:
    return scripts._upgrade_revs("heads", at)


def _run(
    connection: Connection, history: History, steps: "Callable[[ScriptDirectory, Any], Any]" = _up
) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    scripts = history.scripts()
    with EnvironmentContext(Config(), scripts, fn=lambda at, _context: steps(scripts, at)) as environment:
        environment.configure(connection=connection, version_table=history.version_table)
        environment.run_migrations()


def _run_offline(history: History, output: StringIO) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    scripts = history.scripts()
    with EnvironmentContext(
        Config(), scripts, fn=lambda _at, _context: scripts._upgrade_revs("heads", "base"), as_sql=True
    ) as environment:
        environment.configure(
            dialect_name="postgresql", version_table=history.version_table, output_buffer=output, as_sql=True
        )
        with environment.begin_transaction():
            environment.run_migrations()


def record_installed(connection: Connection) -> None:
    """Bring the list of installed modules up to date; one that was uninstalled stays so."""
    if not has_framework(connection):
        return
    connection.execute(
        text(
            "INSERT INTO system_state (id, version, clock_offset_seconds) VALUES (1, 1, 0) ON CONFLICT (id) DO NOTHING"
        )
    )
    versions = {module.code: module.version for module in modules().values()}
    revisions = {history.owner: current(connection, history) for history in histories()}
    gone = uninstalled(connection)
    for code in dict.fromkeys((*revisions, *versions)):
        # What has migrations is there once one of them has run.
        is_there = revisions[code] is not None if code in revisions else code not in gone
        connection.execute(
            _RECORD if is_there else _FORGET_REVISION,
            {
                "code": code,
                "version": versions.get(code, VERSION),
                "revision": revisions.get(code),
                "at": clock.system_now(),
            },
        )


_RECORD = text(
    "INSERT INTO installed_modules (code, version, revision, installed_at, is_installed) "
    "VALUES (:code, :version, :revision, :at, true) ON CONFLICT (code) DO UPDATE "
    "SET version = excluded.version, revision = excluded.revision"
)
_FORGET_REVISION = text("UPDATE installed_modules SET revision = NULL WHERE code = :code")
