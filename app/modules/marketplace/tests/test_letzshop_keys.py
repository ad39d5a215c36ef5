"""Keys of Letzshop: sealed, rotated, forgotten; and the commands that use them."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

from app.core.config import get_settings
from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.core.errors import ValidationFailedError
from app.modules.marketplace import facade
from app.modules.marketplace.adapters.letzshop.client import LETZSHOP_URL, api_url
from app.modules.marketplace.cli import letzshop_app
from app.modules.marketplace.contracts import CheckOutcome, CheckReport
from app.modules.marketplace.exceptions import ChannelNotConfiguredError
from app.modules.marketplace.services import letzshop_credentials_service as keys
from app.modules.marketplace.services.letzshop_service import LETZSHOP
from app.modules.tenancy import facade as tenancy
from app.testing.commands import run_command
from sandbox.testing import Sandbox, running_sandbox

KEY = "lz_test_moselle_manager"
_SECOND = "k2:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with running_sandbox(seed="keys") as running:
        yield running


def scope_of(code: str) -> TenantScope:
    vendor = tenancy.get_vendor(code)
    return TenantScope(vendor.id, vendor.company_id)


@pytest.fixture
def moselle(app: FastAPI, owner_engine: Engine) -> TenantScope:
    """A vendor without a connection."""
    with owner_engine.begin() as connection:
        connection.execute(text("DELETE FROM connections"))
    return scope_of("MOSELLE")


def test_a_key_is_sealed_and_only_its_end_is_shown(moselle: TenantScope, owner_engine: Engine) -> None:
    with unit_of_work(moselle) as session:
        connection_id = facade.connect(session, moselle.vendor_id, LETZSHOP.code)
        with pytest.raises(ChannelNotConfiguredError):
            LETZSHOP.open(session, connection_id)
        assert keys.find(session, connection_id) is None
        assert keys.store_key(session, connection_id, f" Bearer {KEY}\n").hint == "…ager"
    with owner_engine.connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM letzshop_credentials"))
    assert KEY not in repr(row)
    assert row.sealed.startswith("k1:")
    with unit_of_work(moselle) as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text("SELECT sealed FROM letzshop_credentials"))
    with unit_of_work(moselle) as session:
        keys.choose_shop(session, connection_id, "https://letzshop.lu/vendors/maison-moselle/")
        keys.store_key(session, connection_id, "another-key-9999")
        assert keys.read_key(session, connection_id) == "another-key-9999"
        found = keys.find(session, connection_id)
        assert found is not None
        assert (found.hint, found.rotations, found.shop_slug) == ("…9999", 1, "maison-moselle")
        for wrong in ("", "short", "with a blank in it", "schlüssel-schlüssel", "line\nbreak-line-break"):
            with pytest.raises(ValidationFailedError):
                keys.store_key(session, connection_id, wrong)
    other = scope_of("MINETT")
    with unit_of_work(other) as session, pytest.raises(ChannelNotConfiguredError):
        LETZSHOP.open(session, connection_id)
    with unit_of_work(moselle) as session:
        keys.forget_key(session, connection_id)
        assert keys.read_key(session, connection_id) is None


def test_keys_are_sealed_again_under_a_new_encryption_key(
    moselle: TenantScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unit_of_work(moselle) as session:
        connection_id = facade.connect(session, moselle.vendor_id, LETZSHOP.code)
        keys.store_key(session, connection_id, KEY)
    first = str(get_settings().encryption_keys.get_secret_value())  # type: ignore[union-attr]
    monkeypatch.setenv("WIZAMART_ENCRYPTION_KEYS", f"{_SECOND},{first}")
    get_settings.cache_clear()
    with unit_of_work(SYSTEM) as session:
        assert [keys.reseal_keys(session) for _ in range(2)] == [1, 0]
    monkeypatch.setenv("WIZAMART_ENCRYPTION_KEYS", _SECOND)
    get_settings.cache_clear()
    with unit_of_work(moselle) as session:
        assert keys.read_key(session, connection_id) == KEY


@pytest.mark.usefixtures("broker")
def test_the_commands_connect_test_and_compare(
    moselle: TenantScope, box: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WIZAMART_SANDBOX_URL", box.url)
    get_settings.cache_clear()
    file = tmp_path / "key.txt"
    file.write_text(f"{KEY}\n")
    done = run_command("letzshop", "connect", "MOSELLE", "--key-file", str(file), "--shop", "maison-moselle")
    assert (done.returncode, done.stdout.split()) == (0, ["ok"]), done.stderr
    assert KEY not in done.stdout + done.stderr
    with unit_of_work(moselle) as session:
        connection_id = facade.connect(session, moselle.vendor_id, LETZSHOP.code)
        channel = LETZSHOP.open(session, connection_id)
    with closing(channel):
        assert channel.read_open(None).orders
    box.control("POST", "/letzshop/settings", {"hidden_fields": ["Order.locale"]})
    tested = run_command("letzshop", "test", "MOSELLE", "--json")
    assert tested.returncode == 1
    told = json.loads(tested.stdout)
    assert (told["outcome"], [one["name"] for one in told["findings"]]) == ("schema_drift", ["Order.locale"])
    compared = CliRunner().invoke(letzshop_app, ["schema", "--url", f"{box.url}/letzshop/graphql", "--json"])
    assert compared.exit_code == 1
    assert json.loads(compared.stdout) == told["findings"]


def test_a_key_of_the_stand_in_never_goes_to_letzshop(data_dir: object) -> None:
    assert api_url() == (LETZSHOP_URL, False)
    assert LETZSHOP.try_key(KEY) == CheckReport(
        CheckOutcome.UNREACHABLE, "The stand-in for Letzshop does not run."
    )
