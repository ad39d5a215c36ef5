"""Feeds as people arrange them: making, changing, mapping, importing, undoing and deleting one, without scripts."""

import re
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.core.config import get_settings
from app.core.ids import to_public
from app.core.storage import get_storage
from app.modules.marketplace.tests.conftest import Shop, feed, row
from app.modules.marketplace.tests.test_pages import post_import
from app.tasks.runner import run_until_idle
from app.testing.browsing import sign_in, token_of

FEEDS = "/vendor/MOSELLE/feeds"
FORM = {
    "name": "Supplier",
    "language": "en",
    "format": "auto",
    "url": "",
    "schedule": "off",
    "default_currency": "eur",
    "blank_cells": "keep",
    "missing_rows": "out_of_stock",
    "policy": "skip-bad-rows",
}


@pytest.fixture
def owner(shop: Shop, client: TestClient) -> TestClient:
    """Signed in as the owner of MOSELLE, who reads English."""
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set("wm_lang", "en")
    return client


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))


def save(client: TestClient, page: str, **fields: str) -> httpx2.Response:
    return client.post(page, data={**hidden(client.get(page).text), **FORM, **fields})


def act(client: TestClient, url: str, name: str, **fields: str) -> str:
    """Press a button of a page; where that leads."""
    token = token_of(client.get(url))
    answer = client.post(f"{url}/{name}", data={"csrf_token": token, **fields})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def work() -> None:
    assert run_until_idle(["long_running"], timeout_seconds=30)


