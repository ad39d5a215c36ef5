"""What every operation keeps to: errors, pages, versions, keys of acts, limits."""

import re
import threading

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core.config import get_settings
from app.core.i18n import LANGUAGES, has_message
from app.modules import idempotency
from tests.api.conftest import Program

ROLE = {"name": "Catalogue", "permissions": ["catalog.products.view"]}


def test_errors_speak_the_callers_language(vendor: Program) -> None:
    path = "/vendor/products/prd_01m838cj1be8a8mtx8xj3yxfvz"
    english = vendor.get(path)
    french = vendor.get(path, headers={"Accept-Language": "fr-LU, en;q=0.5"})
    assert english.status_code == french.status_code == 404
    assert english.json()["code"] == french.json()["code"] == "catalog.product_not_found"
    assert english.json()["title"] != french.json()["title"]
    assert english.json()["instance"] == english.headers["x-request-id"]


def test_the_type_of_an_error_leads_to_its_page(vendor: Program, client: TestClient) -> None:
    answer = vendor.get("/vendor/products?nothing=1").json()
    page = client.get(answer["type"].removeprefix(get_settings().base_url), headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert answer["title"] in page.text
    assert page.text.count("<h1") == 1
    assert client.get("/errors/nothing.there_is").status_code == 404
    assert f'/errors/{answer["code"]}"' in client.get("/errors").text
    assert 'id="catalog_products_list"' in client.get("/api/docs").text


def test_every_error_has_a_page_with_a_title_in_every_language(client: TestClient) -> None:
    listed = client.get("/errors", headers={"Accept-Language": "en"}).text
    codes = re.findall(r'href="/errors/([^"]+)"', listed)
    assert {"framework.key_maker_gone", "tenancy.escalation", "catalog.product_not_found"} <= set(codes)
    for code in codes:
        page = client.get(f"/errors/{code}", headers={"Accept-Language": "de"})
        assert page.status_code == 200, code
        for language in LANGUAGES:
            assert has_message(language, f"errors.{code}.title"), (language, code)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("nothing=1", "?nothing"),
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("limit=x", "?limit"),
        ("sort=size", "?sort"),
        ("cursor=zzz", "?cursor"),
        ("include=everything", "?include"),
    ],
)
def test_parameters_that_cannot_be_read_are_refused(vendor: Program, query: str, pointer: str) -> None:
    for path in ("/vendor/products", "/vendor/members"):
        answer = vendor.get(f"{path}?{query}")
        assert answer.status_code == 400, path
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_bodies_that_cannot_be_accepted_name_every_field(vendor: Program) -> None:
    answer = vendor("POST", "/vendor/roles", json={"name": "", "permissions": [1], "colour": "red"})
    assert answer.status_code == 422
    found = {error["pointer"]: error["code"] for error in answer.json()["errors"]}
    assert found == {"#/name": "string_too_short", "#/permissions/0": "string_type", "#/colour": "unknown"}


@pytest.mark.parametrize("path", ["/vendor/products", "/vendor/imports", "/vendor/members", "/vendor/roles"])
def test_pages_lead_through_the_whole_list_and_back(vendor: Program, catalogue: None, path: str) -> None:
    for number in range(3):
        vendor("POST", "/vendor/roles", json={**ROLE, "name": f"Role {number}"})
        body = {"url": "https://shop.example/feed.csv", "language": "fr"}
        vendor("POST", "/vendor/imports", json=body, headers={"Idempotency-Key": str(number)})
    whole = vendor.get(f"{path}?limit=100&include=total_count").json()
    assert whole["total_count"] == len(whole["data"]) > 1
    seen, query, first_pages = [], "limit=1", []
    for _ in range(100):
        answer = vendor.get(f"{path}?{query}")
        page = answer.json()
        first_pages.append(page["data"])
        seen += page["data"]
        assert ('rel="next"' in answer.headers.get("link", "")) is page["has_more"]
        if not page["has_more"]:
            break
        query = f"limit=1&cursor={page['next_cursor']}"
    assert seen == whole["data"]
    back = vendor.get(f"{path}?limit=1&cursor={page['prev_cursor']}").json()
    assert back["data"] == first_pages[-2]
    assert back["has_more"]


