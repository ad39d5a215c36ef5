"""Each owner's history builds exactly its models, goes down without debris, and keeps to its own tables."""

import pytest
from sqlalchemy import inspect, text

from app.modules import migrations
from app.modules.migrations import History
from app.testing.database import Database

HISTORIES = migrations.histories()


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.owner)
def test_models_and_migrations_agree(live_db: Database, history: History) -> None:
    with live_db.owner_engine.connect() as connection:
        assert migrations.drift(connection, history.owner) == []


def test_a_second_run_changes_nothing(live_db: Database) -> None:
    with migrations.owner_connection(live_db.owner_url) as connection:
        assert migrations.pending(connection) == []
        assert migrations.migrate(connection) == []


def test_every_table_has_row_security_and_a_policy(live_db: Database) -> None:
    with live_db.owner_engine.connect() as connection:
        bare = connection.execute(
            text(
                "SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
                "AND relname NOT LIKE 'migrations_%' AND NOT (relrowsecurity AND EXISTS "
                "(SELECT FROM pg_policy p WHERE p.polrelid = c.oid))"
            )
        ).scalars()
        assert list(bare) == []


def test_each_history_goes_down_to_nothing_and_up_again(live_db: Database) -> None:
    with migrations.owner_connection(live_db.owner_url) as connection:
        for history in reversed(HISTORIES):
            migrations.downgrade(connection, history)
        left = [name for name in inspect(connection).get_table_names() if not name.startswith("migrations_")]
        assert left == []
        migrations.migrate(connection)
        assert migrations.pending(connection) == []


def test_the_sql_of_a_migration_is_complete(live_db: Database) -> None:
    sql = migrations.migration_sql("tenancy")
    for table in migrations.tables_of("tenancy"):
        assert f"CREATE TABLE {table.name}" in sql
