"""Tables: owned once, scoped, made and removed by the module's own history."""

import re
from collections import Counter
from functools import cache
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.schema import Table

from app.core.policies import policy_name, table_policies
from app.modules import migrations
from app.modules.migrations import History
from app.testing.conformance.module import Conformance, dependents
from app.testing.database import Database

_CREATED = re.compile(r'^CREATE TABLE "?(\w+)"?', re.MULTILINE)
_POLICIES = text("SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public'")
_SECURED = text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity")


@cache
def _made() -> Counter[str]:
    """How often the histories of all modules make each table."""
    return Counter(_CREATED.findall(migrations.migration_sql()))


class TableRules(Conformance):
    """What a module keeps in the database."""

    def tables(self) -> list[Table]:
        """The tables that the module's models declare."""
        migrations.load_models()
        return migrations.tables_of(self.code)

    def history(self, code: str) -> History | None:
        """A module's migrations, where it has some."""
        return next((one for one in migrations.histories() if one.owner == code), None)

    def test_its_history_makes_its_tables_and_no_others(self) -> None:
        sql = migrations.migration_sql(self.code) if self.history(self.code) else ""
        history = self.history(self.code)
        made = set(_CREATED.findall(sql)) - {history.version_table if history else ""}
        assert made == {table.name for table in self.tables()}

    def test_its_tables_are_made_once(self) -> None:
        made = _made()
        assert {table.name: made[table.name] for table in self.tables()} == {
            table.name: 1 for table in self.tables()
        }

    def test_its_tables_say_whose_rows_they_hold(self, live_db: Database) -> None:
        with live_db.owner_engine.connect() as connection:
            secured = set(connection.execute(_SECURED).scalars())
            present = {(row.tablename, row.policyname) for row in connection.execute(_POLICIES)}
        for table in self.tables():
            assert table.name in secured, table.name
            assert {(table.name, policy_name(table, policy)) for policy in table_policies(table)} <= present

    def test_its_history_is_one_line(self) -> None:
        history = self.history(self.code)
        revisions = list(history.scripts().walk_revisions()) if history else []
        stem = self.code.replace("-", "_")
        expected = [f"{stem}_{number:04}" for number in range(len(revisions), 0, -1)]
        assert [revision.revision for revision in revisions] == expected

    def test_models_and_migrations_agree(self, live_db: Database) -> None:
        with live_db.owner_engine.connect() as connection:
            assert migrations.drift(connection, self.code) == []

    def test_its_history_goes_down_and_up_again(self, live_db: Database) -> None:
        stack = [one for one in map(self.history, [*dependents(self.code), self.code]) if one]
        with migrations.owner_connection(live_db.owner_url) as connection:
            before = _schema(connection)
            for history in stack:
                migrations.downgrade(connection, history)
            left = set(inspect(connection).get_table_names())
            assert not left & {table.name for table in self.tables()}, "tables are left behind"
            migrations.migrate(connection)
            assert _schema(connection) == before


_SCHEMA = (
    """SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
       WHERE table_schema = 'public' ORDER BY 1, 2""",
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
    "SELECT tablename, policyname, roles::text, qual, with_check FROM pg_policies ORDER BY 1, 2",
)


def _schema(connection: Connection) -> list[Any]:
    """Columns, constraints, indexes and policies, as rows to compare."""
    return [tuple(row) for sql in _SCHEMA for row in connection.execute(text(sql))]
