"""Rules, origins of values, completeness and exports, as people use them without scripts."""

import re

import pytest
from fastapi.testclient import TestClient

from app.core.ids import to_public
from app.modules.marketplace.tests.conftest import Shop, feed, row
from app.modules.marketplace.tests.test_feed_pages import act, hidden
from app.tasks.runner import run_until_idle
from app.testing.browsing import sign_in, token_of

RULES = "/vendor/MOSELLE/feed-rules"
ROOT = "/vendor/MOSELLE"


@pytest.fixture
def owner(shop: Shop, client: TestClient) -> TestClient:
    """Signed in as the owner of MOSELLE, who reads English."""
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set("wm_lang", "en")
    return client


def make_rule(client: TestClient, kind: str, stage: str = "", **fields: str) -> str:
    page = f"{RULES}/new{stage}?kind={kind}"
    data = {**hidden(client.get(page).text), "name": f"A {kind}", "match": "all", **fields}
    answer = client.post(page, data=data)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


KINDS = {
    "set": {"column": "title", "value": "{brand} {title}"},
    "replace": {"column": "title", "find": "chair", "with": "Stool", "ignore_case": "true"},
    "map": {"column": "product_type", "source": "brand", "table": "Gutt = Chairs\nHolz = Tables"},
    "round_price": {"column": "price", "percent": "10", "ending": "99", "direction": "up"},
    "exclude": {},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_made_read_and_changed(owner: TestClient, shop: Shop, kind: str) -> None:
    condition = {"column_0": "brand", "op_0": "one_of", "value_0": "Gutt; Holz", "column_3": "price"}
    url = make_rule(owner, kind, **condition, **KINDS[kind], op_3="gte", value_3="10")
    page = owner.get(url).text
    assert "brand is one of “Gutt”, “Holz”" in page
    assert "price is at least “10”" in page
    form = owner.get(f"{url}/edit").text
    assert 'value="Gutt; Holz"' in form
    stored = shop.rows("SELECT * FROM feed_rules")[0]
    assert stored.action["kind"] == kind
    # What the form shows, saved again, changes nothing.
    fields = dict(re.findall(r'<input class="control"[^>]* name="(\w+)"[^>]* value="([^"]*)"', form))
    fields |= {
        name: text.strip("\n") for name, text in re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)', form)
    }
    for name, options in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    fields |= dict(re.findall(r'name="(\w+)" type="checkbox" value="(\w+)" checked', form))
    again = owner.post(f"{url}/edit", data={**hidden(form), **fields, "match": "all"})
    assert again.headers["location"] == url
    after = shop.rows("SELECT * FROM feed_rules")[0]
    assert (after.action, after.conditions, after.version) == (stored.action, stored.conditions, 1)


def test_a_rule_is_tried_before_it_is_saved(owner: TestClient, shop: Shop) -> None:
    shop.run(feed([row(n, brand="Gutt" if n < 3 else "Holz") for n in range(10)]))
    page = f"{RULES}/new?kind=exclude"
    data = {**hidden(owner.get(page).text), "name": "No Gutt", "match": "all"}
    data |= {"column_0": "brand", "op_0": "equals", "value_0": "gutt", "preview": "yes"}
    tried = owner.post(page, data=data)
    assert tried.status_code == 200
    assert "The row is left out" in tried.text
    assert tried.text.count("The row is left out</td>") == 3
    assert 'value="gutt"' in tried.text
    assert shop.rows("SELECT count(*) FROM feed_rules") == [(0,)]
    url = make_rule(owner, "exclude", column_0="brand", op_0="equals", value_0="gutt")
    assert owner.get(url, params={"effect": "yes"}).text.count("The row is left out</td>") == 3


def test_what_is_wrong_is_said_at_its_control(owner: TestClient) -> None:
    page = f"{RULES}/new?kind=round_price"
    data = {**hidden(owner.get(page).text), "name": "", "match": "all", "column": "price", "percent": "x"}
    data |= {"column_2": "price", "op_2": "gt", "value_2": "much", "ending": "99", "direction": "up"}
    wrong = owner.post(page, data=data)
    assert wrong.status_code == 422
    for control in ("name", "percent", "value_2"):
        assert f'href="#field-{control}"' in wrong.text, control
    assert 'value="much"' in wrong.text


