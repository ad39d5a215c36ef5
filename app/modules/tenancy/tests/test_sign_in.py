"""Signing in through the real pages."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.testing.browsing import PASSWORD, sign_in, token_of


@pytest.mark.parametrize(
    ("area", "email", "lands"),
    [
        ("admin", "admin@wizamart.example", "/admin"),
        ("vendor", "owner@minett.example", "/vendor"),
    ],
)
def test_right_password_opens_the_area(client: TestClient, area: str, email: str, lands: str) -> None:
    response = sign_in(client, area, email)
    assert response.status_code == 303
    assert response.headers["location"] == lands
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert f"Path=/{area}" in cookie


def test_owner_of_one_vendor_lands_in_it_and_of_two_chooses(client: TestClient) -> None:
    sign_in(client, "vendor", "owner@minett.example")
    assert client.get("/vendor").headers["location"] == "/vendor/MINETT"
    client.cookies.clear()
    sign_in(client, "vendor", "owner@moselle.example")
    page = client.get("/vendor")
    assert "/vendor/MOSELLE" in page.text
    assert "/vendor/GUTLAND" in page.text
    assert "/vendor/MINETT" not in page.text


def test_wrong_password_says_so_and_keeps_the_address(client: TestClient) -> None:
    response = sign_in(client, "vendor", "owner@minett.example", "not the password")
    assert response.status_code == 422
    assert "owner@minett.example" in response.text
    assert client.get("/vendor/MINETT").status_code == 303


def test_five_failures_lock_the_address_even_for_the_right_password(client: TestClient) -> None:
    for _ in range(5):
        sign_in(client, "vendor", "owner@minett.example", "wrong")
    response = sign_in(client, "vendor", "owner@minett.example")
    assert response.status_code == 422
    assert re.search(r"1.min", response.text)


def test_unknown_address_is_locked_just_the_same(client: TestClient) -> None:
    answers = [sign_in(client, "admin", "nobody@wizamart.example", "wrong").text for _ in range(6)]
    assert re.search(r"1.min", answers[-1])


def test_a_vendor_user_has_no_access_to_the_admin_area(client: TestClient) -> None:
    assert sign_in(client, "admin", "owner@minett.example").status_code == 422
    assert client.get("/admin").status_code == 303


def test_sign_out_ends_the_session_on_the_server(client: TestClient) -> None:
    sign_in(client, "vendor", "owner@minett.example")
    cookie = client.cookies.get("wm_vendor")
    page = client.get("/vendor/MINETT")
    client.post("/vendor/sign-out", data={"csrf_token": token_of(page)})
    client.cookies.set("wm_vendor", cookie or "", path="/vendor")
    assert client.get("/vendor/MINETT").headers["location"].startswith("/vendor/sign-in")


def test_a_form_without_its_token_is_refused(client: TestClient) -> None:
    client.get("/vendor/sign-in")
    data = {"email": "owner@minett.example", "password": PASSWORD}
    assert client.post("/vendor/sign-in", data=data).status_code == 403


def test_next_leads_back_but_never_off_the_site(client: TestClient) -> None:
    assert sign_in(client, "vendor", "owner@minett.example", next_url="/vendor/MINETT").headers[
        "location"
    ] == ("/vendor/MINETT")
    for evil in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        assert (
            sign_in(client, "vendor", "owner@minett.example", next_url=evil).headers["location"] == "/vendor"
        )


def test_sign_ins_are_audited_without_the_password(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "vendor", "owner@minett.example", "a secret guess")
    sign_in(client, "vendor", "owner@minett.example")
    with owner_engine.connect() as connection:
        rows = connection.execute(text("SELECT action, details::text FROM audit_log ORDER BY id")).all()
    actions = [row.action for row in rows]
    assert actions[-2:] == ["tenancy.sign_in_failed", "tenancy.signed_in"]
    assert not any("secret guess" in row.details for row in rows)
