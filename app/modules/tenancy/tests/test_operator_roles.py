"""Roles of the operator's people: what they allow, who may give them, and that changes act at once."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core.database import IdentityScope, unit_of_work
from app.modules.tenancy.services import operator_role_service, user_service
from app.modules.tenancy.tests.steps import (
    ADMIN,
    NEW_PASSWORD,
    OWNER,
    SUPPORT,
    VIEWER,
    acts,
    id_of,
    link_in,
    mails_to,
    page_of,
    post,
    token_in,
    value_of,
)
from app.testing.browsing import sign_in
from app.testing.working import work

ROLES = "/admin/roles"


def role_of(owner: Engine, code: str) -> str:
    return id_of(owner, "operator_roles", "orl", f"code = '{code}'")


def make_role(client: TestClient, name: str, *codes: str) -> str:
    """A new role with permissions of tenancy, as who is signed in; its public id."""
    made = post(client, f"{ROLES}/new", {"name": name, "of_tenancy": list(codes)})
    assert made.status_code == 303, made.text
    return str(made.headers["location"].rpartition("/")[2])


def give(client: TestClient, owner: Engine, email: str, *roles: str) -> int:
    path = page_of(owner, "users", "email", email) + "/roles"
    return post(client, path, {"role_ids": list(roles)}).status_code


def put_everywhere(owner: Engine, email: str) -> None:
    """Somebody's roles count on all platforms."""
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE users SET is_on_all_platforms = true WHERE email = :email"), {"email": email}
        )


