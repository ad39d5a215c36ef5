"""Reads in one round trip: in their scope, again after what makes a connection forget, and with clear errors."""

import time
from threading import Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.core.config import get_settings
from app.core.database import IdentityScope, TenantScope, engine, unit_of_work
from app.core.quick_read import read_row
from app.testing.database import Database, Templates
from app.testing.working import vendor_scope

_WHO = b"SELECT current_user, current_setting('app.vendor_id', true), count(*) FROM roles"


def test_a_read_sees_what_its_scope_may(world: Database) -> None:
    ours, theirs = vendor_scope("MOSELLE"), vendor_scope("MINETT")
    for scope in (ours, theirs):
        with unit_of_work(scope) as session:
            count = session.execute(text("SELECT count(*) FROM roles")).scalar()
        row = read_row(scope, _WHO, [])
        assert row == (b"wizamart_tenant", str(scope.vendor_id).encode(), str(count).encode())
    with pytest.raises(DBAPIError, match="permission denied"):
        read_row(IdentityScope(), b"SELECT count(*) FROM products", [])


def test_nothing_of_a_scope_is_left_on_the_connection(world: Database) -> None:
    read_row(vendor_scope("MOSELLE"), b"SELECT 1", [])
    with engine().connect() as connection:
        who, vendor = connection.execute(
            text("SELECT current_user, current_setting('app.vendor_id', true)")
        ).one()
    assert (who, vendor) == ("wizamart_login", "")


def test_values_are_never_part_of_the_statement(world: Database) -> None:
    scope = vendor_scope("MOSELLE")
    assert read_row(scope, b"SELECT $1::text, $2::text", [b"'; DROP", None]) == (b"'; DROP", None)
    assert read_row(scope, b"SELECT 1 WHERE false", []) is None


def test_prepared_statements_that_were_thrown_away_are_made_again(world: Database) -> None:
    scope = vendor_scope("MOSELLE")
    for _ in range(3):
        assert read_row(scope, b"SELECT 7", []) == (b"7",)
        with engine().connect() as connection:
            connection.exec_driver_sql("DEALLOCATE ALL")
            connection.commit()


@pytest.mark.parametrize("prepared", ["true", "false"])
def test_with_and_without_prepared_statements(
    world: Database, monkeypatch: pytest.MonkeyPatch, prepared: str
) -> None:
    scope = vendor_scope("MOSELLE")
    monkeypatch.setenv("WIZAMART_DATABASE_PREPARED_STATEMENTS", prepared)
    get_settings.cache_clear()
    for number in range(3):
        assert read_row(scope, b"SELECT $1::int + 1", [str(number).encode()]) == (str(number + 1).encode(),)
    with engine().connect() as connection:
        count = connection.execute(
            text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'wm_quick%'")
        ).scalar()
    assert bool(count) is (prepared == "true")


def test_a_slow_statement_is_ended_and_the_next_one_works(
    world: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope: TenantScope = vendor_scope("MOSELLE")
    monkeypatch.setenv("WIZAMART_STATEMENT_TIMEOUT_SECONDS", "1")
    get_settings.cache_clear()
    with pytest.raises(OperationalError, match="statement timeout"):
        read_row(scope, b"SELECT pg_sleep(5)", [])
    assert read_row(scope, b"SELECT 1", []) == (b"1",)


def test_a_lost_connection_is_an_operational_error_once(world: Database, templates: Templates) -> None:
    scope = vendor_scope("MOSELLE")
    row = read_row(scope, b"SELECT pg_backend_pid()", [])
    assert row
    assert row[0]
    superuser = templates.superuser(world)
    with superuser.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": int(row[0])})
    superuser.dispose()
    with pytest.raises(OperationalError):
        read_row(scope, b"SELECT 1", [])
    assert read_row(scope, b"SELECT 1", []) == (b"1",)


def test_other_threads_go_on_while_one_waits_for_the_server(world: Database) -> None:
    scope = vendor_scope("MOSELLE")
    read_row(scope, b"SELECT 1", [])
    asking = Thread(target=read_row, args=(scope, b"SELECT pg_sleep(1)", []))
    asking.start()
    time.sleep(0.05)
    assert asking.is_alive()
    asking.join()


def test_a_statement_is_planned_once_however_often_its_limit_changes(world: Database) -> None:
    scope = vendor_scope("MOSELLE")
    for number in range(1, 12):
        read_row(scope, b"SELECT id FROM roles LIMIT $1::bigint", [str(number).encode()])
    with engine().connect() as connection:
        plans = connection.execute(
            text("SELECT custom_plans FROM pg_prepared_statements WHERE statement LIKE '%FROM roles LIMIT%'")
        ).scalars()
        assert list(plans) == [0]
