"""A vendor's team: inviting, joining, roles, leaving; and who may do that."""

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core import clock
from app.modules.tenancy.tests.steps import (
    NEW_PASSWORD,
    OWNER,
    VIEWER,
    acts,
    id_of,
    link_in,
    mails_to,
    post,
    token_in,
    value_of,
)
from app.testing.browsing import sign_in
from app.testing.working import work

TEAM = "/vendor/MOSELLE/team"
INVITE = f"{TEAM}/invite"
GUEST = "guest@moselle.example"


@pytest.fixture
def role(owner_engine: Engine) -> str:
    """The demo's role of MOSELLE."""
    return id_of(owner_engine, "roles", "rol", "vendor_id = (SELECT id FROM vendors WHERE code = 'MOSELLE')")


def invite(client: TestClient, place: str, email: str = GUEST) -> str:
    """As the owner; returns the mailed link."""
    sign_in(client, "vendor", OWNER)
    answer = post(client, INVITE, {"email": email, "role": place, "language": "en"})
    assert answer.status_code == 303, answer.text
    work()
    return link_in(mails_to(email, "/invitation")[-1])


def accept(client: TestClient, link: str, name: str = "Gast", password: str = NEW_PASSWORD) -> str:
    data = {"token": token_in(link), "name": name, "password": password}
    answer = post(client, "/invitation", data, page="/vendor/sign-in")
    return f"{answer.status_code}"


def test_somebody_new_joins_by_mail(client: TestClient, role: str, owner_engine: Engine) -> None:
    link = invite(client, role)
    client.cookies.clear()
    page = client.get(link)
    assert GUEST in page.text
    assert "Maison Moselle" in page.text
    assert accept(client, link) == "303"
    assert sign_in(client, "vendor", GUEST, NEW_PASSWORD).status_code == 303
    assert client.get("/vendor/MOSELLE").status_code == 200
    assert client.get("/vendor/GUTLAND").status_code == 404
    assert client.get(INVITE).status_code == 403
    assert client.get(link).status_code == 303, "a link worked twice"
    assert {"tenancy.user_invited", "tenancy.invitation_accepted"} <= set(acts(owner_engine))


def test_an_existing_account_is_tied_and_keeps_its_password(client: TestClient, role: str) -> None:
    link = invite(client, role, "owner@minett.example")
    client.cookies.clear()
    assert 'name="password"' not in client.get(link).text
    assert accept(client, link) == "303"
    assert sign_in(client, "vendor", "owner@minett.example", NEW_PASSWORD).status_code == 422
    sign_in(client, "vendor", "owner@minett.example")
    assert client.get("/vendor/MOSELLE").status_code == 200
    assert client.get("/vendor/MINETT").status_code == 200


def test_a_weak_password_or_no_name_joins_nobody(client: TestClient, role: str, owner_engine: Engine) -> None:
    link = invite(client, role)
    assert accept(client, link, password="short") == "422"
    assert accept(client, link, name=" ") == "422"
    assert value_of(owner_engine, f"SELECT count(*) FROM users WHERE email = '{GUEST}'") == 0
    assert accept(client, link) == "303"


def test_sending_again_replaces_the_link_and_revoking_ends_it(
    client: TestClient, role: str, owner_engine: Engine
) -> None:
    former = invite(client, role)
    invitation = id_of(owner_engine, "invitations", "inv", f"email = '{GUEST}'")
    page = f"{TEAM}/invitations/{invitation}"
    assert post(client, f"{page}/resend", page=page).status_code == 303
    work()
    fresh = link_in(mails_to(GUEST, "/invitation")[-1])
    assert client.get(former).status_code == 303
    assert client.get(fresh).status_code == 200
    assert post(client, f"{page}/revoke", page=page).status_code == 303
    assert client.get(fresh).status_code == 303
    assert accept(client, fresh) == "303"
    assert value_of(owner_engine, f"SELECT count(*) FROM users WHERE email = '{GUEST}'") == 0
    assert post(client, f"{page}/resend", page=page).status_code == 404


