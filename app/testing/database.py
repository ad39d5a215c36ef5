"""Template databases and their clones."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from tempfile import TemporaryDirectory
from uuid import uuid4

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from app.core import clock
from app.core.config import changed_environment
from app.core.database import SYSTEM, dispose_engine, make_engine, unit_of_work
from app.core.keys import new_keys, to_environment
from app.core.roles import LOGIN, OWNER
from app.modules import lifecycle, migrations, setup, state
from app.testing.working import work

FIRST_RUN = "wizamart"
_BUILD_SECONDS = 300.0  # on a machine that many share


@dataclass(frozen=True, slots=True)
class Database:
    """One database of a test, by the addresses of the application and of the owner."""

    url: str
    owner_url: str
    owner_engine: Engine


class Templates:
    """Databases that are built once per run and cloned per test.

    'empty' is migrated, 'demo' is seeded too, and in 'done' the work that the demo leaves is finished.
    """

    def __init__(self, admin_url: str, run: str = FIRST_RUN) -> None:
        self.admin = create_engine(admin_url, isolation_level="AUTOCOMMIT")
        self._run = run

    def url_of(self, database: str, role: str) -> str:
        """A URL on the run's server."""
        return self.admin.url.set(database=database, username=role).render_as_string(hide_password=False)

    def build(self) -> None:
        """Make roles, 'empty' and 'demo'."""
        setup.initialise_server(self.admin)
        with self.admin.connect() as connection:
            # It would look into hundreds of databases, none of which gets old.
            connection.execute(text("ALTER SYSTEM SET autovacuum = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
        empty = self._add("empty", "template1")
        setup.initialise_database(self.superuser(empty))
        _migrate(empty)
        with scratch_keys(), connect_app(self._add("demo", self._name("empty"))):
            setup.seed_demo()

    def build_on_first_run(self) -> None:
        """Make all of those of another run on the server: what its modules have not got is added and switched on."""
        for template in ("empty", "demo", "done"):
            database = self._add(template, f"{FIRST_RUN}_{template}")
            _migrate(database)
            if template == "empty":
                continue
            with connect_app(database):
                _add_to_demo()
                if template == "done":
                    work(_BUILD_SECONDS)

    def build_done(self) -> None:
        """Make 'done' of 'demo', with the data folder and the keys of the environment."""
        with connect_app(self._add("done", self._name("demo"))):
            work(_BUILD_SECONDS)

    def _name(self, template: str) -> str:
        return f"{self._run}_{template}"

    def _add(self, template: str, base: str) -> Database:
        name = self._name(template)
        self._create(name, base)
        return Database(self.url_of(name, LOGIN), self.url_of(name, OWNER), self.admin)

    def _create(self, name: str, template: str) -> None:
        # Files are copied by the system, which costs half of what it does to log every page of the template.
        statement = f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY OWNER {OWNER}'
        with self.admin.connect() as connection:
            connection.execute(text(statement))

    @contextmanager
    def clone(self, template: str) -> Iterator[Database]:
        """A copy of a template, dropped afterwards."""
        with self._scratch(self._name(template)) as database:
            yield database

    @contextmanager
    def bare(self) -> Iterator[Database]:
        """A database without any table, dropped afterwards."""
        with self._scratch("template1") as database:
            setup.initialise_database(self.superuser(database))
            yield database

    @contextmanager
    def _scratch(self, template: str) -> Iterator[Database]:
        name = f"test_{os.getpid()}_{uuid4().hex[:10]}"
        self._create(name, template)
        owner = make_engine(self.url_of(name, OWNER))
        try:
            yield Database(self.url_of(name, LOGIN), self.url_of(name, OWNER), owner)
        finally:
            owner.dispose()
            with self.admin.connect() as connection:
                connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))

    def superuser(self, database: Database) -> Engine:
        """An engine that no policy and no right holds back, inside a clone."""
        name = make_url(database.url).database
        return create_engine(self.admin.url.set(database=name), poolclass=NullPool)

    def close(self) -> None:
        """Let go of the server."""
        self.admin.dispose()


def _migrate(database: Database) -> None:
    with migrations.owner_connection(database.owner_url) as connection:
        migrations.migrate(connection)


def _add_to_demo() -> None:
    with unit_of_work(SYSTEM) as session:
        for platform_id in session.scalars(text("SELECT id FROM platforms")).all():
            lifecycle.enable_all(session, platform_id, by="demo data")
    state.forget_snapshot()
    setup.seed_demo()


@contextmanager
def connect_app(database: Database) -> Iterator[None]:
    """Point the application of this process at a database."""
    addresses = {"WIZAMART_DATABASE_URL": database.url, "WIZAMART_DATABASE_OWNER_URL": database.owner_url}
    with changed_environment(addresses):
        dispose_engine()
        state.forget_snapshot()
        clock.set_offset(timedelta())  # another database's clock may have been moved
        try:
            yield
        finally:
            dispose_engine()
            state.forget_snapshot()


@contextmanager
def scratch_keys() -> Iterator[None]:
    """A data folder and keys of their own, for the block."""
    with TemporaryDirectory() as folder:
        keys = to_environment(new_keys())
        with changed_environment({"WIZAMART_ENV": "test", "WIZAMART_DATA_DIR": folder, **keys}):
            yield