def test_rules_are_ordered_switched_copied_and_deleted(owner: TestClient, shop: Shop) -> None:
    first = make_rule(owner, "exclude", column_0="brand", op_0="is_empty", name="First")
    second = make_rule(owner, "set", **KINDS["set"], name="Second")
    make_rule(owner, "exclude", "-export", column_0="price", op_0="lt", value_0="1", name="Third")
    imports = owner.get(RULES, params={"stage": "import"}).text
    assert imports.index("First") < imports.index("Second")
    assert "Third" not in imports
    act(owner, second, "move", direction="up")
    imports = owner.get(RULES, params={"stage": "import"}).text
    assert imports.index("Second") < imports.index("First")
    act(owner, first, "switch")
    assert "Switch on" in owner.get(first).text
    assert act(owner, first, "copy").endswith("/edit")
    assert "First (copy)" in owner.get(RULES).text
    assert act(owner, first, "delete") == RULES
    assert owner.get(first).status_code == 404
    stale = {**hidden(owner.get(f"{second}/edit").text), **KINDS["set"], "name": "X", "match": "all"}
    assert owner.post(f"{second}/edit", data=stale | {"version": "99"}).status_code == 409


def test_a_product_says_where_its_values_are_from(owner: TestClient, shop: Shop) -> None:
    make_rule(owner, "replace", **KINDS["replace"], name="Stools")
    shop.run(feed([row(1)]))
    key = to_public("prd", shop.product("A-1").id)
    page = owner.get(f"{ROOT}/products/{key}").text
    assert f"{ROOT}/products/{key}/origin" in page
    origin = owner.get(f"{ROOT}/products/{key}/origin", params={"field": "title", "language": "en"}).text
    assert "<q>Chair 1</q>" in origin
    assert "line 2 of the file" in origin
    assert "Stools" in origin
    assert "<strong>Stool 1</strong>" in origin
    price = owner.get(f"{ROOT}/products/{key}/origin", params={"field": "price_cents"}).text
    assert "15.00 EUR" in price
    assert owner.get(f"{ROOT}/products/prd_00000000000000000000000000/origin").status_code == 404


def test_what_is_missing_leads_to_the_products(owner: TestClient, shop: Shop) -> None:
    shop.run(feed([row(n, brand="" if n < 3 else "Holz") for n in range(8)]))
    page = owner.get(f"{ROOT}/completeness", params={"channel": "google", "language": "en"}).text
    link = re.search(r'href="(/vendor/MOSELLE/completeness/products\?missing=brand)">3', page)
    assert link
    assert "3 products" in owner.get(link[1]).text
    texts = owner.get(f"{ROOT}/completeness/products", params={"missing": "title.de"}).text
    assert "8 products" in texts
    assert "0 products" in owner.get(f"{ROOT}/completeness/products", params={"missing": "title.en"}).text


def export(client: TestClient) -> str:
    page = f"{ROOT}/exports/new"
    token = token_of(client.get(page))
    answer = client.post(page, data={"csrf_token": token, "language": "en"})
    assert run_until_idle(["default"], timeout_seconds=30)
    return answer.headers["location"]


def test_a_held_export_says_why_and_is_sent(owner: TestClient, shop: Shop) -> None:
    shop.run(feed([row(n) for n in range(20)]))
    first = owner.get(export(owner)).text
    assert "New products" in first
    shop.rows("UPDATE products SET is_active = false WHERE vendor_id = :vendor AND sku > 'A-12'")
    url = export(owner)
    held = owner.get(url).text
    assert "Held back" in held
    assert "Why it is held" in held
    assert "Send anyway" in held
    assert act(owner, url, "confirm") == url
    assert "Send anyway" not in owner.get(url).text
    links = owner.get(f"{ROOT}/exports/addresses").text
    address = re.search(r"<code>(http[^<]+/feeds/[^<]+)</code>", links)
    assert address
    path = "/feeds/" + address[1].rpartition("/feeds/")[2]
    assert owner.get(path).status_code == 200
    token = token_of(owner.get(f"{ROOT}/exports/addresses"))
    assert owner.post(f"{ROOT}/exports/addresses/renew", data={"csrf_token": token}).status_code == 303
    assert owner.get(path).status_code == 404
