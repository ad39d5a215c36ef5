"""Setting a new password by mail, changing it, and what becomes of other sessions."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.core import clock
from app.modules.tenancy.tests.steps import (
    NEW_PASSWORD,
    OWNER,
    acts,
    id_of,
    link_in,
    mails_to,
    post,
    token_in,
)
from app.testing.browsing import PASSWORD, sign_in
from app.testing.working import work

RESET = "/reset-password"
SECURITY = "/vendor/MOSELLE/profile/security"


def ask_for_link(client: TestClient, address: str = OWNER) -> str:
    post(client, "/forgotten-password", {"email": address})
    work()
    return link_in(mails_to(address, RESET)[-1])


def reset(client: TestClient, link: str, password: str = NEW_PASSWORD) -> int:
    data = {"token": token_in(link), "password": password}
    return post(client, "/reset-password", data, page="/vendor/sign-in").status_code


def test_a_mailed_link_sets_a_new_password_once(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "vendor", OWNER)
    assert client.get("/vendor/MOSELLE").status_code == 200
    link = ask_for_link(client)
    assert client.get(link).status_code == 200
    assert reset(client, link) == 303
    assert client.get("/vendor/MOSELLE").status_code == 303, "an old session went on"
    assert sign_in(client, "vendor", OWNER).status_code == 422
    assert sign_in(client, "vendor", OWNER, NEW_PASSWORD).status_code == 303
    assert reset(client, link, "Another-Passphrase-99") == 303
    assert sign_in(client, "vendor", OWNER, NEW_PASSWORD).status_code == 303, "a link worked twice"
    assert "tenancy.password_reset" in acts(owner_engine)


def test_the_answer_tells_nothing_about_an_address(client: TestClient) -> None:
    known = post(client, "/forgotten-password", {"email": OWNER})
    unknown = post(client, "/forgotten-password", {"email": "nobody@moselle.example"})
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace(OWNER, "").count("<p") == unknown.text.count("<p")
    work()
    assert len(mails_to(OWNER, RESET)) == 1
    assert mails_to("nobody@moselle.example", RESET) == []


def test_a_link_is_good_for_an_hour(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    link = ask_for_link(client)
    real = clock.system_now
    monkeypatch.setattr(clock, "system_now", lambda: real() + timedelta(minutes=61))
    monkeypatch.setattr("app.core.security.system_now", lambda: real() + timedelta(minutes=61))
    assert client.get(link).status_code == 303
    assert reset(client, link) == 303
    assert sign_in(client, "vendor", OWNER).status_code == 303


def test_a_changed_link_is_refused(client: TestClient) -> None:
    link = ask_for_link(client)
    assert client.get(f"{link}x").status_code == 303
    assert client.get("/reset-password").status_code == 303


def test_a_weak_password_is_explained_and_the_link_stays_good(client: TestClient) -> None:
    link = ask_for_link(client)
    assert reset(client, link, "short") == 422
    assert reset(client, link) == 303


def test_no_more_than_three_mails_an_hour_go_to_one_address(client: TestClient) -> None:
    for _ in range(5):
        assert post(client, "/forgotten-password", {"email": OWNER}).status_code == 200
    work()
    assert len(mails_to(OWNER, RESET)) == 3


def test_changing_the_password_ends_other_sessions_only(app: FastAPI, client: TestClient) -> None:
    with TestClient(app, base_url="http://testserver", follow_redirects=False) as other:
        sign_in(other, "vendor", OWNER)
        sign_in(client, "vendor", OWNER)
        path = "/vendor/MOSELLE/profile/password"
        wrong = {"current_password": "wrong", "new_password": NEW_PASSWORD}
        assert post(client, path, wrong, page=SECURITY).status_code == 422
        assert other.get("/vendor/MOSELLE").status_code == 200
        right = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert post(client, path, right, page=SECURITY).status_code == 303
        assert client.get("/vendor/MOSELLE").status_code == 200
        assert other.get("/vendor/MOSELLE").status_code == 303


def test_sessions_are_listed_and_ended(app: FastAPI, client: TestClient) -> None:
    with TestClient(app, base_url="http://testserver", follow_redirects=False) as other:
        sign_in(other, "vendor", OWNER)
        sign_in(client, "vendor", OWNER)
        page = client.get(SECURITY)
        assert page.text.count('name="session_id"') == 1
        listed = page.text.split('name="session_id" value="')[1].split('"')[0]
        end = "/vendor/MOSELLE/profile/sessions/end"
        assert post(client, end, {"session_id": listed}, page=SECURITY).status_code == 303
        assert other.get("/vendor/MOSELLE").status_code == 303
        assert post(client, end, {"session_id": listed}, page=SECURITY).status_code == 404


def test_sessions_of_others_cannot_be_ended(app: FastAPI, client: TestClient, owner_engine: Engine) -> None:
    with TestClient(app, base_url="http://testserver", follow_redirects=False) as other:
        sign_in(other, "vendor", "owner@minett.example")
        theirs = id_of(owner_engine, "user_sessions", "ses", "true")
        sign_in(client, "vendor", OWNER)
        end = "/vendor/MOSELLE/profile/sessions/end"
        assert post(client, end, {"session_id": theirs}, page=SECURITY).status_code == 404
        assert other.get("/vendor/MINETT").status_code == 200


def test_the_profile_is_kept_and_seen(client: TestClient) -> None:
    sign_in(client, "vendor", OWNER)
    page = "/vendor/MOSELLE/profile"
    data = {"name": "Marie W.", "language": "de", "theme": "dark", "time_zone": "Europe/Lisbon"}
    assert post(client, page, data).status_code == 303
    shown = client.get(page).text
    assert '<html lang="de" data-theme="dark"' in shown
    assert "Marie W." in shown
    assert 'value="Europe/Lisbon" selected' in shown
    assert post(client, page, {**data, "time_zone": "Moon/Crater"}).status_code == 422


def test_two_editors_of_a_profile_do_not_overwrite_each_other(client: TestClient) -> None:
    sign_in(client, "vendor", OWNER)
    page = "/vendor/MOSELLE/profile"
    assert post(client, page, {"name": "One"}).status_code == 303
    assert post(client, page, {"name": "Two", "version": "1"}).status_code == 409
