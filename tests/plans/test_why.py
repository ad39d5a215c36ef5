"""``wizamart why denied``: the first gate that closes, and how it is opened."""

import json

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from typer.testing import CliRunner

from app.modules import state, why
from app.modules.gates_cli import why_app
from app.modules.tenancy.tests.steps import ADMIN, OWNER, VIEWER
from app.modules.why import UnknownRouteError
from app.testing.database import Database
from tests.plans.conftest import ENDED, HOME
from tests.plans.plan.definition import EXTRA, Plans


def closed_by(email: str, route: str, vendor: str | None = None) -> tuple[str, str] | None:
    """Name of the first closed gate and how to open it."""
    found = why.explain(email, route, vendor)
    assert all(gate.is_open for gate in found[:-1])
    return None if found[-1].is_open else (found[-1].name, found[-1].how)


@pytest.mark.parametrize(
    "route",
    [
        "catalog.vendor.new_product",
        f"{HOME}/products/new",
        f"{HOME}/products/new?from=list",
        f"{HOME}/products",
    ],
)
def test_nothing_keeps_the_owner_out(app: FastAPI, route: str) -> None:
    assert closed_by(OWNER, route, "MOSELLE") is None
    names = [gate.name for gate in why.explain(OWNER, route, "MOSELLE")]
    assert [name for name in names if name != "menu"] == ["account", "subscription", "module", "permission"]


def test_each_gate_is_named(app: FastAPI, plan: Plans, world: Database) -> None:
    assert closed_by("nobody@x.example", f"{HOME}/products")[0] == "account"
    assert closed_by(OWNER, "/vendor/MINETT/products")[0] == "account"
    gate, how = closed_by(VIEWER, f"{HOME}/products/new")
    assert gate == "permission"
    assert "catalog.products.edit" in how
    plan.limits[EXTRA] = 0
    assert closed_by(OWNER, f"{HOME}/extra")[0] == "subscription"
    plan.closed = ENDED
    assert closed_by(OWNER, f"{HOME}/tariff/work")[0] == "subscription"
    assert closed_by(OWNER, f"{HOME}/tariff/change") is None
    shown = why.explain(OWNER, f"{HOME}/products/new")
    assert "form is refused" in next(gate.why for gate in shown if gate.name == "subscription")
    plan.closed = None
    assert closed_by(ADMIN, "/admin/vendors") is None
    assert closed_by(OWNER, "/admin/vendors")[0] == "account"


def test_a_module_that_is_off_is_named(app: FastAPI, world: Database) -> None:
    with world.owner_engine.begin() as owner:
        owner.execute(
            text("UPDATE platform_modules SET is_enabled = false WHERE module_code = 'marketplace'")
        )
        owner.execute(text("UPDATE system_state SET version = version + 1"))
    state.forget_snapshot()
    gate, how = closed_by(OWNER, f"{HOME}/imports")
    assert (gate, how) == ("module", "wizamart modules enable marketplace")


def test_what_is_nowhere_is_said(app: FastAPI) -> None:
    with pytest.raises(UnknownRouteError):
        why.explain(OWNER, "/vendor/MOSELLE/nowhere")


def test_the_command_prints_json(app: FastAPI) -> None:
    done = CliRunner().invoke(why_app, ["denied", VIEWER, f"{HOME}/products/new", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["is_denied"]
    assert found["closed_by"] == "permission"
    assert found["gates"][0] == {
        "name": "account",
        "is_open": True,
        "why": found["gates"][0]["why"],
        "how": "",
    }


def test_the_command_prints_a_table(app: FastAPI) -> None:
    done = CliRunner().invoke(why_app, ["denied", OWNER, "catalog.vendor.products", "--vendor", "MOSELLE"])
    assert done.exit_code == 0, done.output
    assert "Nothing keeps them out." in done.output