def test_a_link_is_good_for_seven_days(
    client: TestClient, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = invite(client, role)
    real = clock.system_now
    monkeypatch.setattr("app.core.clock.system_now", lambda: real() + timedelta(days=7, minutes=1))
    assert client.get(link).status_code == 303


def test_nobody_is_invited_twice_nor_when_they_belong_already(client: TestClient, role: str) -> None:
    invite(client, role)
    for address in (GUEST, VIEWER):
        answer = post(client, INVITE, {"email": address.upper(), "role": role, "language": "en"})
        assert answer.status_code == 422
        assert 'id="field-email-error"' in answer.text


def test_an_owner_can_make_another_owner(client: TestClient) -> None:
    link = invite(client, "owner")
    client.cookies.clear()
    accept(client, link)
    sign_in(client, "vendor", GUEST, NEW_PASSWORD)
    assert client.get("/vendor/GUTLAND").status_code == 200


def test_the_last_owner_stays(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "vendor", OWNER)
    member = id_of(
        owner_engine,
        "memberships",
        "mbr",
        f"user_id = (SELECT id FROM users WHERE email = '{OWNER}')",
    )
    answer = post(client, f"{TEAM}/{member}/remove", page=f"{TEAM}/{member}")
    assert answer.status_code == 303
    assert client.get("/vendor/MOSELLE").status_code == 200
    link = invite(client, "owner")
    accept(client, link)
    sign_in(client, "vendor", OWNER)
    post(client, f"{TEAM}/{member}/remove", page=f"{TEAM}/{member}")
    assert client.get("/vendor/MOSELLE").status_code == 404


def test_a_role_is_changed_and_a_member_removed(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "vendor", OWNER)
    made = post(
        client,
        "/vendor/MOSELLE/roles/new",
        {"name": "Helper", "of_tenancy": ["tenancy.team.view", "tenancy.team.manage"]},
    )
    role = made.headers["location"].rpartition("/")[2]
    member = id_of(
        owner_engine, "memberships", "mbr", f"user_id = (SELECT id FROM users WHERE email = '{VIEWER}')"
    )
    assert post(client, f"{TEAM}/{member}/role", {"role_id": role}).status_code == 303
    assert "Helper" in client.get(TEAM).text
    sign_in(client, "vendor", VIEWER)
    assert client.get(INVITE).status_code == 200
    assert client.get("/vendor/MOSELLE/products").status_code == 403
    sign_in(client, "vendor", OWNER)
    assert post(client, f"{TEAM}/{member}/remove", page=f"{TEAM}/{member}").status_code == 303
    assert sign_in(client, "vendor", VIEWER).status_code == 422


def grant(owner_engine: Engine, *codes: str) -> None:
    """Let the demo's viewer do more."""
    with owner_engine.begin() as connection:
        connection.execute(
            text("UPDATE roles SET permissions = permissions || :codes"), {"codes": list(codes)}
        )


def test_nobody_gives_away_more_than_they_have(client: TestClient, role: str, owner_engine: Engine) -> None:
    grant(owner_engine, "tenancy.team.manage", "tenancy.roles.manage")
    sign_in(client, "vendor", OWNER)
    strong = (
        post(client, "/vendor/MOSELLE/roles/new", {"name": "Strong", "of_catalog": ["catalog.products.edit"]})
        .headers["location"]
        .rpartition("/")[2]
    )
    sign_in(client, "vendor", VIEWER)
    allowed = value_of(owner_engine, "SELECT permissions FROM roles WHERE name = 'Strong'")
    data = {"email": GUEST, "role": strong, "language": "en"}
    expected = 403 if set(allowed) - {"core.vendor_home.view", "tenancy.vendor_profile.view"} else 303
    assert post(client, INVITE, data).status_code == expected
    assert post(client, INVITE, {**data, "role": "owner"}).status_code == 422
    member = id_of(
        owner_engine, "memberships", "mbr", f"user_id = (SELECT id FROM users WHERE email = '{OWNER}')"
    )
    assert post(client, f"{TEAM}/{member}/remove", page=f"{TEAM}/{member}").status_code == 403
    fields = {
        "name": "Mine",
        "of_tenancy": ["tenancy.team.view"],
        "of_marketplace": ["marketplace.imports.create"],
    }
    made = post(client, "/vendor/MOSELLE/roles/new", fields)
    assert made.status_code == 303
    got = value_of(owner_engine, "SELECT permissions FROM roles WHERE name = 'Mine'")
    assert "marketplace.imports.create" not in got
    assert post(client, INVITE, {**data, "role": role}).status_code == 303


def test_a_role_keeps_what_its_editor_may_not_do(client: TestClient, owner_engine: Engine, role: str) -> None:
    grant(owner_engine, "tenancy.roles.manage", "elsewhere.thing.do")
    sign_in(client, "vendor", VIEWER)
    path = f"/vendor/MOSELLE/roles/{role}/edit"
    assert post(client, path, {"name": "Viewer", "of_tenancy": ["tenancy.roles.manage"]}).status_code == 303
    kept = value_of(
        owner_engine,
        "SELECT permissions FROM roles WHERE vendor_id = (SELECT id FROM vendors WHERE code = 'MOSELLE')",
    )
    assert "elsewhere.thing.do" in kept
    assert "core.vendor_home.view" in kept
    assert "catalog.products.view" not in kept


def test_a_role_in_use_stays_and_one_without_use_goes(
    client: TestClient, role: str, owner_engine: Engine
) -> None:
    sign_in(client, "vendor", OWNER)
    used = f"/vendor/MOSELLE/roles/{role}"
    post(client, f"{used}/delete", page=used)
    assert client.get(used).status_code == 200
    made = post(client, "/vendor/MOSELLE/roles/new", {"name": "Unused"}).headers["location"]
    post(client, f"{made}/delete", page=made)
    assert client.get(made).status_code == 404
    assert acts(owner_engine)[-1] == "tenancy.role_deleted"


def test_a_name_of_a_role_is_used_once(client: TestClient) -> None:
    sign_in(client, "vendor", OWNER)
    answer = post(client, "/vendor/MOSELLE/roles/new", {"name": "viewer"})
    assert answer.status_code == 422
    assert 'id="field-name-error"' in answer.text


@pytest.mark.parametrize(
    ("who", "status"),
    [("owner@minett.example", 404), (VIEWER, 403), (OWNER, 303), (None, 401)],
)
def test_who_may_invite(
    client: TestClient, role: str, owner_engine: Engine, who: str | None, status: int
) -> None:
    if who:
        sign_in(client, "vendor", who)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/vendor/sign-in").text)
    assert token
    data = {"csrf_token": token[1], "email": GUEST, "role": role, "language": "en"}
    before = len(acts(owner_engine))
    assert client.post(INVITE, data=data).status_code == status
    is_done = status == 303
    assert (len(acts(owner_engine)) > before) == is_done
    work()
    assert bool(mails_to(GUEST, "/invitation")) == is_done
