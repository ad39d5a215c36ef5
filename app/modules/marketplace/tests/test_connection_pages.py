"""Connections to marketplaces as a vendor's people and the operator see them, on the demo world."""

import re
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core.database import IdentityScope, unit_of_work
from app.modules.marketplace.services.letzshop_credentials_service import read_key
from app.testing.browsing import sign_in, token_of

ON_DEMO = True
HERE = "/vendor/MOSELLE/connections"
NEW_KEY = "lz_live_0123456789_zz9k"


@pytest.fixture
def owner(client: TestClient) -> TestClient:
    client.cookies.set("wm_lang", "en")
    sign_in(client, "vendor", "owner@moselle.example")
    return client


@pytest.fixture
def admin(client: TestClient) -> TestClient:
    client.cookies.set("wm_lang", "en")
    sign_in(client, "admin", "admin@wizamart.example")
    return client


def rows(owner_engine: Engine, sql: str, **values: Any) -> list[Any]:
    with owner_engine.connect() as connection:
        return list(connection.execute(text(sql), values))


def first_link(client: TestClient, path: str, pattern: str) -> str:
    page = client.get(path)
    assert page.status_code == 200, page.text
    found = re.search(rf'href="({pattern})["?]', page.text)
    assert found, path
    return found[1]


def press(client: TestClient, page: str, act: str, **fields: Any) -> httpx2.Response:
    """Press a button on a page, or send the form that is there."""
    shown = client.get(page)
    hidden = dict(re.findall(r'type="hidden" name="(form_token|version)" value="([^"]*)"', shown.text))
    return client.post(act, data={**hidden, "csrf_token": token_of(shown), **fields})


def test_a_connection_shows_what_waits_and_what_to_do(owner: TestClient, owner_engine: Engine) -> None:
    page_of = first_link(owner, HERE, rf"{HERE}/con_\w+")
    page = owner.get(page_of).text
    for words in (
        "were not taken over",
        "Refused",
        "No unit of the shipment is confirmed.",
        "A price cannot be read",
    ):
        assert words in page
    for words in (
        "€24.90",
        "€22.90",
        "Not offered there",
        "…ager",
        "/feeds/",
        "8 orders",
        "connection is off",
    ):
        assert words in page
    assert "lz_test" not in page  # a key is never shown
    assert press(owner, page_of, f"{page_of}/switch-on").status_code == 303
    shown = owner.get(page_of).text
    assert "Fetch orders now" in shown
    press(owner, page_of, f"{page_of}/sync")
    press(owner, page_of, f"{page_of}/history")
    press(owner, page_of, f"{page_of}/check")
    tasks = rows(owner_engine, "SELECT DISTINCT split_part(task, '.', 6) FROM jobs WHERE state = 'queued'")
    assert {name for (name,) in tasks} >= {"sync_connection", "check_connection", "process_historical_import"}
    assert "being tested" in owner.get(page_of).text
    press(owner, page_of, f"{page_of}/switch-off")
    assert not rows(owner_engine, "SELECT FROM connections WHERE is_on")
    said = {action for (action,) in rows(owner_engine, "SELECT action FROM audit_log")}
    assert {"marketplace.connection_switched_on", "marketplace.connection_switched_off"} <= said


def test_a_key_is_written_and_never_shown(owner: TestClient, owner_engine: Engine) -> None:
    page_of = first_link(owner, HERE, rf"{HERE}/con_\w+")
    wrong = press(owner, f"{page_of}/key", f"{page_of}/key", key="two words")
    assert wrong.status_code == 422
    assert "Give the key as you were given it" in wrong.text
    assert "two words" not in wrong.text
    assert press(owner, f"{page_of}/key", f"{page_of}/key", key=f" {NEW_KEY} ").status_code == 303
    shown = owner.get(page_of).text
    assert "…zz9k" in shown
    assert NEW_KEY not in shown
    (key,) = rows(
        owner_engine, "SELECT c.id FROM connections c JOIN vendors v ON v.id = vendor_id AND code = 'MOSELLE'"
    )
    with unit_of_work(IdentityScope()) as session:
        assert read_key(session, key.id) == NEW_KEY
    assert NEW_KEY not in str(rows(owner_engine, "SELECT * FROM letzshop_credentials"))
    assert press(owner, f"{page_of}/edit", f"{page_of}/edit", interval_seconds="30").status_code == 422
    assert press(owner, f"{page_of}/edit", f"{page_of}/edit", interval_seconds="600").status_code == 303
    leave = f"{page_of}/disconnect"
    assert "1 messages that wait" in owner.get(leave).text
    assert press(owner, leave, leave).status_code == 422
    assert press(owner, leave, leave, sure="true").headers["location"] == HERE
    left = "SELECT FROM letzshop_credentials WHERE connection_id = :key"
    assert not rows(owner_engine, left, key=key.id)
    again = press(owner, f"{HERE}/new", f"{HERE}/new", connector="letzshop", key="")
    assert again.status_code == 422
    again = press(owner, f"{HERE}/new", f"{HERE}/new", connector="letzshop", key=NEW_KEY)
    assert re.fullmatch(rf"{HERE}/con_\w+", again.headers["location"])


