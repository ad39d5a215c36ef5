"""Work in another scope inside a savepoint leaves nothing behind when the savepoint is undone."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.database import IdentityScope, acting_in, unit_of_work
from app.core.roles import TENANT
from app.testing.working import vendor_scope


def _refuse(session: Session) -> None:
    with session.begin_nested(), acting_in(session, IdentityScope()):
        session.execute(text("SELECT count(*) FROM users"))
        raise ValueError("refused")


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("is_begun", [True, False])
def test_an_undone_savepoint_leaves_the_transaction_in_its_own_scope(is_begun: bool) -> None:
    scope = vendor_scope()
    with unit_of_work(scope) as session:
        if is_begun:
            session.execute(text("SELECT 1"))
        with pytest.raises(ValueError, match="refused"):
            _refuse(session)
        role, vendor_id = session.execute(
            text("SELECT current_user, current_setting('app.vendor_id', true)")
        ).one()
    assert (role, vendor_id) == (TENANT, str(scope.vendor_id))


def _refuse_whole(session: Session) -> None:
    session.execute(text("SELECT count(*) FROM products"))
    raise ValueError("refused")


@pytest.mark.usefixtures("world")
def test_a_refusal_does_not_cost_the_prepared_statements() -> None:
    """The server keeps what it has prepared: else every answer of 409 would make the next ones slow."""
    kept = text("SELECT count(*) FROM pg_prepared_statements")
    scope = vendor_scope()
    for _ in range(8):
        with unit_of_work(scope) as session:
            before = session.execute(kept).scalar_one()
    with pytest.raises(ValueError, match="refused"), unit_of_work(scope) as session:
        _refuse_whole(session)
    with unit_of_work(scope) as session:
        assert session.execute(kept).scalar_one() >= before > 0
