"""The first platform, vendor and admin of an installation, made on the command line."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from typer.testing import CliRunner

from app.modules.tenancy.cli import platform_app, user_app, vendor_app
from app.modules.tenancy.tests.steps import ADMIN, OWNER, SUPPORT, VIEWER, acts, value_of
from app.modules.web import create_app
from app.testing.browsing import sign_in
from app.testing.database import Database

PASSWORD = "Kniddelen-mat-Speck-11"


@pytest.fixture
def shell(live_db: Database) -> CliRunner:
    """Commands on an empty migrated database."""
    return CliRunner(env={"WIZAMART_NEW_PASSWORD": PASSWORD})


def test_from_an_empty_database_to_a_signed_in_owner(shell: CliRunner) -> None:
    assert shell.invoke(platform_app, ["create", "oms", "--name", "OMS"]).exit_code == 0
    arguments = ["create", "shop", "--name", "My shop", "--company", "Mine", "--platform", "oms"]
    made = shell.invoke(vendor_app, [*arguments, "--owner-email", "me@example.com"])
    assert made.exit_code == 0, made.output
    assert '"code":"SHOP"' in shell.invoke(vendor_app, ["list", "--json"]).stdout
    assert shell.invoke(user_app, ["create-admin", "root@example.com", "--name", "Root"]).exit_code == 0
    with TestClient(create_app(), base_url="http://testserver", follow_redirects=False) as client:
        assert sign_in(client, "vendor", "me@example.com", PASSWORD).status_code == 303
        assert "My shop" in client.get("/vendor/SHOP").text
        assert sign_in(client, "admin", "root@example.com", PASSWORD).status_code == 303
        assert "SHOP" in client.get("/admin/vendors").text


def test_a_taken_code_leaves_nothing_half_made(shell: CliRunner) -> None:
    shell.invoke(platform_app, ["create", "oms", "--name", "OMS"])
    arguments = [
        "create",
        "shop",
        "--name",
        "My shop",
        "--company",
        "Mine",
        "--platform",
        "oms",
        "--owner-email",
    ]
    assert shell.invoke(vendor_app, [*arguments, "one@example.com"]).exit_code == 0
    refused = shell.invoke(vendor_app, [*arguments, "two@example.com"])
    assert refused.exit_code != 0
    assert "SHOP" in str(refused.exception)
    assert (
        shell.invoke(vendor_app, [*arguments[:1], "other", *arguments[2:], "two@example.com"]).exit_code == 0
    )


@pytest.fixture
def demo_shell(world: Database) -> CliRunner:
    """Commands on the demo's data."""
    return CliRunner()


def test_somebody_is_held_and_released(demo_shell: CliRunner, world: Database) -> None:
    with TestClient(create_app(), base_url="http://testserver", follow_redirects=False) as client:
        sign_in(client, "vendor", VIEWER)
        assert demo_shell.invoke(user_app, ["hold", VIEWER.upper()]).exit_code == 0
        assert client.get("/vendor/MOSELLE").status_code == 303
        assert sign_in(client, "vendor", VIEWER).status_code == 422
        assert demo_shell.invoke(user_app, ["release", VIEWER]).exit_code == 0
        assert sign_in(client, "vendor", VIEWER).status_code == 303
    said = "SELECT details->>'by' FROM audit_log WHERE action = 'tenancy.user_deactivated'"
    assert value_of(world.owner_engine, said) == "command line"
    assert "nobody@example.com" in str(demo_shell.invoke(user_app, ["hold", "nobody@example.com"]).exception)
    assert demo_shell.invoke(user_app, ["hold", ADMIN]).exit_code != 0, "the last super admin stays"


def test_a_lost_second_step_is_switched_off(demo_shell: CliRunner, world: Database) -> None:
    with world.owner_engine.begin() as connection:
        connection.execute(text("UPDATE users SET totp_secret = 'x', totp_confirmed_at = now()"))
    assert demo_shell.invoke(user_app, ["2fa-reset", OWNER]).exit_code == 0
    left = f"SELECT count(*) FROM users WHERE totp_confirmed_at IS NULL AND email = '{OWNER}'"
    assert value_of(world.owner_engine, left) == 1
    assert acts(world.owner_engine)[-1] == "tenancy.two_step_disabled"


def test_a_link_to_act_as_a_vendor(demo_shell: CliRunner, world: Database) -> None:
    made = demo_shell.invoke(vendor_app, ["act-as-link", "moselle", "--admin", SUPPORT])
    assert made.exit_code == 0, made.output
    link = made.stdout.strip()
    assert acts(world.owner_engine)[-1] == "tenancy.impersonation_started"
    with TestClient(create_app(), base_url="http://testserver", follow_redirects=False) as client:
        opened = client.get("/vendor/act-as", params={"token": link.partition("token=")[2]})
        assert opened.headers["location"] == "/vendor/MOSELLE"
        assert client.get("/vendor/MOSELLE").status_code == 200
    for refused in (
        ["NONE", "--admin", ADMIN],
        ["MOSELLE", "--admin", VIEWER],
        ["MOSELLE", "--admin", "a@b.c"],
    ):
        assert demo_shell.invoke(vendor_app, ["act-as-link", *refused]).exit_code != 0, refused


def test_an_unknown_platform_says_how_to_make_it(shell: CliRunner) -> None:
    arguments = [
        "create",
        "shop",
        "--name",
        "N",
        "--company",
        "C",
        "--platform",
        "none",
        "--owner-email",
        "a@b.example",
    ]
    assert "wizamart platform create none" in str(
        shell.invoke(vendor_app, [*arguments, "--platform", "none"]).exception
    )
