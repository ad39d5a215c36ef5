"""Exports, settings, lists of imports and the home page, as people use them."""

import re

import pytest
from fastapi.testclient import TestClient

from app.modules.marketplace.tests.conftest import Shop, feed, row
from app.modules.marketplace.tests.test_pages import IMPORTS, post_import
from app.tasks.runner import run_until_idle
from app.testing.browsing import sign_in, token_of

EXPORTS = "/vendor/MOSELLE/exports"
SETTINGS = "/vendor/MOSELLE/feed-settings"
HOME = "/vendor/MOSELLE"


@pytest.fixture
def owner(shop: Shop, client: TestClient) -> TestClient:
    """Signed in as the owner of MOSELLE, who reads English."""
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set("wm_lang", "en")
    return client


def settings_form(client: TestClient, **fields: str) -> dict[str, str]:
    page = client.get(SETTINGS)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    urls = {f"url_{language}": "" for language in ("en", "fr", "de", "lb")}
    values = {"default_language": "fr", "default_tax_rate": "8", "delivery_method": "self_collect"}
    return {**hidden, **urls, **values, "preorder_days": "2", "boost_sort": "1,5", **fields}


def test_a_catalogue_becomes_a_file_to_download(owner: TestClient, shop: Shop) -> None:
    assert "No exports yet" in owner.get(EXPORTS).text
    shop.run(feed([row(n, title=f"Chaise {n}") for n in range(7)]), language="fr")
    preview = owner.get(f"{EXPORTS}/new", params={"language": "fr"}).text
    assert "Chaise 4" in preview
    assert "Chaise 5" not in preview
    assert "default_tax_rate" in preview
    nothing = owner.get(f"{EXPORTS}/new", params={"language": "lb"}).text
    assert "No active product has texts in this language yet" in nothing

    token = token_of(owner.get(f"{EXPORTS}/new"))
    url = owner.post(f"{EXPORTS}/new", data={"csrf_token": token, "language": "fr"}).headers["location"]
    assert 'http-equiv="refresh"' in owner.get(url).text
    assert owner.get(f"{url}/file").status_code == 404
    assert run_until_idle(["default"], timeout_seconds=30)
    assert "The file is ready: 7 products, French." in owner.get(url).text
    file = owner.get(f"{url}/file")
    assert 'filename="MOSELLE_letzshop_export_fr.tsv"' in file.headers["content-disposition"]
    assert len(file.text.splitlines()) == 8
    assert url in owner.get(EXPORTS).text
    told = owner.get("/vendor/MOSELLE/notifications").text
    assert "Export MOSELLE_letzshop_export_fr.tsv is ready" in told
    owner.cookies.clear()
    sign_in(owner, "vendor", "team@moselle.example")
    assert owner.get(f"{url}/file").status_code == 200
    assert owner.get(f"{EXPORTS}/new").status_code == 403


def test_a_waiting_export_is_cancelled(owner: TestClient) -> None:
    token = token_of(owner.get(f"{EXPORTS}/new"))
    url = owner.post(f"{EXPORTS}/new", data={"csrf_token": token, "language": "fr"}).headers["location"]
    assert owner.post(f"{url}/cancel", data={"csrf_token": token}).status_code == 303
    page = owner.get(url).text
    assert "The export was cancelled" in page
    assert "Export cancelled" in page


def test_settings_are_kept_and_their_change_is_in_the_log(owner: TestClient, shop: Shop) -> None:
    answer = owner.post(SETTINGS, data=settings_form(owner))
    assert answer.headers["location"] == SETTINGS
    stored = shop.rows("SELECT * FROM feed_settings WHERE vendor_id = :vendor")[0]
    assert (stored.default_tax_rate, str(stored.boost_sort), stored.preorder_days) == (8, "1.5", 2)
    logged = shop.rows("SELECT details FROM audit_log WHERE action = 'marketplace.feed_settings_changed'")
    assert "preorder_days" in logged[0].details["fields"]

    old = {"version": "1"}
    assert owner.post(SETTINGS, data=settings_form(owner) | old).status_code == 409


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("boost_sort", "11"),
        ("boost_sort", "1.55"),
        ("boost_sort", "NaN"),
        ("preorder_days", "-1"),
        ("preorder_days", "soon"),
        ("default_tax_rate", "16"),
    ],
)
def test_settings_that_cannot_be_are_said_at_their_field(owner: TestClient, field: str, typed: str) -> None:
    page = owner.post(SETTINGS, data=settings_form(owner, **{field: typed}))
    assert page.status_code == 422
    assert f'href="#field-{field}"' in page.text


def test_imports_are_filtered_by_what_became_of_them(owner: TestClient, shop: Shop) -> None:
    good = post_import(owner, feed([row(1)])).headers["location"]
    assert run_until_idle(["long_running"], timeout_seconds=30)
    bad = post_import(owner, feed([row(2), row(3, price="free")])).headers["location"]
    assert run_until_idle(["long_running"], timeout_seconds=30)
    trial = post_import(owner, feed([row(4)]), dry_run="true").headers["location"]
    shown = {
        query: {url for url in (good, bad, trial) if url in owner.get(f"{IMPORTS}?{query}").text}
        for query in (
            "",
            "state=with_errors&state=failed",
            "state=queued&state=running",
            "trial=yes",
            "language=de",
        )
    }
    assert list(shown.values()) == [{good, bad, trial}, {bad}, {trial}, {trial}, set()]
    assert run_until_idle(["long_running"], timeout_seconds=30)
    told = owner.get("/vendor/MOSELLE/notifications").text
    assert told.count("Import of feed.csv") == 2
    assert told.count("Trial import of feed.csv") == 1


def test_errors_are_shown_by_kind(owner: TestClient, shop: Shop) -> None:
    rows = [row(1), row(2, price="free"), row(3, availability="soon"), row(4, price="nothing", link="x")]
    url = post_import(owner, feed(rows)).headers["location"]
    assert run_until_idle(["long_running"], timeout_seconds=30)
    everything = owner.get(url).text
    assert "Price not readable (2)" in everything
    assert "“soon”" in everything or "&#34;soon&#34;" in everything
    prices = owner.get(url, params={"code": "price_malformed"}).text
    assert "nothing" in prices
    assert "&#34;soon&#34;" not in prices
    assert "web address" not in prices.split('id="errors"')[1].split("</section>")[0].replace(
        "Web address", ""
    )
    assert owner.get(url, params={"code": "no_such"}).status_code == 200


def test_home_says_what_is_to_be_done(owner: TestClient, shop: Shop) -> None:
    assert "0 of 6 steps done" in owner.get(HOME).text
    url = post_import(owner, feed([row(1), row(3, price="free")])).headers["location"]
    assert run_until_idle(["long_running"], timeout_seconds=30)
    home = owner.get(HOME).text
    assert "1 of 6 steps done" in home
    assert "rows of the last import wait to be corrected" in home
    assert url in home
    shop.rows("UPDATE feeds SET url = 'https://shop.example/feed.csv' WHERE vendor_id = :vendor")
    assert "2 of 6 steps done" in owner.get(HOME).text
    post_import(owner, b"<!doctype html><html></html>")
    assert run_until_idle(["long_running"], timeout_seconds=30)
    assert "The last import has stopped" in owner.get(HOME).text
