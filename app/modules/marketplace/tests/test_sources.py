"""The rows of feeds beside the catalogue: browsing, comparing, copying, taking values over."""

import re

import pytest
from fastapi.testclient import TestClient

from app.core.ids import to_public
from app.modules.catalog import facade as catalog
from app.modules.marketplace.services import source_service
from app.modules.marketplace.tests.conftest import Shop, feed, row
from app.testing.browsing import sign_in, token_of

SOURCES = "/vendor/MOSELLE/marketplace-products"
PRODUCTS = "/vendor/MOSELLE/products"


@pytest.fixture
def owner(shop: Shop, client: TestClient) -> TestClient:
    """Signed in as the owner of MOSELLE, who reads English."""
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set("wm_lang", "en")
    return client


def edit(shop: Shop, sku: str, **facts: object) -> str:
    """Leave a product as if somebody had edited these facts and its English title; its public id."""
    values = ", ".join(f"{name} = :{name}" for name in facts)
    shop.rows(
        f"UPDATE products SET {values}, edited_fields = :fields WHERE vendor_id = :vendor AND sku = :sku",
        sku=sku,
        fields=list(facts),
        **facts,
    )
    key = shop.product(sku).id
    shop.rows(
        "UPDATE product_translations SET title = 'Armchair', edited_fields = '{title}' "
        "WHERE product_id = :key AND language = 'en'",
        key=key,
    )
    return to_public("prd", key)


def forget(shop: Shop, sku: str) -> None:
    shop.rows("DELETE FROM products WHERE vendor_id = :vendor AND sku = :sku", sku=sku)


def test_rows_are_found_and_lead_to_their_product(owner: TestClient, shop: Shop) -> None:
    done = shop.run(feed([row(n) for n in range(30)]))
    shop.run(feed([row(1, title="Stuhl")]), language="de")
    forget(shop, "A-2")
    assert "31 lines" in owner.get(SOURCES).text
    german = owner.get(SOURCES, params={"language": "de"}).text
    assert "1 line" in german
    assert "Stuhl" in german
    missing = owner.get(SOURCES, params={"catalogue": "no"}).text
    assert re.findall(r"<code>(A-\d+)</code>", missing) == ["A-2"]
    by_import = owner.get(SOURCES, params={"import": to_public("imp", done.row.id)}).text
    assert "30 lines" in by_import
    assert "0 lines" in owner.get(SOURCES, params={"import": "imp_of_nothing"}).text

    link = re.search(rf'href="({SOURCES}/mpr_\w+)\?', german)
    assert link
    page = owner.get(link[1]).text
    assert "Chair 1" in page
    assert "Stuhl" in page
    product = re.search(rf"{PRODUCTS}/prd_\w+", page)
    assert product
    assert link[1] in owner.get(product[0]).text


def test_every_row_keeps_its_id(shop: Shop) -> None:
    shop.run(feed([row(1)]))
    before = shop.rows("SELECT id FROM marketplace_products")
    shop.run(feed([row(1, price="16.00 EUR")]))
    assert shop.rows("SELECT id FROM marketplace_products") == before


def test_edited_fields_stand_beside_the_feeds(shop: Shop) -> None:
    shop.run(feed([row(1)]))
    edit(shop, "A-1", price_cents=999, brand="Own", gtin="06291041500213")
    shop.run(feed([row(1, price="16.00 EUR", brand="Neu")]))
    with shop.session() as session:
        key = catalog.find_product_id(session, "A-1")
        assert key
        found = source_service.list_differences(session, catalog.get_product(session, key, language="en"))
    assert {(one.field, one.language): (one.ours, one.theirs) for one in found} == {
        ("price_cents", None): (999, 1600),
        ("brand", None): ("Own", "Neu"),
        ("gtin", None): ("06291041500213", None),
        ("title", "en"): ("Armchair", "Chair 1"),
    }


