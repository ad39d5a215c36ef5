"""The database keeps tenants apart, and the proof of it would notice if it did not."""

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from app.core.database import SYSTEM, IdentityScope, TenantScope, acting_in, engine, unit_of_work
from app.core.errors import ConfigurationError
from app.core.roles import refuse_powerful_role
from app.testing.database import Database, Templates
from app.testing.isolation_proof import is_proved, prove_isolation


@pytest.mark.long(12)
@pytest.mark.timeout(300)
def test_nothing_leaks_and_every_dropped_policy_is_noticed(templates: Templates) -> None:
    figures = prove_isolation(templates)
    assert figures["leaked"] == []
    assert figures["untried"] == []
    assert figures["blind_spots"] == []
    assert figures["policies_unnoticed"] == []
    assert is_proved(figures)
    assert figures["tables"] >= 20
    assert figures["routes"] >= 8
    assert figures["tasks"] >= 2


@pytest.mark.parametrize("role", ["wizamart_owner", "postgres"])
def test_the_application_refuses_a_role_that_could_see_too_much(
    live_db: Database, templates: Templates, role: str
) -> None:
    name = make_url(live_db.url).database
    powerful = create_engine(templates.url_of(str(name), role), poolclass=NullPool)
    with powerful.connect() as connection, pytest.raises(ConfigurationError, match=role):
        refuse_powerful_role(connection)
    with engine().connect() as connection:
        refuse_powerful_role(connection)


def test_without_a_scope_there_are_no_rows_and_no_writes(world: Database) -> None:
    with engine().connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
        connection.execute(text("SELECT * FROM vendors"))


def test_a_setting_of_an_ended_transaction_is_no_context(world: Database) -> None:
    with unit_of_work(SYSTEM) as session:
        vendor_id = session.scalar(text("SELECT id FROM vendors WHERE code = 'MINETT'"))
    with engine().connect() as connection:
        with connection.begin():
            connection.execute(text("SELECT set_config('app.vendor_id', :id, true)"), {"id": str(vendor_id)})
        with connection.begin():
            connection.execute(text("SET LOCAL ROLE wizamart_tenant"))
            assert connection.execute(text("SELECT count(*) FROM vendors")).scalar_one() == 0


def test_acting_in_another_scope_gives_the_former_one_back(world: Database) -> None:
    with unit_of_work(SYSTEM) as session:
        ids = session.execute(text("SELECT id, company_id FROM vendors WHERE code = 'MINETT'")).one()
        with acting_in(session, TenantScope(ids.id, ids.company_id)):
            assert session.scalar(text("SELECT count(*) FROM vendors")) == 1
            with acting_in(session, IdentityScope()):
                assert session.scalar(text("SELECT count(*) FROM users")) > 1
            assert session.scalar(text("SELECT count(*) FROM vendors")) == 1
        assert session.scalar(text("SELECT count(*) FROM vendors")) == 3


def test_the_operator_reads_vendor_rows_but_cannot_write_them(world: Database) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), unit_of_work(SYSTEM) as session:
        session.execute(text("UPDATE vendors SET name = 'x'"))


def test_the_audit_log_cannot_be_rewritten(world: Database) -> None:
    for statement in ("UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"):
        with pytest.raises(DBAPIError, match="permission denied"), unit_of_work(SYSTEM) as session:
            session.execute(text(statement))
