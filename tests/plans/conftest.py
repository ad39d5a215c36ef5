"""The demo world with a module that knows plans."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.core.roles import TENANT
from app.main import create_app
from app.modules import menu
from app.modules.api import callers, limits
from app.modules.gates import Closed
from app.modules.marketplace.tests.conftest import Shop
from app.modules.registry import modules
from app.modules.tenancy import facade as tenancy
from app.testing.browsing import sign_in
from app.testing.database import Database
from tests.plans.plan.definition import Plans, definition, plans

OWNER = "owner@moselle.example"
HOME = "/vendor/MOSELLE"
ENDED = Closed("errors.framework.read_only")
_built: list[FastAPI] = []


def pytest_itemcollected(item: pytest.Item) -> None:
    """Here a vendor begins without goods: what fits under a limit is counted from none."""
    item.add_marker(pytest.mark.demo_due)


@pytest.fixture
def plan(world: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plans]:
    """The plans that the test sets; no other module answers for plans."""
    for module in modules().values():
        for point in definition.providers:
            monkeypatch.setattr(module, "providers", {**module.providers})
            monkeypatch.delitem(module.providers, point, raising=False)
    monkeypatch.setitem(modules(), "plan", definition)
    with world.owner_engine.begin() as owner:
        owner.execute(text("CREATE TABLE plan_counts (vendor_id uuid, code text, used integer)"))
        owner.execute(text(f"GRANT SELECT, INSERT ON plan_counts TO {TENANT}"))
    menu.pages.cache_clear()
    plans.limits, plans.closed, plans.failing, plans.asked = {}, None, False, []
    yield plans
    menu.pages.cache_clear()


@pytest.fixture
def app(plan: Plans) -> FastAPI:
    """The application with that module, built once."""
    callers.forget()
    limits.forget()
    if not _built:
        _built.append(create_app())
    return _built[0]


@pytest.fixture
def owner(client: TestClient) -> TestClient:
    """The owner of MOSELLE, signed in, in English."""
    sign_in(client, "vendor", OWNER)
    client.cookies.set("wm_lang", "en")
    return client


@pytest.fixture
def shop(plan: Plans, world: Database) -> Shop:
    """MOSELLE behind the scenes."""
    vendor = tenancy.get_vendor("MOSELLE")
    return Shop("MOSELLE", vendor.id, vendor.company_id, world.owner_engine)
