"""Inviting people, and making companies, vendors and platforms."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core.ids import from_public, to_public
from app.testing.api_keys import make_key
from tests.api.conftest import VENDOR, Program, holder_of, super_admin

WHO = {"email": "asked@moselle.example", "language": "fr"}


def _create(program: Program, path: str, body: dict[str, Any], key: str = "1") -> Any:
    return program("POST", path, json=body, headers={"Idempotency-Key": key})


def _role(vendor: Program, *permissions: str) -> str:
    made = vendor("POST", "/vendor/roles", json={"name": "Api", "permissions": list(permissions)})
    role_id: str = made.json()["id"]
    return role_id


def _followed(program: Program, answer: Any) -> Any:
    assert answer.status_code == 201, answer.text
    found = program.get(answer.headers["location"].removeprefix("/api/v1"))
    assert found.json() == answer.json()
    return found.json()


def test_a_team_member_is_invited_mailed_again_and_taken_back(vendor: Program, owner_engine: Engine) -> None:
    body = {**WHO, "role_id": _role(vendor, "catalog.products.view")}
    assert _create(vendor, "/vendor/invitations", body, "").status_code == 400
    made = _followed(vendor, _create(vendor, "/vendor/invitations", body))
    assert (made["email"], made["leads_to"], made["state"]) == (WHO["email"], "Api", "waiting")
    again = _create(vendor, "/vendor/invitations", body)
    assert (again.json(), again.headers["idempotency-replayed"]) == (made, "true")
    twice = _create(vendor, "/vendor/invitations", body, "2")
    assert (twice.status_code, twice.json()["errors"][0]["pointer"]) == (409, "#/email")
    path = f"/vendor/invitations/{made['id']}"
    assert vendor("POST", f"{path}/resend").status_code == 200
    with owner_engine.connect() as connection:
        mails = text(
            "SELECT count(*) FROM jobs WHERE task LIKE '%send_invitation' AND args ->> 'invitation_id' = :id"
        )
        key = str(from_public("inv", made["id"]))
        assert connection.execute(mails, {"id": key}).scalar() == 2
    assert vendor("DELETE", path).status_code == 204
    assert vendor.get(path).json()["state"] == "revoked"
    assert vendor("DELETE", path).status_code == 404


def test_a_key_invites_nobody_to_more_than_it_may_do(vendor: Program, client: TestClient) -> None:
    # Its maker is an owner, who may do everything.
    limited = Program(client, make_key(holder_of(VENDOR), "tenancy.team.manage", "tenancy.team.view"))
    body = {**WHO, "role_id": _role(vendor, "catalog.products.edit")}
    refused = _create(limited, "/vendor/invitations", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "tenancy.escalation")
    waiting = limited.get("/vendor/invitations").json()["data"]
    assert WHO["email"] not in {one["email"] for one in waiting}


def test_operators_and_owners_are_invited(admin: Program, client: TestClient, owner_engine: Engine) -> None:
    roles = admin.get("/admin/roles").json()["data"]
    role = max(roles, key=lambda one: (one["allows"] < 30, one["allows"]))
    body = {**WHO, "operator_role_id": role["id"]}
    made = _followed(admin, _create(admin, "/admin/invitations", body))
    assert made["id"] in {one["id"] for one in admin.get("/admin/invitations?state=waiting").json()["data"]}
    limited = Program(client, make_key(super_admin(owner_engine), "tenancy.users.manage"))
    refused = _create(limited, "/admin/invitations", {**body, "email": "other@x.example"})
    assert (refused.status_code, refused.json()["code"]) == (403, "tenancy.escalation")
    company = admin.get("/admin/companies?limit=1").json()["data"][0]
    owner = _followed(admin, _create(admin, f"/admin/companies/{company['id']}/invitations", WHO))
    assert owner["leads_to"] == company["name"]
    assert admin("DELETE", f"/admin/invitations/{owner['id']}").status_code == 204


def test_a_company_gets_a_vendor_on_a_new_platform(admin: Program) -> None:
    platform = _followed(admin, _create(admin, "/admin/platforms", {"code": "Kayl", "name": "Kayl"}))
    company = _followed(
        admin, _create(admin, "/admin/companies", {"name": "Kayl SA", "contact_email": "a@kayl.example"})
    )
    body = {"company_id": company["id"], "platform_ids": [platform["id"]], "code": "kayl", "name": "Kayl"}
    vendor = _followed(admin, _create(admin, "/admin/vendors", body))
    assert (vendor["code"], vendor["platform_ids"]) == ("KAYL", [platform["id"]])
    taken = _create(admin, "/admin/vendors", body, "2")
    assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (409, "#/code")
    nowhere = _create(admin, "/admin/vendors", {**body, "code": "K2", "platform_ids": ["plt_x"]}, "3")
    assert (nowhere.status_code, nowhere.json()["errors"][0]["pointer"]) == (422, "#/platform_ids/0")
    nobodys = to_public("cmp", holder_of(VENDOR).user_id)
    missing = _create(admin, "/admin/vendors", {**body, "code": "K2", "company_id": nobodys}, "4")
    assert missing.status_code == 404


@pytest.mark.parametrize("area", ["vendor", "admin"])
def test_webhooks_are_each_areas_own(vendor: Program, admin: Program, area: str) -> None:
    own, other = (vendor, admin) if area == "vendor" else (admin, vendor)
    other_area = "admin" if area == "vendor" else "vendor"
    made = own("POST", f"/{area}/webhooks", json={"url": "https://x.example/h", "event_types": ["*"]})
    assert made.json()["secret"].startswith("whsec_")
    path = made.headers["location"].removeprefix("/api/v1")
    found = own.get(path)
    assert made.json()["id"] in {one["id"] for one in own.get(f"/{area}/webhooks").json()["data"]}
    theirs = other.get(f"/{other_area}/webhooks?limit=100").json()["data"]
    assert made.json()["id"] not in {one["id"] for one in theirs}
    assert other.get(path.replace(area, other_area, 1)).status_code == 404
    changed = own("PATCH", path, json={"is_enabled": False}, headers={"If-Match": found.headers["etag"]})
    assert (changed.status_code, changed.json()["is_enabled"]) == (200, False)
    assert own.get(f"{path}/deliveries").json()["data"] == []
    assert own("DELETE", path, headers={"If-Match": "*"}).status_code == 204
