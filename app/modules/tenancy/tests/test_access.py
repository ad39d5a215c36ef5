"""Who may do what: each important door by everybody; on refusal nothing changes."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.modules.tenancy.tests.steps import ADMIN, OWNER, SUPPORT, VIEWER, acts, id_of, page_of
from app.testing.browsing import sign_in, token_of

PEOPLE = (None, OWNER, SUPPORT, ADMIN)
# Door, fields, and the answers to: nobody, a vendor's owner, support (reads and acts as), a super admin.
ADMIN_DOORS = (
    ("{vendor}/hold", {"reason": "R"}, (401, 401, 403, 303)),
    ("{vendor}/domain", {"host": "x.example.com"}, (401, 401, 403, 303)),
    ("{vendor}/act-as", {}, (401, 401, 303, 303)),
    ("{domain}/remove", {}, (401, 401, 403, 303)),
    ("/admin/roles/new", {"name": "N"}, (401, 401, 403, 303)),
    ("{user}/roles", {"role_ids": "{developer}"}, (401, 401, 403, 303)),
    ("{user}/sign-out-everywhere", {}, (401, 401, 403, 303)),
    ("/admin/companies/new", {"name": "N", "contact_email": "n@example.com"}, (401, 401, 403, 303)),
    ("/admin/platforms/new", {"name": "N", "code": "nn"}, (401, 401, 403, 303)),
    ("{user}/grant-super-admin", {}, (401, 401, 403, 303)),
    ("{user}/deactivate", {}, (401, 401, 403, 303)),
    ("{user}/reset-two-step", {}, (401, 401, 403, 303)),
    ("/admin/invitations/{invitation}/revoke", {}, (401, 401, 403, 303)),
)
VENDOR_DOORS = (
    ("roles/new", {"name": "N"}),
    ("roles/{role}/delete", {}),
    ("domains/new", {"host": "x.example.com"}),
    ("domains/{own_domain}/check", {}),
    ("domains/{own_domain}/remove", {}),
    ("team/{member}/remove", {}),
    ("team/invitations/{invitation}/resend", {}),
    ("team/invitations/{invitation}/revoke", {}),
)


def places(owner: Engine) -> dict[str, str]:
    of_vendor = "vendor_id = (SELECT id FROM vendors WHERE code = 'MOSELLE')"
    return {
        "vendor": page_of(owner, "vendors", "code", "MOSELLE"),
        "domain": page_of(owner, "domains", "host", "shop.moselle.example"),
        "own_domain": id_of(owner, "domains", "dom", of_vendor),
        "user": page_of(owner, "users", "email", VIEWER),
        "invitation": id_of(owner, "invitations", "inv", of_vendor),
        "role": id_of(owner, "roles", "rol", of_vendor),
        "developer": id_of(owner, "operator_roles", "orl", "code = 'developer'"),
        "member": id_of(owner, "memberships", "mbr", of_vendor),
    }


def send(client: TestClient, path: str, fields: dict[str, str]) -> int:
    token = token_of(client.get("/vendor/sign-in"))
    return client.post(path, data={"csrf_token": token, **fields}).status_code


@pytest.mark.parametrize("number", range(len(PEOPLE)), ids=["nobody", "owner", "support", "super admin"])
def test_doors_of_the_operator(client: TestClient, owner_engine: Engine, number: int) -> None:
    person, found = PEOPLE[number], places(owner_engine)
    if person is not None:
        sign_in(client, "vendor" if person == OWNER else "admin", person)
    for path, fields, answers in ADMIN_DOORS:
        before = acts(owner_engine)
        data = {name: value.format(**found) for name, value in fields.items()}
        assert send(client, path.format(**found), data) == answers[number], path
        is_done = answers[number] == 303
        assert (acts(owner_engine) != before) == is_done, path


@pytest.mark.parametrize(
    ("person", "code", "answer"),
    [
        (None, "MOSELLE", 401),
        ("owner@minett.example", "MOSELLE", 404),
        ("owner@minett.example", "MINETT", 404),  # their own shop, another's ids
        (VIEWER, "MOSELLE", 403),
    ],
)
def test_doors_of_a_vendor_stay_shut(
    client: TestClient, owner_engine: Engine, person: str | None, code: str, answer: int
) -> None:
    found = places(owner_engine)
    if person is not None:
        sign_in(client, "vendor", person)
    before = acts(owner_engine)
    for path, fields in VENDOR_DOORS:
        if "{" in path or code == "MOSELLE":
            assert send(client, f"/vendor/{code}/{path.format(**found)}", dict(fields)) == answer, path
    assert acts(owner_engine) == before


def test_doors_of_a_vendor_open_for_its_owner(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "vendor", OWNER)
    found = places(owner_engine)
    for path, fields in VENDOR_DOORS:
        assert send(client, f"/vendor/MOSELLE/{path.format(**found)}", dict(fields)) == 303, path