def test_support_reads_and_acts_as_but_changes_nothing(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", SUPPORT)
    vendor = page_of(owner_engine, "vendors", "code", "MOSELLE")
    for page in ("/admin", "/admin/companies", "/admin/vendors", "/admin/audit", vendor):
        assert client.get(page).status_code == 200, page
    for page in ("/admin/users", ROLES, f"{vendor}/edit", "/admin/vendors/new", "/admin/companies/new"):
        assert client.get(page).status_code == 403, page
    assert f"{vendor}/hold" not in client.get(vendor).text
    opened = post(client, f"{vendor}/act-as", page=vendor)
    assert opened.headers["location"].startswith("/vendor/act-as?token=")


def test_the_developer_reads_how_it_runs(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    assert give(client, owner_engine, SUPPORT, role_of(owner_engine, "developer")) == 303
    sign_in(client, "admin", SUPPORT)
    assert client.get("/admin/tasks").status_code == 200
    assert client.get("/admin/modules").status_code == 200
    assert client.get("/admin/vendors").status_code == 403
    assert client.get("/admin/health").status_code == 403, "it concerns more than their platform"
    put_everywhere(owner_engine, SUPPORT)
    assert client.get("/admin/health").status_code == 200


def test_roles_add_up_and_a_change_acts_at_the_next_request(client: TestClient, owner_engine: Engine) -> None:
    with TestClient(client.app, base_url="http://testserver", follow_redirects=False) as other:
        sign_in(client, "admin", ADMIN)
        sign_in(other, "admin", SUPPORT)
        assert other.get("/admin/vendors/new").status_code == 403
        role = make_role(client, "Onboarding", "tenancy.vendors.manage")
        assert give(client, owner_engine, SUPPORT, role, role_of(owner_engine, "support")) == 303
        assert other.get("/admin/vendors/new").status_code == 200
        assert other.get("/admin/companies").status_code == 200
        edit = f"{ROLES}/{role}/edit"
        fields = {"name": "Onboarding", "of_tenancy": ["tenancy.companies.view"]}
        assert post(client, edit, fields).status_code == 303
        assert other.get("/admin/vendors/new").status_code == 403
        assert give(client, owner_engine, SUPPORT) == 303
        assert other.get("/admin/companies").status_code == 403
        assert other.get("/admin").status_code == 200, "everybody has their home"
    assert {
        "tenancy.operator_role_created",
        "tenancy.operator_roles_changed",
        "tenancy.operator_role_updated",
    } <= set(acts(owner_engine))


def test_the_pages_of_roles(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    shown = client.get(ROLES).text
    assert all(name in shown for name in ("Super admin", "Platform admin", "Support", "Developer"))
    support = f"{ROLES}/{role_of(owner_engine, 'support')}"
    page = client.get(support).text
    assert "Sam Support" in page
    assert f"{support}/edit" not in page
    assert "Ada Operator" in client.get(f"{ROLES}/{role_of(owner_engine, 'super_admin')}").text
    user = client.get(page_of(owner_engine, "users", "email", SUPPORT)).text
    assert support in user
    assert "Signed in" in user


@pytest.mark.parametrize("code", operator_role_service.BUILT_IN)
def test_built_in_roles_stay(client: TestClient, owner_engine: Engine, code: str) -> None:
    sign_in(client, "admin", ADMIN)
    place = f"{ROLES}/{role_of(owner_engine, code)}"
    fields = {"name": "Other", "of_tenancy": ["tenancy.users.manage"]}
    assert post(client, f"{place}/edit", fields).status_code == 409
    post(client, f"{place}/delete", page=place)
    assert client.get(place).status_code == 200
    assert value_of(owner_engine, f"SELECT permissions FROM operator_roles WHERE code = '{code}'") == []


def test_a_role_in_use_stays_and_one_without_use_goes(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    role = make_role(client, "Reader", "tenancy.vendors.view")
    place = f"{ROLES}/{role}"
    taken = post(client, f"{ROLES}/new", {"name": "reader"})
    assert taken.status_code == 422
    assert 'id="field-name-error"' in taken.text
    give(client, owner_engine, SUPPORT, role)
    post(client, f"{place}/delete", page=place)
    assert client.get(place).status_code == 200
    give(client, owner_engine, SUPPORT)
    post(client, f"{place}/delete", page=place)
    assert client.get(place).status_code == 404
    assert acts(owner_engine)[-1] == "tenancy.operator_role_deleted"


def manager(client: TestClient, owner: Engine) -> None:
    """Support manages users and roles everywhere, and is signed in."""
    sign_in(client, "admin", ADMIN)
    codes = ("users.view", "users.manage", "operator_roles.view", "operator_roles.manage", "vendors.view")
    role = make_role(client, "Personnel", *(f"tenancy.{code}" for code in codes))
    assert give(client, owner, SUPPORT, role) == 303
    put_everywhere(owner, SUPPORT)
    sign_in(client, "admin", SUPPORT)


def test_nobody_gives_more_rights_than_they_have(client: TestClient, owner_engine: Engine) -> None:
    manager(client, owner_engine)
    role = make_role(client, "Mine", "tenancy.vendors.view", "tenancy.vendors.manage")
    assert value_of(owner_engine, "SELECT permissions FROM operator_roles WHERE name = 'Mine'") == [
        "tenancy.vendors.view"
    ]
    assert give(client, owner_engine, VIEWER, role) == 303
    for code in ("platform_admin", "super_admin"):
        give(client, owner_engine, VIEWER, role_of(owner_engine, code))
        given = f"(SELECT id FROM operator_roles WHERE code = '{code}')"
        found = value_of(owner_engine, f"SELECT count(*) FROM operator_role_grants WHERE role_id = {given}")
        assert found == 0, code
    everybody = (role_of(owner_engine, "platform_admin"), "all")
    fields = dict(zip(("operator_role_id", "platform_id"), everybody, strict=True))
    invited = post(client, "/admin/users/invite", {"email": "x@example.com", "language": "en", **fields})
    assert invited.status_code == 422
    page = page_of(owner_engine, "users", "email", VIEWER)
    assert post(client, f"{page}/grant-super-admin", page=page).status_code == 403
    assert not value_of(owner_engine, f"SELECT is_super_admin FROM users WHERE email = '{VIEWER}'")


def test_nobody_touches_who_may_do_more(client: TestClient, owner_engine: Engine) -> None:
    manager(client, owner_engine)
    page = page_of(owner_engine, "users", "email", ADMIN)
    before = acts(owner_engine)
    for act in ("deactivate", "revoke-super-admin", "reset-two-step", "sign-out-everywhere"):
        assert post(client, f"{page}/{act}", page=page).status_code == 403, act
    platform = id_of(owner_engine, "platforms", "plt", "true")
    assert post(client, f"{page}/platform", {"platform_id": platform}).status_code == 403
    assert give(client, owner_engine, ADMIN) == 403
    assert acts(owner_engine) == before
    owner = page_of(owner_engine, "users", "email", VIEWER)
    assert post(client, f"{owner}/deactivate", page=owner).status_code == 303


def test_a_role_keeps_what_its_editor_may_not_do(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    strong = make_role(client, "Strong", "tenancy.vendors.manage", "tenancy.vendors.view")
    manager(client, owner_engine)
    edit = post(client, f"{ROLES}/{strong}/edit", {"name": "Weak"})
    assert edit.status_code == 303
    kept = value_of(owner_engine, "SELECT permissions FROM operator_roles WHERE name = 'Weak'")
    assert kept == ["tenancy.vendors.manage"]


def test_an_operator_is_invited_to_all_platforms(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    email = "dev@wizamart.example"
    fields = {"email": email, "platform_id": "all", "language": "fr"}
    fields["operator_role_id"] = role_of(owner_engine, "developer")
    assert post(client, "/admin/users/invite", fields).status_code == 303
    assert post(client, "/admin/users/invite", fields).status_code == 422, "invited twice"
    work()
    (mail,) = mails_to(email, "/invitation")
    assert "Toutes les plateformes" in mail.get_content()
    client.cookies.clear()
    assert "Développeur" in client.get(link_in(mail)).text
    data = {"token": token_in(link_in(mail)), "name": "Dev", "password": NEW_PASSWORD}
    assert post(client, "/invitation", data, page="/admin/sign-in").status_code == 303
    sign_in(client, "admin", email, NEW_PASSWORD)
    assert client.get("/admin/health").status_code == 200
    assert client.get("/admin/users").status_code == 403
    sign_in(client, "admin", ADMIN)
    assert post(client, "/admin/users/invite", fields).status_code == 422, "belongs already"
    page = page_of(owner_engine, "users", "email", email)
    assert post(client, f"{page}/leave-all-platforms", page=page).status_code == 303
    assert sign_in(client, "admin", email, NEW_PASSWORD).status_code == 422


def test_signing_somebody_out_everywhere(client: TestClient, owner_engine: Engine) -> None:
    with TestClient(client.app, base_url="http://testserver", follow_redirects=False) as other:
        sign_in(other, "vendor", OWNER)
        sign_in(client, "admin", ADMIN)
        page = page_of(owner_engine, "users", "email", OWNER)
        assert post(client, f"{page}/sign-out-everywhere", page=page).status_code == 303
        assert other.get("/vendor/MOSELLE").status_code == 303
    assert acts(owner_engine)[-1] == "tenancy.sessions_ended"


def test_the_last_super_admin_stays_on_the_command_line_too(owner_engine: Engine) -> None:
    with unit_of_work(IdentityScope()) as session:
        admin = user_service.find_user(session, ADMIN)
        assert admin is not None
        with pytest.raises(user_service.LastSuperAdminError):
            user_service.deactivate(session, admin.id, None)
