"""Companies, vendors and platforms: made, changed, put on hold; by whom; and what their people see."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.core.database import PlatformScope, unit_of_work
from app.modules.tenancy.facade import list_platforms
from app.modules.tenancy.tests.steps import (
    ADMIN,
    OWNER,
    SUPPORT,
    acts,
    id_of,
    make_platform_admin,
    page_of,
    post,
    value_of,
)
from app.testing.browsing import sign_in


def platform_of(owner: Engine) -> str:
    return id_of(owner, "platforms", "plt", "code = 'demo'")


def vendor_page(owner: Engine, code: str = "MOSELLE") -> str:
    return page_of(owner, "vendors", "code", code)


def test_from_a_company_to_a_vendor_whose_owner_joins(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    made = post(
        client, "/admin/companies/new", {"name": "Kiischpelt", "contact_email": "a@kiischpelt.example"}
    )
    company = made.headers["location"].rpartition("/")[2]
    fields = {
        "company_id": company,
        "name": "Kiischpelt",
        "code": "kiischpelt",
        "language": "lb",
        "platform_ids": [platform_of(owner_engine)],
    }
    vendor = post(client, "/admin/vendors/new", fields)
    assert vendor.status_code == 303
    assert "KIISCHPELT" in client.get(vendor.headers["location"]).text
    invited = post(
        client,
        f"/admin/companies/{company}/invite",
        {"email": "owner@kiischpelt.example", "language": "lb"},
    )
    assert invited.status_code == 303
    assert "owner@kiischpelt.example" in client.get(invited.headers["location"]).text
    assert acts(owner_engine)[-3:] == [
        "tenancy.company_created",
        "tenancy.vendor_created",
        "tenancy.user_invited",
    ]


def test_what_is_wrong_is_said_at_its_field(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    company = id_of(owner_engine, "companies", "cmp", "name LIKE 'Minett%'")
    fields = {
        "company_id": company,
        "name": "X",
        "language": "fr",
        "platform_ids": [platform_of(owner_engine)],
    }
    for code in ("moselle", "not a code!"):
        answer = post(client, "/admin/vendors/new", {**fields, "code": code})
        assert answer.status_code == 422
        assert 'id="field-code-error"' in answer.text
    answer = post(client, "/admin/vendors/new", {**fields, "code": "NEW", "platform_ids": []})
    assert answer.status_code == 422


def test_a_stale_form_changes_nothing(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    page = vendor_page(owner_engine)
    fields = {
        "name": "Renamed",
        "default_language": "de",
        "dashboard_language": "fr",
        "platform_ids": [platform_of(owner_engine)],
    }
    assert post(client, f"{page}/edit", fields).status_code == 303
    assert post(client, f"{page}/edit", {**fields, "name": "Late", "version": "1"}).status_code == 409
    assert value_of(owner_engine, "SELECT name FROM vendors WHERE code = 'MOSELLE'") == "Renamed"


@pytest.mark.parametrize("what", ["vendor", "company"])
def test_people_of_a_vendor_on_hold_read_why(client: TestClient, owner_engine: Engine, what: str) -> None:
    company = id_of(owner_engine, "companies", "cmp", "name LIKE 'Maison%'")
    page = vendor_page(owner_engine) if what == "vendor" else f"/admin/companies/{company}"
    sign_in(client, "admin", ADMIN)
    sign_in(client, "vendor", OWNER)
    assert post(client, f"{page}/hold", {"reason": ""}).status_code == 422
    assert client.get("/vendor/MOSELLE").status_code == 200
    assert post(client, f"{page}/hold", {"reason": "Invoice 4711 is open."}).status_code == 303
    shown = client.get("/vendor/MOSELLE/products")
    assert shown.status_code == 403
    assert "Invoice 4711 is open." in shown.text
    assert shown.text.count("<h1") == 1
    assert (client.get("/vendor/GUTLAND").status_code == 200) == (what == "vendor")
    assert "Invoice 4711 is open." in client.get(page).text
    assert post(client, f"{page}/release", page=page).status_code == 303
    assert client.get("/vendor/MOSELLE").status_code == 200
    assert f"tenancy.{what}_suspended" in acts(owner_engine)
    assert acts(owner_engine)[-1] == f"tenancy.{what}_reactivated"


def test_a_platform_on_hold_takes_no_new_vendors(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    made = post(client, "/admin/platforms/new", {"name": "Second", "code": "Second"})
    page = made.headers["location"]
    assert post(client, f"{page}/hold", {"reason": "Not ready"}).status_code == 303
    fields = {
        "name": "M",
        "default_language": "fr",
        "dashboard_language": "fr",
        "platform_ids": [platform_of(owner_engine), page.rpartition("/")[2]],
    }
    assert post(client, f"{vendor_page(owner_engine)}/edit", fields).status_code == 409
    assert post(client, f"{page}/release", page=page).status_code == 303
    assert post(client, f"{vendor_page(owner_engine)}/edit", fields).status_code == 303
    assert "Second" in client.get("/admin/vendors").text


def test_an_admin_of_a_platform_sees_and_changes_its_vendors_only(
    client: TestClient, owner_engine: Engine
) -> None:
    sign_in(client, "admin", ADMIN)
    other = post(client, "/admin/platforms/new", {"name": "Other", "code": "other"}).headers["location"]
    fields = {"default_language": "fr", "dashboard_language": "fr", "name": "Elsewhere"}
    moved = {**fields, "platform_ids": [other.rpartition("/")[2]]}
    assert post(client, f"{vendor_page(owner_engine, 'MINETT')}/edit", moved).status_code == 303
    make_platform_admin(owner_engine, SUPPORT)
    sign_in(client, "admin", SUPPORT)
    assert "MINETT" not in client.get("/admin/vendors").text
    assert client.get(vendor_page(owner_engine, "MINETT")).status_code == 404
    assert client.get(other).status_code == 404
    own = {**fields, "name": "Changed by support", "platform_ids": [platform_of(owner_engine)]}
    assert post(client, f"{vendor_page(owner_engine)}/edit", own).status_code == 303
    for closed in ("/admin/users", "/admin/platforms/new", "/admin/companies/new"):
        assert client.get(closed).status_code == 403
    assert 'href="/admin/users"' not in client.get("/admin").text
    new = {
        "company_id": id_of(owner_engine, "companies", "cmp", "name LIKE 'Maison%'"),
        "name": "Third",
        "code": "THIRD",
        "language": "fr",
        "platform_ids": [platform_of(owner_engine)],
    }
    assert post(client, "/admin/vendors/new", new).status_code == 303
    assert "THIRD" in client.get("/admin/vendors").text


def test_platforms_by_scope(owner_engine: Engine) -> None:
    with unit_of_work(PlatformScope((), ())) as session:
        assert list_platforms(session) == []
