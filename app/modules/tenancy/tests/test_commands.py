"""The first platform, vendor and admin of an installation, made on the command line."""

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.modules.tenancy.cli import platform_app, user_app, vendor_app
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