def test_what_was_refused_and_parked_is_tried_again(owner: TestClient, owner_engine: Engine) -> None:
    parked = first_link(owner, f"{HERE}/orders?state=parked", rf"{HERE}/orders/xor_\w+")
    page = owner.get(parked).text
    assert "demo-shipment-3" in page  # what was sent
    assert press(owner, parked, f"{parked}/retry").status_code == 303
    acts = owner.get(f"{HERE}/messages?state=refused").text
    assert "No unit of the shipment" in acts
    linked = first_link(owner, f"{HERE}/orders?state=decided", rf"{HERE}/orders/xor_\w+")
    retry = re.search(rf'action="({HERE}/messages/oac_\w+/retry)', owner.get(linked).text)
    assert retry
    assert press(owner, linked, retry[1]).status_code == 303
    waiting = rows(
        owner_engine, "SELECT kind FROM outgoing_acts WHERE state = 'waiting' AND job_id IS NOT NULL"
    )
    assert [kind for (kind,) in waiting] == ["track"]
    order = first_link(owner, linked, r"/vendor/MOSELLE/orders/ord_\w+")
    assert "On the marketplace" in owner.get(order).text
    home = owner.get("/vendor/MOSELLE").text
    assert "1 order of a marketplace was not taken over" in home


def test_another_shop_and_another_role_see_nothing(owner: TestClient) -> None:
    mine = first_link(owner, HERE, rf"{HERE}/con_\w+")
    assert "/vendor/GUTLAND/connections/new" in owner.get("/vendor/GUTLAND").text  # a step of the setup
    assert owner.get(mine.replace("MOSELLE", "GUTLAND")).status_code == 404
    sign_in(owner, "vendor", "owner@minett.example")
    assert owner.get(mine).status_code == 404
    sign_in(owner, "vendor", "team@moselle.example")
    assert f"{mine}/disconnect" not in owner.get(mine).text
    assert owner.get(f"{mine}/key").status_code == 403


def test_the_hub_and_the_directory(admin: TestClient, owner_engine: Engine) -> None:
    hub = "/admin/marketplace/letzshop"
    for tab in ("products", "orders", "exceptions", "jobs", "settings"):
        whole = admin.get(f"{hub}?tab={tab}").text
        page = admin.get(f"{hub}?vendor=moselle&tab={tab}").text
        assert f"{hub}?tab=orders&amp;vendor=MOSELLE" in page
        assert "MINETT</code>" in whole or tab == "jobs"
        assert "MINETT</code>" not in page
    assert "No shop has the code NOBODY" in admin.get(f"{hub}?vendor=NOBODY").text
    jobs = "/admin/marketplace/jobs"
    job = first_link(admin, f"{jobs}?kind=import&vendor=MOSELLE", rf"{jobs}/mjb_\w+")
    page = admin.get(job).text
    assert "Import of products" in page
    ledger = re.search(r'href="(/admin/tasks/job_\w+)', page)
    assert ledger
    assert admin.get(ledger[1]).status_code == 200
    directory = "/admin/marketplace/directory"
    assert admin.get(f"{directory}?show=gone").text.count("dsh_") < admin.get(directory).text.count("dsh_")
    shop = first_link(admin, f"{directory}?q=Gutland", rf"{directory}/dsh_\w+")
    page = admin.get(shop).text
    assert "Same name" in page
    vendor = re.search(r'name="vendor" value="(vnd_\w+)"', page)
    assert vendor
    press(admin, shop, f"{shop}/match", vendor=vendor[1])
    matched = rows(
        owner_engine,
        "SELECT v.code FROM directory_shops s JOIN vendors v ON v.id = s.vendor_id WHERE slug = 'gutland-kids'",
    )
    assert matched == [("GUTLAND",)]
    other = first_link(admin, f"{directory}?q=Sauer", rf"{directory}/dsh_\w+")
    assert press(admin, other, f"{other}/match", vendor="GUTLAND").status_code == 409
    assert press(admin, other, f"{other}/invite").status_code == 303
    assert rows(owner_engine, "SELECT FROM jobs WHERE task LIKE '%invite_shop'")
    sync = f"{directory}/sync"
    assert press(admin, sync, sync, connector="letzshop").status_code == 303
    assert "Shops are read" in admin.get(sync).text
