"""The second step: switched on, asked for, guessed at, lost."""

import re
from datetime import datetime, timedelta

import pyotp
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.core import clock
from app.modules.tenancy.tests.steps import ADMIN, acts, id_of, post, value_of
from app.testing.browsing import PASSWORD, sign_in


class Phone:
    """An authenticator app with a clock that can be moved; it moves the platform's clock along."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.secret = ""
        self.ahead = timedelta()
        real = clock.system_now
        for place in ("app.core.clock.system_now", "app.core.security.system_now"):
            monkeypatch.setattr(place, lambda: real() + self.ahead)

    def now(self) -> datetime:
        return clock.system_now()

    def code(self) -> str:
        """A code that was not used yet."""
        self.ahead += timedelta(seconds=60)
        return pyotp.TOTP(self.secret).at(self.now())


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Phone:
    """The admin's phone."""
    return Phone(monkeypatch)


def switch_on(client: TestClient, phone: Phone) -> list[str]:
    """As the signed-in admin; returns the recovery codes."""
    page = client.get("/admin/profile/two-step")
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
    assert found
    phone.secret = found[1].replace(" ", "")
    answer = post(client, "/admin/profile/two-step", {"code": phone.code()})
    return re.findall(r"[0-9a-z]{4}(?:-[0-9a-z]{4}){3}", answer.text)


def sign_in_first(client: TestClient) -> None:
    client.cookies.clear()
    answer = sign_in(client, "admin", ADMIN)
    assert answer.headers["location"].startswith("/admin/sign-in/code")
    assert client.get("/admin").status_code == 303, "the password alone opened the area"


def send_code(client: TestClient, code: str) -> int:
    return post(client, "/admin/sign-in/code", {"code": code}).status_code


def test_a_code_is_asked_for_and_works_once(client: TestClient, phone: Phone, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    assert len(switch_on(client, phone)) == 10
    sign_in_first(client)
    assert send_code(client, "000000") == 422
    code = phone.code()
    assert send_code(client, code) == 303
    assert client.get("/admin").status_code == 200
    sign_in_first(client)
    assert send_code(client, code) == 422, "a code worked twice"
    assert "tenancy.two_step_enabled" in acts(owner_engine)


def test_a_wrong_first_code_switches_nothing_on(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    assert post(client, "/admin/profile/two-step", {"code": "123"}).status_code == 422
    assert value_of(owner_engine, f"SELECT totp_confirmed_at FROM users WHERE email = '{ADMIN}'") is None
    client.cookies.clear()
    assert sign_in(client, "admin", ADMIN).headers["location"] == "/admin"


def test_the_secret_is_sealed_and_codes_are_hashed(
    client: TestClient, phone: Phone, owner_engine: Engine
) -> None:
    sign_in(client, "admin", ADMIN)
    codes = switch_on(client, phone)
    stored = value_of(owner_engine, f"SELECT totp_secret FROM users WHERE email = '{ADMIN}'")
    assert phone.secret not in stored
    hashed = str(value_of(owner_engine, "SELECT string_agg(code_hash::text, ' ') FROM recovery_codes"))
    assert codes[0].replace("-", "").encode().hex() not in hashed


def test_a_recovery_code_works_once(client: TestClient, phone: Phone) -> None:
    sign_in(client, "admin", ADMIN)
    codes = switch_on(client, phone)
    sign_in_first(client)
    assert send_code(client, codes[3].upper().replace("-", " ")) == 303
    assert "9" in client.get("/admin/profile/security").text
    sign_in_first(client)
    assert send_code(client, codes[3]) == 422


def test_guessing_codes_locks_the_address_for_passwords_too(client: TestClient, phone: Phone) -> None:
    sign_in(client, "admin", ADMIN)
    switch_on(client, phone)
    sign_in_first(client)
    for _ in range(5):
        assert send_code(client, "000000") == 422
    assert send_code(client, pyotp.TOTP(phone.secret).at(phone.now())) == 422
    client.cookies.clear()
    assert sign_in(client, "admin", ADMIN).status_code == 422


def test_a_right_password_does_not_forget_wrong_codes(client: TestClient, phone: Phone) -> None:
    sign_in(client, "admin", ADMIN)
    switch_on(client, phone)
    for _ in range(5):
        sign_in_first(client)
        assert send_code(client, "000000") == 422
    client.cookies.clear()
    assert sign_in(client, "admin", ADMIN).status_code == 422


def test_the_challenge_is_good_for_five_minutes(client: TestClient, phone: Phone) -> None:
    sign_in(client, "admin", ADMIN)
    switch_on(client, phone)
    sign_in_first(client)
    phone.ahead += timedelta(minutes=6)
    answer = post(client, "/admin/sign-in/code", {"code": phone.code()})
    assert answer.headers["location"] == "/admin/sign-in"
    assert client.get("/admin").status_code == 303


def test_it_is_switched_off_with_the_password_only(client: TestClient, phone: Phone) -> None:
    sign_in(client, "admin", ADMIN)
    switch_on(client, phone)
    page = "/admin/profile/security"
    off = "/admin/profile/two-step/off"
    assert post(client, off, {"off_password": "wrong"}, page=page).status_code == 422
    assert post(client, off, {"off_password": PASSWORD}, page=page).status_code == 303
    client.cookies.clear()
    assert sign_in(client, "admin", ADMIN).headers["location"] == "/admin"


def test_new_recovery_codes_replace_the_former(client: TestClient, phone: Phone) -> None:
    sign_in(client, "admin", ADMIN)
    former = switch_on(client, phone)
    renewed = post(
        client,
        "/admin/profile/two-step/codes",
        {"codes_password": PASSWORD},
        page="/admin/profile/security",
    )
    fresh = re.findall(r"[0-9a-z]{4}(?:-[0-9a-z]{4}){3}", renewed.text)
    assert len(fresh) == 10
    sign_in_first(client)
    assert send_code(client, former[0]) == 422
    assert send_code(client, fresh[0]) == 303


def test_a_super_admin_helps_who_lost_everything(
    client: TestClient, phone: Phone, owner_engine: Engine
) -> None:
    sign_in(client, "vendor", "owner@minett.example")
    page = client.get("/vendor/MINETT/profile/two-step")
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
    assert found
    phone.secret = found[1].replace(" ", "")
    assert post(client, "/vendor/MINETT/profile/two-step", {"code": phone.code()}).status_code == 200
    sign_in(client, "admin", ADMIN)
    user = id_of(owner_engine, "users", "usr", "email = 'owner@minett.example'")
    assert post(client, f"/admin/users/{user}/reset-two-step", page=f"/admin/users/{user}").status_code == 303
    client.cookies.clear()
    assert sign_in(client, "vendor", "owner@minett.example").headers["location"] == "/vendor"
