"""Users in the operator's hands: super admins, places, deactivation, invitations."""

from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.core.ids import to_public
from app.modules.tenancy.facade import find_users, list_users_with, user_names
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
from app.testing.working import vendor_scope, work


def is_super(owner: Engine, email: str) -> bool:
    return bool(value_of(owner, f"SELECT is_super_admin FROM users WHERE email = '{email}'"))


def test_the_last_super_admin_stays(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    own, support = (
        page_of(owner_engine, "users", "email", ADMIN),
        page_of(owner_engine, "users", "email", SUPPORT),
    )
    post(client, f"{own}/revoke-super-admin", page=own)
    assert is_super(owner_engine, ADMIN)
    post(client, f"{support}/grant-super-admin", page=support)
    assert is_super(owner_engine, SUPPORT)
    post(client, f"{own}/revoke-super-admin", page=own)
    assert not is_super(owner_engine, ADMIN)
    assert client.get("/admin/users").status_code == 303, "who is no admin any more went on"
    assert acts(owner_engine)[-1] == "tenancy.super_admin_revoked"


def test_nobody_deactivates_themselves(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    own = page_of(owner_engine, "users", "email", ADMIN)
    post(client, f"{own}/deactivate", page=own)
    assert client.get("/admin").status_code == 200


def test_a_deactivated_user_is_out_at_once(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "vendor", VIEWER)
    sign_in(client, "admin", ADMIN)
    page = page_of(owner_engine, "users", "email", VIEWER)
    assert post(client, f"{page}/deactivate", page=page).status_code == 303
    assert client.get("/vendor/MOSELLE").status_code == 303
    assert sign_in(client, "vendor", VIEWER).status_code == 422
    post(client, f"{page}/reactivate", page=page)
    assert sign_in(client, "vendor", VIEWER).status_code == 303


def test_the_last_owner_of_a_company_is_not_deactivated(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    page = page_of(owner_engine, "users", "email", OWNER)
    post(client, f"{page}/deactivate", page=page)
    assert value_of(owner_engine, f"SELECT is_active FROM users WHERE email = '{OWNER}'")


def test_platforms_are_given_and_taken(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    page = page_of(owner_engine, "users", "email", OWNER)
    platform = id_of(owner_engine, "platforms", "plt", "true")
    assert post(client, f"{page}/platform", {"platform_id": platform}).status_code == 303
    assert post(client, f"{page}/platform", {"platform_id": platform}).status_code == 422
    member = id_of(
        owner_engine,
        "memberships",
        "mbr",
        f"platform_id IS NOT NULL AND user_id = (SELECT id FROM users WHERE email = '{OWNER}')",
    )
    support = page_of(owner_engine, "users", "email", SUPPORT)
    assert post(client, f"{support}/places/{member}/remove", page=support).status_code == 404
    assert post(client, f"{page}/places/{member}/remove", page=page).status_code == 303
    assert sign_in(client, "admin", OWNER).status_code == 422


def test_an_admin_is_invited_to_a_platform(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    fields = {
        "email": "new@wizamart.example",
        "platform_id": id_of(owner_engine, "platforms", "plt", "true"),
        "operator_role_id": id_of(owner_engine, "operator_roles", "orl", "code = 'platform_admin'"),
        "language": "de",
    }
    assert post(client, "/admin/users/invite", fields).status_code == 303
    assert "new@wizamart.example" in client.get("/admin/users/invitations").text
    work()
    (mail,) = mails_to("new@wizamart.example", "/invitation")
    assert "eingeladen" in mail.get_content()
    data = {"token": token_in(link_in(mail)), "name": "Neu", "password": NEW_PASSWORD}
    assert post(client, "/invitation", data, page="/admin/sign-in").headers["location"] == "/admin/sign-in"
    client.cookies.clear()
    assert sign_in(client, "admin", "new@wizamart.example", NEW_PASSWORD).status_code == 303
    assert client.get("/admin/users").status_code == 403
    assert client.get("/admin/vendors/new").status_code == 200


def test_ticked_invitations_are_taken_back_together(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    with owner_engine.connect() as connection:
        keys = connection.execute(text("SELECT id FROM invitations")).scalars().all()
    page = "/admin/users/invitations"
    data = {"action": "revoke", "ids": [to_public("inv", key) for key in keys]}
    assert post(client, f"{page}/bulk", data, page=page).status_code == 303
    left = "SELECT count(*) FROM invitations WHERE revoked_at IS NULL"
    assert value_of(owner_engine, left) == 0


def test_the_list_of_users_filters_and_searches(client: TestClient) -> None:
    sign_in(client, "admin", ADMIN)
    found = client.get("/admin/users?q=support").text
    assert SUPPORT in found
    assert OWNER not in found
    only = client.get("/admin/users?super_admin=yes").text
    assert SUPPORT not in only


def test_who_is_told_about_something(owner_engine: Engine) -> None:
    scope = vendor_scope("MOSELLE")
    with unit_of_work(TenantScope(scope.vendor_id)) as session:
        told = {one.email for one in list_users_with(session, scope.vendor_id, "catalog.products.view")}
        assert told == {OWNER, VIEWER}
        told = {one.email for one in list_users_with(session, scope.vendor_id, "tenancy.team.manage")}
        assert told == {OWNER}
    with unit_of_work(SYSTEM) as session:
        (admin,) = list_users_with(session, None, "")
        assert admin.email == ADMIN
        assert user_names(session, [admin.id]) == {admin.id: admin.name}
        assert find_users(session, [admin.id]) == [admin]
