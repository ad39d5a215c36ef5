"""The home pages, the front door, and the switches that work without signing in."""

import pytest
from fastapi.testclient import TestClient

from app.testing.browsing import sign_in, token_of


def test_the_front_door_leads_to_both_areas(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert 'href="/vendor"' in page.text
    assert 'href="/admin"' in page.text


def test_home_shows_the_tenant_and_only_its_own_menu(client: TestClient) -> None:
    sign_in(client, "vendor", "owner@minett.example")
    page = client.get("/vendor/MINETT")
    assert page.status_code == 200
    assert "Minett Outdoor" in page.text
    assert "/admin" not in page.text


def test_the_operator_sees_every_vendor(client: TestClient) -> None:
    sign_in(client, "admin", "admin@wizamart.example")
    page = client.get("/admin/vendors")
    for code in ("MOSELLE", "GUTLAND", "MINETT"):
        assert code in page.text


@pytest.mark.parametrize(("language", "word"), [("fr", "Bienvenue"), ("en", "Welcome")])
def test_the_language_switch_is_kept_in_the_browser(client: TestClient, language: str, word: str) -> None:
    token = token_of(client.get("/"))
    answer = client.post("/preferences", data={"csrf_token": token, "language": language})
    assert answer.status_code == 303
    page = client.get("/")
    assert f'<html lang="{language}"' in page.text
    assert word in page.text


def test_the_theme_switch_is_there_at_first_paint(client: TestClient) -> None:
    token = token_of(client.get("/"))
    client.post("/preferences", data={"csrf_token": token, "theme": "dark"})
    assert 'data-theme="dark"' in client.get("/").text


def test_an_unknown_language_changes_nothing(client: TestClient) -> None:
    token = token_of(client.get("/"))
    client.post("/preferences", data={"csrf_token": token, "language": "tlh", "theme": "pink"})
    assert "wm_lang" not in client.cookies
    assert "wm_theme" not in client.cookies


def test_a_foreign_vendor_does_not_exist(client: TestClient) -> None:
    sign_in(client, "vendor", "owner@minett.example")
    assert client.get("/vendor/MOSELLE").status_code == 404
    assert client.get("/vendor/NOBODY").status_code == 404