def test_a_field_takes_the_feeds_value_again(owner: TestClient, shop: Shop) -> None:
    shop.run(feed([row(1)]))
    key = edit(shop, "A-1", price_cents=999, brand="Own")
    page = owner.get(f"{PRODUCTS}/{key}")
    assert "Compared with the feed" in page.text
    assert page.text.count(f'action="{PRODUCTS}/{key}/feed-value"') == 3
    token = token_of(page)
    for field, language in (("price_cents", ""), ("title", "en"), ("availability", "")):
        data = {"csrf_token": token, "field": field, "language": language}
        assert owner.post(f"{PRODUCTS}/{key}/feed-value", data=data).status_code == 303
    product = shop.product("A-1")
    assert (product.price_cents, product.brand, product.edited_fields) == (1500, "Own", ["brand"])
    page = owner.get(f"{PRODUCTS}/{key}")
    assert page.text.count(f'action="{PRODUCTS}/{key}/feed-value"') == 1
    assert "Feed’s value taken" in page.text
    shop.run(feed([row(1, price="17.00 EUR")]))
    assert shop.product("A-1").price_cents == 1700


def test_rows_without_a_product_are_copied(owner: TestClient, shop: Shop) -> None:
    shop.run(feed([row(n) for n in range(3)]))
    shop.run(feed([row(1, title="Stuhl", material="Holz")]), language="de")
    for sku in ("A-0", "A-1"):
        forget(shop, sku)
    found = shop.rows("SELECT id FROM marketplace_products WHERE external_id <> 'A-2' AND language = 'en'")
    one, two = (to_public("mpr", line.id) for line in found)
    page = owner.get(f"{SOURCES}/{two}")
    assert "Not in my catalogue" in page.text
    data = {"csrf_token": token_of(page), "action": "copy", "ids": [one, two]}
    assert owner.post(f"{SOURCES}/bulk", data=data).status_code == 303
    assert shop.product("A-1").material == "Holz"
    assert (shop.product("A-0").price_cents, shop.product("A-1").price_cents) == (1500, 1500)
    texts = shop.rows(
        "SELECT t.language, t.title FROM product_translations t JOIN products p ON p.id = t.product_id "
        "WHERE p.sku = 'A-1' ORDER BY 1"
    )
    assert texts == [("de", "Stuhl"), ("en", "Chair 1")]
    assert shop.product("A-2").version == 1


def test_one_row_is_copied_from_its_page(owner: TestClient, shop: Shop) -> None:
    shop.run(feed([row(1)]))
    forget(shop, "A-1")
    url = f"{SOURCES}/{to_public('mpr', shop.rows('SELECT id FROM marketplace_products')[0].id)}"
    answer = owner.post(f"{url}/copy", data={"csrf_token": token_of(owner.get(url))})
    assert answer.headers["location"].startswith(f"{PRODUCTS}/prd_")
    assert "Copied from the feed" in owner.get(answer.headers["location"]).text


def test_who_may_only_look_takes_nothing_over(owner: TestClient, shop: Shop, other_shop: Shop) -> None:
    shop.run(feed([row(1)]))
    key = edit(shop, "A-1", price_cents=999)
    url = f"{SOURCES}/{to_public('mpr', shop.rows('SELECT id FROM marketplace_products')[0].id)}"
    owner.cookies.clear()
    sign_in(owner, "vendor", "team@moselle.example")
    page = owner.get(f"{PRODUCTS}/{key}")
    assert "feed-value" not in page.text
    data = {"csrf_token": token_of(page), "field": "price_cents", "action": "copy"}
    for path in (f"{PRODUCTS}/{key}/feed-value", f"{url}/copy", f"{SOURCES}/bulk"):
        assert owner.post(path, data=data).status_code == 403, path
    owner.cookies.clear()
    sign_in(owner, "vendor", "owner@minett.example")
    assert owner.get(url).status_code == 404
    assert owner.get(url.replace("MOSELLE", "MINETT")).status_code == 404