def test_a_feed_is_made_changed_ordered_and_deleted(owner: TestClient, shop: Shop) -> None:
    assert "No feeds yet" in owner.get(FEEDS).text
    first = save(owner, f"{FEEDS}/new").headers["location"]
    second = save(owner, f"{FEEDS}/new", name="Own shop", url="https://shop.example/f", schedule="6")
    second_url = second.headers["location"]
    stored = shop.rows("SELECT * FROM feeds WHERE vendor_id = :vendor ORDER BY position")
    assert [(one.name, one.every_hours, one.default_currency) for one in stored] == [
        ("Supplier", None, "EUR"),
        ("Own shop", 6, "EUR"),
    ]
    assert stored[1].next_run_at is not None
    listed = owner.get(FEEDS).text
    assert listed.index("Supplier") < listed.index("Own shop")
    assert "Every 6 hours" in listed

    act(owner, second_url, "move", direction="up")
    listed = owner.get(FEEDS).text
    assert listed.index("Own shop") < listed.index("Supplier")

    assert save(owner, f"{first}/edit", language="de", name="Anbieter").headers["location"] == first
    assert "Anbieter" in owner.get(first).text
    wrong = owner.post(
        f"{first}/delete", data={**hidden(owner.get(f"{first}/delete").text), "name": "Supplier"}
    )
    assert wrong.status_code == 422
    gone = owner.post(
        f"{first}/delete", data={**hidden(owner.get(f"{first}/delete").text), "name": "Anbieter"}
    )
    assert gone.headers["location"] == FEEDS
    assert owner.get(first).status_code == 404


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", "Own shop"),
        ("url", "https://shop.example:22/feed"),
        ("schedule", "6"),
        ("schedule", "7"),
        ("default_currency", "EU"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(owner: TestClient, field: str, typed: str) -> None:
    save(owner, f"{FEEDS}/new", name="Own shop")
    page = save(owner, f"{FEEDS}/new", **{field: typed})
    assert page.status_code == 422
    assert f'href="#field-{field}"' in page.text
    assert field != "url" or "Port 22 " in page.text
    assert "address_problems" not in page.text


def test_an_unknown_table_is_mapped_tried_and_imported(owner: TestClient, shop: Shop) -> None:
    lines = ["Bestellnummer;Was es ist;Verkaufspreis;Lager"]
    lines += [f"A-{n};Stuhl {n};{n},50 EUR;7" for n in range(1, 9)]
    url = post_import(owner, "\n".join(lines).encode(), feed="new", language="de").headers["location"]
    work()
    stopped = owner.get(url).text
    link = re.search(r'href="([^"]+/mapping\?import=imp_\w+)"', stopped)
    assert link
    page = owner.get(link[1]).text
    names = re.findall(r'<label class="field-label" for="field-(column-\d)">([^<]+)</label>', page)
    assert [name for _, name in names] == ["Bestellnummer", "Was es ist", "Verkaufspreis", "Lager"]
    assert "Stuhl 1" in page

    chosen = {"column-0": "id", "column-1": "title", "column-2": "title", "column-3": ""}
    twice = owner.post(link[1], data={**hidden(page), **chosen})
    assert twice.status_code == 422
    assert 'href="#field-column-1"' in twice.text
    missing = owner.post(link[1], data={**hidden(page), **chosen, "column-2": ""})
    assert missing.status_code == 422
    assert "Choose columns for: price" in missing.text

    trial = owner.post(link[1], data={**hidden(page), **chosen, "column-2": "price"}).headers["location"]
    work()
    tried = owner.get(trial).text
    assert "This was a trial" in tried
    assert shop.rows("SELECT count(*) FROM products") == [(0,)]
    done = act(owner, trial, "for-real")
    work()
    assert "Done" in owner.get(done).text or "Finished" in owner.get(done).text
    assert shop.product("A-3").price_cents == 350
    stored = shop.rows("SELECT id, mapping FROM feeds WHERE vendor_id = :vendor")[0]
    assert stored.mapping == {"Bestellnummer": "id", "Was es ist": "title", "Verkaufspreis": "price"}
    assert "Verkaufspreis" in owner.get(f"{FEEDS}/{to_public('fed', stored.id)}").text


def test_what_the_guard_stops_can_be_imported_anyway_and_undone(owner: TestClient, shop: Shop) -> None:
    shop.run(feed([row(n) for n in range(20)]))
    url = post_import(owner, feed([row(n) for n in range(5)])).headers["location"]
    work()
    stopped = owner.get(url).text
    assert "15 rows are gone: 5 instead of 20." in stopped
    assert "So nothing was imported" in stopped
    done = act(owner, url, "confirm")
    work()
    page = owner.get(done).text
    assert "It was imported anyway." in page
    assert "No longer in the feed" in page
    assert f"{done}/undo" in page

    assert act(owner, done, "undo") == done
    assert "The import is being undone" in owner.get(done).text
    work()
    page = owner.get(done).text
    assert "What this import changed was put back" in page
    assert f"{done}/undo" not in page


def test_a_first_import_is_tried_unless_one_says_otherwise(owner: TestClient, shop: Shop) -> None:
    checked = re.compile(r'name="dry_run" type="checkbox" value="true" checked')
    assert checked.search(owner.get("/vendor/MOSELLE/imports/new").text)
    shop.run(feed([row(1)]))
    new = owner.get("/vendor/MOSELLE/imports/new", params={"language": "en"}).text
    assert not checked.search(new)
    assert re.search(r'<option value="fed_\w+" selected', new)


def test_a_feed_shows_its_imports_and_starts_one(owner: TestClient, shop: Shop) -> None:
    shop.run(feed([row(1), row(2, price="free")]))
    listed = owner.get(FEEDS).text
    found = re.search(rf"{FEEDS}/fed_\w+", listed)
    assert found
    page = owner.get(found[0]).text
    assert "Done, with errors" in page
    assert "imports/new?feed=fed_" in page
    shop.rows("UPDATE feeds SET url = 'https://shop.example/feed.csv' WHERE vendor_id = :vendor")
    started = act(owner, found[0], "import")
    assert "/imports/imp_" in started
    busy = owner.post(
        f"{found[0]}/delete",
        data={**hidden(owner.get(f"{found[0]}/delete").text), "name": "Feed EN"},
    )
    assert busy.status_code in (409, 422)


def test_who_may_only_look_changes_nothing(owner: TestClient, shop: Shop, other_shop: Shop) -> None:
    url = save(owner, f"{FEEDS}/new").headers["location"]
    owner.cookies.clear()
    sign_in(owner, "vendor", "team@moselle.example")
    token = token_of(owner.get("/vendor/MOSELLE/imports"))
    for path in (f"{FEEDS}/new", f"{url}/edit", f"{url}/delete", f"{url}/mapping"):
        assert owner.get(path).status_code == 403, path
        assert owner.post(path, data={"csrf_token": token}).status_code == 403, path
    owner.cookies.clear()
    sign_in(owner, "vendor", "owner@minett.example")
    assert owner.get(url).status_code == 404
    assert owner.get(url.replace("MOSELLE", "MINETT")).status_code == 404


def test_files_of_a_deleted_feed_go(owner: TestClient, shop: Shop) -> None:
    done = shop.run(feed([row(1)]))
    storage = get_storage(get_settings())
    path = Path(storage.path(done.row.storage_key or ""))
    assert path.is_file()
    found = re.search(rf"{FEEDS}/fed_\w+", owner.get(FEEDS).text)
    assert found
    form = owner.get(f"{found[0]}/delete").text
    name = shop.rows("SELECT name FROM feeds WHERE vendor_id = :vendor")[0].name
    assert owner.post(f"{found[0]}/delete", data={**hidden(form), "name": name}).status_code == 303
    assert not path.exists()
    assert shop.rows("SELECT count(*) FROM marketplace_products WHERE vendor_id = :vendor") == [(0,)]
    assert shop.product("A-1") is not None
