"""What every answer carries, and what people and programs get when something is wrong."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.core.config import changed_environment
from app.core.database import dispose_engine
from app.testing.browsing import sign_in, token_of


def test_every_answer_has_a_request_id_and_a_strict_policy(client: TestClient) -> None:
    for path in ("/", "/vendor/sign-in", "/nowhere", "/health", "/static/ui/app.css"):
        headers = client.get(path).headers
        assert headers["x-request-id"]
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_a_given_request_id_is_kept_and_a_strange_one_is_not(client: TestClient) -> None:
    assert client.get("/", headers={"X-Request-ID": "abc-12345678"}).headers["x-request-id"] == "abc-12345678"
    assert (
        client.get("/", headers={"X-Request-ID": "a b\tc<script>"}).headers["x-request-id"]
        != "a b\tc<script>"
    )


def test_people_get_a_page_with_a_way_forward(client: TestClient) -> None:
    page = client.get("/nowhere", headers={"Accept-Language": "fr"})
    assert page.status_code == 404
    assert '<html lang="fr"' in page.text
    assert page.headers["x-request-id"] in page.text
    assert 'href="/"' in page.text


def test_programs_get_problem_json(client: TestClient) -> None:
    answer = client.get("/api/v1/nowhere", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == 404
    assert body["code"] == "core.not_found"
    assert body["instance"] == answer.headers["x-request-id"]
    assert body["title"]


def test_a_wrong_method_is_said_so(client: TestClient) -> None:
    assert client.post("/health").status_code == 405


def test_head_is_answered_as_get_without_a_body(client: TestClient) -> None:
    def same(path: str, status: int) -> None:
        got, headed = client.get(path), client.head(path)
        assert (headed.status_code, headed.content) == (got.status_code, b"") == (status, b"")
        assert headed.headers["content-type"] == got.headers["content-type"]
        assert headed.headers.get("location") == got.headers.get("location")

    for path in ("/", "/vendor/sign-in", "/health/live", "/health/ready", "/health", "/metrics"):
        same(path, 200)
    same("/nowhere", 404)
    asked = client.head("/vendor/MINETT")
    assert (asked.status_code, asked.headers["location"]) == (303, "/vendor/sign-in?next=/vendor/MINETT")
    sign_in(client, "vendor", "owner@minett.example")
    same("/vendor/MINETT", 200)
    same("/vendor/MOSELLE", 404)


def test_a_body_over_the_limit_is_refused(client: TestClient) -> None:
    token = token_of(client.get("/vendor/sign-in"))
    answer = client.post("/vendor/sign-in", data={"csrf_token": token, "email": "x" * 3_000_000})
    assert answer.status_code == 413


def test_a_big_body_of_somebody_unknown_is_not_read(client: TestClient) -> None:
    answer = client.post("/vendor/MINETT/imports/new", content=b"x" * 3_000_000)
    assert answer.status_code == 401


def test_error_pages_work_while_the_database_is_down(app: FastAPI) -> None:
    with (
        TestClient(app, follow_redirects=False, raise_server_exceptions=False) as client,
        changed_environment(
            {"WIZAMART_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"}
        ),
    ):
        dispose_engine()
        page = client.get("/")
        assert page.status_code == 503
        assert "<h1>" in page.text
        assert client.get("/nowhere").status_code == 404
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").status_code == 503


def test_health_and_metrics(client: TestClient) -> None:
    health = client.get("/health")
    assert health.status_code == 200
    assert {"database", "migrations", "catalog", "marketplace"} <= health.json()["checks"].keys()
    assert client.get("/health/ready").json() == {"status": "ok", "failed": {}}
    client.get("/")
    assert (
        'wizamart_http_requests_total{area="public",method="GET",status="200"}' in client.get("/metrics").text
    )


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        (None, "/vendor/MINETT", 303),
        ("owner@minett.example", "/vendor/MINETT", 200),
        ("owner@moselle.example", "/vendor/MINETT", 404),
        ("team@moselle.example", "/vendor/MOSELLE", 200),
        ("team@moselle.example", "/vendor/MOSELLE/imports/new", 403),
        ("team@moselle.example", "/vendor/GUTLAND", 404),
    ],
)
def test_who_may_open_what_in_the_vendor_area(
    client: TestClient, who: str | None, path: str, status: int
) -> None:
    if who:
        sign_in(client, "vendor", who)
    assert client.get(path).status_code == status
    assert client.get("/admin").status_code == 303


def test_after_signing_in_one_is_where_one_wanted_to_be(client: TestClient) -> None:
    wanted = "/vendor/MINETT/products?q=lampe+noire&availability=in_stock"
    asked = client.get(wanted)
    sign_in_page = client.get(asked.headers["location"])
    assert f'name="next_url" value="{wanted.replace("&", "&amp;")}"' in sign_in_page.text
