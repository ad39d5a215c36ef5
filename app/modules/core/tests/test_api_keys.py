"""The pages of API keys: a key is shown once, works, and is revoked."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.modules.api import callers as api_callers
from app.testing.browsing import sign_in, token_of

_VENDOR = "/vendor/MOSELLE/api-keys"
_TOKEN = re.compile(r"wm_test_[A-Za-z0-9_-]{40,}")


def _owner(client: TestClient) -> None:
    sign_in(client, "vendor", "owner@moselle.example")


def _form(client: TestClient, page: str, **fields: object) -> dict[str, object]:
    shown = client.get(page)
    form_token = re.search(r'name="form_token" value="([^"]+)"', shown.text)
    assert form_token
    return {"csrf_token": token_of(shown), "form_token": form_token[1], **fields}


def test_a_key_is_shown_once_and_works_until_it_is_revoked(client: TestClient) -> None:
    _owner(client)
    form = _form(client, f"{_VENDOR}/new", name="Stock system", scopes=["core.vendor_home.view"])
    made = client.post(f"{_VENDOR}/new", data=form)
    assert made.status_code == 200
    token = _TOKEN.search(made.text)
    assert token
    calls = TestClient(client.app, raise_server_exceptions=False)
    headers = {"Authorization": f"Bearer {token[0]}"}
    assert calls.get("/api/v1/vendor/me", headers=headers).json()["permissions"] == ["core.vendor_home.view"]

    again = client.post(f"{_VENDOR}/new", data=form)  # a second click
    assert again.status_code == 303
    page = client.get(again.headers["location"])
    assert page.status_code == 200
    assert not _TOKEN.search(page.text)

    revoke = f"{again.headers['location']}/revoke"
    assert client.post(revoke, data={"csrf_token": token_of(page)}).status_code == 303
    assert calls.get("/api/v1/vendor/me", headers=headers).status_code == 401
    assert client.post(revoke, data={"csrf_token": token_of(page)}).status_code == 409


@pytest.mark.demo_due
@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "", "scopes": ["core.vendor_home.view"]},
        {"name": "x", "scopes": ["tenancy.users.manage"]},
        {"name": "x", "scopes": ["core.vendor_home.view"], "networks": "everywhere"},
        {"name": "x", "scopes": ["core.vendor_home.view"], "expires_at": "2001-01-01"},
    ],
)
def test_wrong_input_makes_no_key(client: TestClient, owner_engine: Engine, wrong: dict[str, object]) -> None:
    _owner(client)
    assert client.post(f"{_VENDOR}/new", data=_form(client, f"{_VENDOR}/new", **wrong)).status_code == 422
    with owner_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM api_keys")).scalar() == 0


def test_keys_of_others_are_not_there(client: TestClient) -> None:
    _owner(client)
    form = _form(client, f"{_VENDOR}/new", name="Ours", scopes=["core.vendor_home.view"])
    client.post(f"{_VENDOR}/new", data=form)
    location = client.post(f"{_VENDOR}/new", data=form).headers["location"]
    assert "Ours" in client.get(_VENDOR).text
    other = TestClient(client.app, follow_redirects=False, raise_server_exceptions=False)
    sign_in(other, "vendor", "owner@minett.example")
    assert "Ours" not in other.get("/vendor/MINETT/api-keys").text
    assert other.get(location.replace("MOSELLE", "MINETT")).status_code == 404
    admin = TestClient(client.app, follow_redirects=False, raise_server_exceptions=False)
    sign_in(admin, "admin", "admin@wizamart.example")
    assert "Ours" not in admin.get("/admin/api-keys").text
    assert admin.get(location.replace("/vendor/MOSELLE", "/admin")).status_code == 404


def test_an_admins_key_reaches_the_operators_api(client: TestClient) -> None:
    sign_in(client, "admin", "admin@wizamart.example")
    form = _form(client, "/admin/api-keys/new", name="Ops", scopes=["tenancy.vendors.view"])
    token = _TOKEN.search(client.post("/admin/api-keys/new", data=form).text)
    assert token
    api_callers.forget()
    answer = client.get("/api/v1/admin/vendors", headers={"Authorization": f"Bearer {token[0]}"})
    assert {one["code"] for one in answer.json()["data"]} >= {"MOSELLE", "MINETT"}
    assert "Ops" in client.get("/admin/api-keys").text
