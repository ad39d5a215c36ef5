"""Acting as a vendor's user: the link, the limits, the record of it."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core import clock
from app.modules.tenancy.tests.steps import ADMIN, OWNER, SUPPORT, acts, page_of, post, value_of
from app.testing.browsing import sign_in


@pytest.fixture
def page(owner_engine: Engine) -> str:
    return page_of(owner_engine, "vendors", "code", "MOSELLE")


def link(client: TestClient, page: str) -> str:
    """As a signed-in admin; the address that opens the vendor's area."""
    return post(client, f"{page}/act-as", page=page).headers["location"]


def test_an_admin_acts_as_the_owner_and_stops(client: TestClient, page: str, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    assert client.get(link(client, page)).headers["location"] == "/vendor/MOSELLE"
    shown = client.get("/vendor/MOSELLE")
    assert "Ada Operator" in shown.text
    assert post(client, "/vendor/MOSELLE/roles/new", {"name": "Made by an admin"}).status_code == 303
    stopped = post(client, "/vendor/sign-out", page="/vendor/MOSELLE")
    assert stopped.headers["location"] == page
    assert client.get("/vendor/MOSELLE").status_code == 303
    with owner_engine.connect() as connection:
        row = connection.execute(
            text(
                "SELECT a.email AS actor, b.email AS behalf FROM audit_log l JOIN users a ON a.id = l.actor_id "
                "JOIN users b ON b.id = l.on_behalf_of WHERE l.action = 'tenancy.role_created'"
            )
        ).one()
    assert tuple(row) == (ADMIN, OWNER)
    assert "tenancy.impersonation_started" in acts(owner_engine)
    assert acts(owner_engine)[-1] == "tenancy.impersonation_ended"
    assert "Ada Operator (Marie Weber)" in client.get("/admin/audit").text


def test_the_link_works_once_and_for_a_minute(
    client: TestClient, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, "admin", ADMIN)
    used, late = link(client, page), link(client, page)
    assert client.get(used).headers["location"] == "/vendor/MOSELLE"
    assert client.get(used).headers["location"] == "/vendor/sign-in"
    real = clock.system_now
    monkeypatch.setattr("app.core.clock.system_now", lambda: real() + timedelta(seconds=61))
    assert client.get(late).headers["location"] == "/vendor/sign-in"


def test_it_ends_after_an_hour_of_use(client: TestClient, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(client, "admin", ADMIN)
    client.get(link(client, page))
    real = clock.system_now
    for minutes, status in ((50, 200), (61, 303)):
        monkeypatch.setattr("app.core.clock.system_now", lambda m=minutes: real() + timedelta(minutes=m))
        assert client.get("/vendor/MOSELLE").status_code == status


def test_it_stays_in_the_one_vendor_and_out_of_the_profile(client: TestClient, page: str) -> None:
    sign_in(client, "admin", ADMIN)
    client.get(link(client, page))
    assert client.get("/vendor/GUTLAND").status_code == 404
    assert client.get("/vendor").headers["location"] == "/vendor/MOSELLE"
    for own in ("profile", "profile/security", "profile/two-step"):
        assert client.get(f"/vendor/MOSELLE/{own}").status_code == 403


def test_the_link_itself_is_no_session(client: TestClient, page: str) -> None:
    sign_in(client, "admin", ADMIN)
    token = link(client, page).partition("token=")[2]
    client.cookies.set("wm_vendor", token, path="/vendor")
    assert client.get("/vendor/MOSELLE").status_code == 303


def test_a_vendor_on_hold_can_still_be_looked_at(client: TestClient, page: str) -> None:
    sign_in(client, "admin", ADMIN)
    post(client, f"{page}/hold", {"reason": "Looking into it"})
    client.get(link(client, page))
    assert client.get("/vendor/MOSELLE").status_code == 200


def test_a_vendor_without_people_cannot_be_acted_as(
    client: TestClient, page: str, owner_engine: Engine
) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text("DELETE FROM memberships WHERE platform_id IS NULL"))
    sign_in(client, "admin", ADMIN)
    assert link(client, page) == page


@pytest.mark.parametrize(("who", "status"), [(SUPPORT, 303), (None, 401)])
def test_who_may(client: TestClient, page: str, owner_engine: Engine, who: str | None, status: int) -> None:
    if who:
        sign_in(client, "admin", who)
    answer = post(client, f"{page}/act-as", page="/admin/sign-in")
    assert answer.status_code == status
    sessions = value_of(owner_engine, "SELECT count(*) FROM user_sessions WHERE acting_admin_id IS NOT NULL")
    assert sessions == (1 if who else 0)