def test_changes_need_the_version_that_was_read(vendor: Program) -> None:
    made = vendor("POST", "/vendor/roles", json=ROLE)
    assert made.status_code == 201
    path = made.headers["location"].removeprefix("/api/v1")
    assert vendor("PATCH", path, json={"name": "Two"}).status_code == 428
    tag = vendor.get(path).headers["etag"]
    changed = vendor("PATCH", path, json={"name": "Two"}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["name"]) == (200, "Two")
    assert changed.headers["etag"] != tag
    stale = vendor("PATCH", path, json={"name": "Three"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "framework.stale")
    assert vendor.get(path).json()["name"] == "Two"
    assert vendor("DELETE", path, headers={"If-Match": tag}).status_code == 412
    assert vendor("DELETE", path, headers={"If-Match": "*"}).status_code == 204
    assert vendor.get(path).status_code == 404


def test_an_act_sent_again_is_answered_as_before(vendor: Program, owner_engine: Engine) -> None:
    first = vendor("POST", "/vendor/roles", json=ROLE, headers={"Idempotency-Key": '"a1"'})
    again = vendor("POST", "/vendor/roles", json=ROLE, headers={"Idempotency-Key": '"a1"'})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = vendor("POST", "/vendor/roles", json={**ROLE, "name": "B"}, headers={"Idempotency-Key": '"a1"'})
    assert (other.status_code, other.json()["code"]) == (422, "framework.key_reused")
    with owner_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM roles WHERE name = 'Catalogue'")).scalar() == 1


def test_what_failed_may_be_sent_again_with_the_same_key(vendor: Program) -> None:
    wrong = vendor(
        "POST", "/vendor/roles", json={**ROLE, "permissions": ["x.y.z"]}, headers={"Idempotency-Key": "k"}
    )
    assert wrong.status_code >= 400
    assert vendor("POST", "/vendor/roles", json=ROLE, headers={"Idempotency-Key": "k"}).status_code == 201


def test_acts_that_make_work_need_a_key(vendor: Program) -> None:
    body = {"url": "https://shop.example/feed.csv", "language": "fr"}
    assert vendor("POST", "/vendor/imports", json=body).json()["code"] == "framework.key_missing"
    started = vendor("POST", "/vendor/imports", json=body, headers={"Idempotency-Key": "1"})
    assert started.status_code == 202
    job = vendor.get(started.headers["location"].removeprefix("/api/v1"))
    assert (job.status_code, job.json()["status"]) == (200, "queued")
    path = f"/vendor/imports/{started.json()['id']}"
    assert vendor("POST", f"{path}/cancel").json()["status"] == "cancelled"
    assert vendor.get(path).json()["status"] == "cancelled"


def test_of_twins_one_acts_and_the_other_gets_its_answer(vendor: Program, owner_engine: Engine) -> None:
    answers: list[tuple[int, bytes, str | None]] = []

    def send() -> None:
        answer = vendor("POST", "/vendor/roles", json=ROLE, headers={"Idempotency-Key": "twin"})
        answers.append((answer.status_code, answer.content, answer.headers.get("idempotency-replayed")))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _, _ in answers} == {201}
    assert len({content for _, content, _ in answers}) == 1
    assert sorted(str(replayed) for _, _, replayed in answers) == ["None", "true", "true", "true"]


def test_a_twin_that_waits_too_long_is_told(
    vendor: Program, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_TWIN_WAITS_SECONDS", 0.2)
    assert vendor("POST", "/vendor/roles", json=ROLE, headers={"Idempotency-Key": "slow"}).status_code == 201
    with owner_engine.connect() as connection:
        connection.execute(text("UPDATE idempotency_keys SET key = 'other' WHERE key = 'slow'"))
        connection.execute(
            text(
                "INSERT INTO idempotency_keys SELECT (gen_random_uuid()), vendor_id, actor_id, route, 'slow', "
                "body_hash, NULL, '{}', NULL, created_at FROM idempotency_keys WHERE key = 'other'"
            )
        )
        answer = vendor("POST", "/vendor/roles", json=ROLE, headers={"Idempotency-Key": "slow"})
        assert (answer.status_code, answer.json()["code"]) == (409, "framework.still_running")


def test_stored_answers_go_after_a_day(vendor: Program, owner_engine: Engine) -> None:
    vendor("POST", "/vendor/roles", json=ROLE, headers={"Idempotency-Key": "old"})
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'"))
    from app.core.database import SYSTEM, unit_of_work

    with unit_of_work(SYSTEM) as session:
        assert idempotency.delete_old(session) == 1


def test_too_many_requests_are_told_when_to_come_back(
    vendor: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIZAMART_API_REQUESTS_PER_MINUTE", "3")
    get_settings.cache_clear()
    for left in (2, 1, 0):
        answer = vendor.get("/vendor/me")
        assert answer.headers["ratelimit-policy"] == '"key";q=3;w=60'
        assert answer.headers["ratelimit"].startswith(f'"key";r={left};t=')
    refused = vendor.get("/vendor/me")
    assert (refused.status_code, refused.json()["code"]) == (429, "core.rate_limited")
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["ratelimit"].startswith('"key";r=0')


def test_addresses_say_which_methods_they_take(vendor: Program) -> None:
    answer = vendor("PUT", "/vendor/roles")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


def test_bodies_have_a_limit(vendor: Program) -> None:
    answer = vendor("POST", "/vendor/roles", content=b" " * (get_settings().max_body_bytes + 1))
    assert answer.status_code == 413
    assert answer.json()["code"] == "core.too_large"
