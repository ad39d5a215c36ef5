"""Who gets in, and who does not."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core import clock
from app.core.database import IdentityScope, unit_of_work
from app.core.ids import from_public
from app.modules import lifecycle, state
from app.modules.api import callers as api_callers
from app.modules.core.exceptions import ApiKeyInputError
from app.modules.core.services.api_key_service import KeyInput, create_key, revoke_key
from app.modules.tenancy.facade import vendor_holder
from app.testing.api_keys import make_key
from app.testing.browsing import sign_in
from tests.api.conftest import VENDOR, Program, holder_of, super_admin

PRODUCTS = "/api/v1/vendor/products"


def test_nobody_gets_in_without_a_key(client: TestClient) -> None:
    answer = client.get(PRODUCTS)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    for wrong in ("Bearer wm_live_nothing", "Bearer x", "Basic d206d20=", "Bearer"):
        assert client.get(PRODUCTS, headers={"Authorization": wrong}).status_code == 401, wrong


def test_cookies_are_never_looked_at(client: TestClient) -> None:
    sign_in(client, "vendor", "owner@moselle.example")
    assert client.get(f"/vendor/{VENDOR}").status_code == 200
    assert client.get(PRODUCTS).status_code == 401


def test_a_key_opens_its_own_area_only(vendor: Program, admin: Program) -> None:
    assert vendor.get("/vendor/me").status_code == 200
    assert vendor.get("/admin/me").status_code == 401
    assert admin.get("/admin/me").status_code == 200
    assert admin.get("/vendor/me").status_code == 401


def test_a_key_may_do_what_it_was_given(client: TestClient) -> None:
    limited = Program(client, make_key(holder_of(VENDOR), "catalog.products.view"))
    assert limited.get("/vendor/products").status_code == 200
    refused = limited.get("/vendor/imports")
    assert refused.status_code == 403
    assert refused.json()["code"] == "framework.key_misses_permission"
    assert "marketplace.imports.view" in refused.json()["detail"]


def test_nobody_gives_a_key_more_than_they_have(world: object) -> None:
    owner = holder_of(VENDOR)
    with pytest.raises(ApiKeyInputError) as raised, unit_of_work(owner.scope) as session:
        create_key(session, owner, KeyInput("x", ["tenancy.users.manage"]))
    assert [field.pointer for field in raised.value.errors] == ["scopes"]


def test_a_revoked_key_is_refused_within_seconds(vendor: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    key_id = from_public("key", vendor.get("/vendor/me").json()["key_id"])
    assert key_id is not None
    owner = holder_of(VENDOR)
    with unit_of_work(owner.scope) as session:
        # As another process would: this one is not told.
        monkeypatch.setattr(api_callers, "forget", lambda: None)
        revoke_key(session, owner, key_id)
    assert vendor.get("/vendor/me").status_code == 200
    now = api_callers.time.monotonic()
    monkeypatch.setattr(api_callers.time, "monotonic", lambda: now + 3.1)
    assert vendor.get("/vendor/me").status_code == 401


def test_an_expired_key_is_refused_at_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = holder_of(VENDOR)
    ends = clock.system_now() + timedelta(hours=1)
    with unit_of_work(owner.scope) as session:
        made = create_key(session, owner, KeyInput("x", ["core.vendor_home.view"], (), ends))
    program = Program(client, made.token)
    assert program.get("/vendor/me").status_code == 200
    monkeypatch.setattr(clock, "system_now", lambda: ends)
    assert program.get("/vendor/me").status_code == 401


def test_a_key_of_other_addresses_is_refused(client: TestClient) -> None:
    # The test client comes from no address.
    program = Program(client, make_key(holder_of(VENDOR), networks=("192.0.2.0/24",)))
    assert program.get("/vendor/me").status_code == 401


def test_keys_of_a_vendor_on_hold_are_refused(vendor: Program, owner_engine: Engine) -> None:
    assert vendor.get("/vendor/me").status_code == 200
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE vendors SET is_active = false WHERE code = :code"), {"code": VENDOR})
    api_callers.forget()
    assert vendor.get("/vendor/me").status_code == 401


def test_operations_of_a_module_that_is_off_are_not_there(vendor: Program, owner_engine: Engine) -> None:
    assert vendor.get("/vendor/imports").status_code == 200
    operator = super_admin(owner_engine)
    with unit_of_work(operator.scope) as session:
        for platform_id in operator.platform_ids:
            for code in ("order-folder", "marketplace"):
                lifecycle.disable(session, platform_id, code)
    state.forget_snapshot()
    assert vendor.get("/vendor/imports").status_code == 404


def test_the_last_use_is_written_every_five_minutes(vendor: Program, owner_engine: Engine) -> None:
    def last_use() -> object:
        with owner_engine.connect() as connection:
            return connection.execute(text("SELECT max(last_used_at), max(version) FROM api_keys")).one()

    assert vendor.get("/vendor/me").status_code == 200
    first = last_use()
    api_callers.forget()
    assert vendor.get("/vendor/me").status_code == 200
    assert last_use() == first
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE api_keys SET last_used_at = last_used_at - interval '6 minutes'"))
    api_callers.forget()
    assert vendor.get("/vendor/me").status_code == 200
    assert last_use() > first  # type: ignore[operator]


def test_the_key_itself_is_not_stored(vendor_key: str, owner_engine: Engine) -> None:
    with owner_engine.connect() as connection:
        rows = connection.execute(text("SELECT to_json(k)::text FROM api_keys k")).scalars().all()
    assert rows
    assert not any(vendor_key[8:] in row for row in rows)


_MEMBER = "(SELECT id FROM users WHERE email_norm = 'team@moselle.example')"


@pytest.fixture
def members_key(client: TestClient, owner_engine: Engine) -> Program:
    """A program with a key that a member of the team made."""
    vendor = holder_of(VENDOR).vendor
    assert vendor
    with unit_of_work(IdentityScope()) as session:
        member = session.execute(text(f"SELECT {_MEMBER}")).scalar_one()
        maker = vendor_holder(session, vendor.id, member)
    assert maker
    program = Program(client, make_key(maker))
    assert program.get("/vendor/products").status_code == 200
    api_callers.forget()
    return program


@pytest.mark.parametrize(
    "change",
    [
        f"DELETE FROM memberships WHERE user_id = {_MEMBER}",
        f"UPDATE users SET is_active = false WHERE id = {_MEMBER}",
    ],
)
def test_a_key_ends_with_its_makers_access(members_key: Program, owner_engine: Engine, change: str) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text(change))
    refused = members_key.get("/vendor/products")
    assert (refused.status_code, refused.json()["code"]) == (401, "framework.key_maker_gone")
    assert refused.json()["title"] == "The key's maker has no access any more"


def test_a_key_loses_what_its_maker_loses(members_key: Program, owner_engine: Engine) -> None:
    role = f"(SELECT role_id FROM memberships WHERE user_id = {_MEMBER})"
    with owner_engine.begin() as connection:
        without = "permissions = array_remove(permissions, 'catalog.products.view')"
        connection.execute(text(f"UPDATE roles SET {without} WHERE id = {role}"))
    refused = members_key.get("/vendor/products")
    assert (refused.status_code, refused.json()["code"]) == (403, "framework.key_misses_permission")
    assert members_key.get("/vendor/me").status_code == 200


def test_an_operators_key_ends_with_their_access(admin: Program, owner_engine: Engine) -> None:
    assert admin.get("/admin/me").status_code == 200
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE users SET is_active = false WHERE is_super_admin"))
    api_callers.forget()
    refused = admin.get("/admin/me")
    assert (refused.status_code, refused.json()["code"]) == (401, "framework.key_maker_gone")
