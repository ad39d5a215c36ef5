"""Reading less: only some fields, and nothing that the caller has already."""

import pytest

from tests.api.conftest import Program


def test_only_the_fields_asked_for_are_told(vendor: Program, admin: Program, catalogue: None) -> None:
    page = vendor.get("/vendor/products?limit=2&fields=sku,price").json()
    assert [set(row) for row in page["data"]] == [{"sku", "price"}] * 2
    assert page["has_more"]
    assert page["next_cursor"]
    whole = vendor.get("/vendor/products?limit=1").json()["data"][0]
    one = vendor.get(f"/vendor/products/{whole['id']}?fields=title,texts").json()
    assert set(one) == {"title", "texts"}
    assert one["title"] == whole["title"]
    assert set(vendor.get("/vendor/me?fields=name").json()) == {"name"}
    members = vendor.get("/vendor/members?fields=email").json()["data"]
    assert {tuple(row) for row in members} == {("email",)}
    modules = admin.get("/admin/modules?fields=code").json()
    assert set(modules["data"][0]) == {"code"}


@pytest.mark.parametrize("path", ["/vendor/products", "/vendor/me", "/vendor/roles"])
def test_a_field_that_there_is_not_is_refused(vendor: Program, path: str) -> None:
    answer = vendor.get(f"{path}?fields=name,colour,id")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("?fields", "unknown")
    assert "colour" in error["detail"]


def test_what_the_caller_has_is_not_sent_again(vendor: Program, catalogue: None) -> None:
    product = vendor.get("/vendor/products?limit=1").json()["data"][0]
    path = f"/vendor/products/{product['id']}"
    for address in (path, "/vendor/products?limit=5", "/vendor/roles", f"{path}?fields=price"):
        first = vendor.get(address)
        assert first.headers["cache-control"] == "private, no-cache"
        tag = first.headers["etag"]
        for known in (tag, f'"other", W/{tag}', "*"):
            again = vendor.get(address, headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), address
        assert vendor.get(address, headers={"If-None-Match": '"other"'}).content == first.content


@pytest.mark.demo_due
def test_what_changed_is_sent_again(vendor: Program, catalogue: None) -> None:
    product = vendor.get("/vendor/products?limit=1").json()["data"][0]
    path = f"/vendor/products/{product['id']}"
    tags = {address: vendor.get(address).headers["etag"] for address in (path, "/vendor/products?limit=1")}
    change = {"texts": {"fr": {"title": "Autre"}}}
    assert vendor("PATCH", path, json=change, headers={"If-Match": tags[path]}).status_code == 200
    for address, tag in tags.items():
        assert vendor.get(address, headers={"If-None-Match": tag, "Accept-Language": "fr"}).status_code == 200
    # Another language is another content.
    tag = vendor.get(path, headers={"Accept-Language": "fr"}).headers["etag"]
    german = vendor.get(path, headers={"Accept-Language": "de", "If-None-Match": tag})
    assert german.status_code == 200
    assert "Accept-Language" in german.headers["vary"]


def test_a_permission_is_still_needed_for_what_the_caller_has(vendor: Program) -> None:
    tag = vendor.get("/vendor/roles").headers["etag"]
    stranger = Program(vendor.client, "wm_test_nobody")
    assert stranger.get("/vendor/roles", headers={"If-None-Match": tag}).status_code == 401
