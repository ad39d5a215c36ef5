"""What the tests of tenancy share."""

import pytest
from sqlalchemy import Engine, text


@pytest.fixture(autouse=True)
def _only_own_work(request: pytest.FixtureRequest) -> None:
    """Other modules' work of the demo is not waited for."""
    if "client" in request.fixturenames and "test_conformance" not in request.node.nodeid:
        owner: Engine = request.getfixturevalue("owner_engine")
        with owner.begin() as connection:
            connection.execute(text("UPDATE jobs SET state = 'cancelled' WHERE module <> 'tenancy'"))
