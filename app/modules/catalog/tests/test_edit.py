"""Changing products by hand, through the pages and behind them."""

import re
from collections.abc import Iterator

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.core.database import TenantScope, unit_of_work
from app.core.ids import to_public
from app.modules.catalog import facade
from app.modules.catalog.models.product import Product
from app.modules.catalog.services import product_edit_service
from app.modules.catalog.tests.test_intake import merge
from app.modules.tenancy import facade as tenancy
from app.testing.browsing import sign_in, token_of

PRODUCTS = "/vendor/MOSELLE/products"
FACTS = {
    "is_active": "true",
    "price_cents": "24,90",
    "sale_price_cents": "",
    "tax_class": "reduced",
    "kind": "physical",
    "availability": "in_stock",
    "brand": "Gutt",
    "gtin": "6291041500213",
    "image_link": "",
}


@pytest.fixture
def session(app: FastAPI) -> Iterator[Session]:
    with unit_of_work(TenantScope(tenancy.get_vendor("MOSELLE").id)) as session:
        yield session


@pytest.fixture
def owner(client: TestClient) -> TestClient:
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set("wm_lang", "en")
    return client


def chair(session: Session) -> Product:
    """A product of a feed in two languages."""
    merge(session, {"sku": "A", "title": "Chaise", "brand": "Gutt"})
    merge(session, {"sku": "A", "title": "Stuhl", "brand": "Gutt"}, language="de")
    key = facade.find_product_id(session, "A")
    assert key
    return session.get_one(Product, key)


def saved_chair() -> str:
    with unit_of_work(TenantScope(tenancy.get_vendor("MOSELLE").id)) as session:
        return to_public("prd", chair(session).id)


def send(client: TestClient, url: str, **fields: str) -> httpx2.Response:
    """Fill in a form page as it stands and send it."""
    page = client.get(url)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    texts = {
        f"{name}_{language}": "" for name in ("title", "description") for language in ("en", "fr", "de", "lb")
    }
    return client.post(url, data={**FACTS, **texts, **hidden, **fields})


def found(session: Session, words: str) -> int:
    return facade.list_products(session, language="fr", query=words).total


def test_what_was_edited_stays_at_the_next_import(session: Session) -> None:
    product = chair(session)
    before = product.version
    texts = {"fr": {"title": "Fauteuil", "description": None}}
    product_edit_service.change_product(session, product, {"price_cents": 4200, "is_active": False}, texts)
    assert product.version == before + 1
    assert product.edited_fields == ["price_cents"]
    assert (found(session, "fauteuil"), found(session, "chaise"), found(session, "stuhl")) == (1, 0, 1)

    merge(session, {"sku": "A", "title": "Chaise", "brand": "Neu", "price_cents": 100})
    session.expire_all()
    detail = facade.get_product(session, product.id, language="fr")
    assert (detail.summary.title, detail.summary.price_cents, detail.summary.brand) == (
        "Fauteuil",
        4200,
        "Neu",
    )
    assert {one.language: one.edited_fields for one in detail.texts} == {"de": (), "fr": ("title",)}


def test_a_change_of_texts_alone_raises_the_products_version(session: Session) -> None:
    product = chair(session)
    before = product.version
    product_edit_service.change_product(session, product, {}, {"lb": {"title": "Stull"}})
    assert product.version == before + 1
    assert found(session, "stull") == 1
    product_edit_service.change_product(session, product, {}, {"lb": {"title": "Stull"}})
    assert product.version == before + 1


def test_a_field_follows_the_feed_again(session: Session) -> None:
    product = chair(session)
    product_edit_service.change_product(session, product, {"brand": "Own"}, {"de": {"title": "Sessel"}})
    facade.follow_feed(session, product.id, "brand", "Gutt")
    facade.follow_feed(session, product.id, "title", "Stuhl", language="de")
    facade.follow_feed(session, product.id, "price_cents", 1)  # was not edited
    assert (product.brand, product.edited_fields, product.price_cents) == ("Gutt", [], 100)
    assert (found(session, "sessel"), found(session, "stuhl"), found(session, "own")) == (0, 1, 0)


def test_people_edit_a_product(owner: TestClient, owner_engine: Engine) -> None:
    url = f"{PRODUCTS}/{saved_chair()}"
    form = owner.get(f"{url}/edit")
    assert 'value="Chaise"' in form.text
    answer = send(owner, f"{url}/edit", title_fr="Fauteuil", title_de="Stuhl")
    assert answer.headers["location"] == url
    page = owner.get(url).text
    assert "Fauteuil" in page
    assert "Product changed" in page
    assert "GTIN (edited here)" in page
    assert "No texts yet in: English, Luxembourgish" in page
    with owner_engine.connect() as connection:
        gtin = connection.execute(text("SELECT gtin FROM products WHERE sku = 'A'")).scalar()
    assert gtin == "06291041500213"


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(owner: TestClient) -> None:
    url = f"{PRODUCTS}/{saved_chair()}/edit"
    page = send(owner, url, title_fr="", title_de="Stuhl", gtin="6291041500214", sale_price_cents="30")
    assert page.status_code == 422
    assert "The last digit does not fit the others" in page.text
    assert 'value="6291041500214"' in page.text
    page = send(owner, url, title_fr="", title_de="Stuhl")
    assert page.status_code == 422
    assert 'href="#field-title_fr"' in page.text
    page = send(owner, url, title_fr="Chaise", title_de="Stuhl", sale_price_cents="30")
    assert 'href="#field-sale_price_cents"' in page.text


def test_who_edits_an_old_version_sees_both(owner: TestClient) -> None:
    url = f"{PRODUCTS}/{saved_chair()}/edit"
    first = send(owner, url, title_fr="Fauteuil", title_de="Stuhl", version="7")
    assert first.status_code == 409
    assert 'value="Fauteuil"' in first.text


def test_a_product_is_made_by_hand(owner: TestClient, session: Session) -> None:
    answer = send(owner, f"{PRODUCTS}/new", sku="OWN-1", title_en="Own chair")
    page = owner.get(answer.headers["location"])
    assert "Own chair" in page.text
    assert "Product created" in page.text
    assert found(session, "own chair") == 1
    again = send(owner, f"{PRODUCTS}/new", sku="OWN-1", title_en="Own chair")
    assert again.status_code == 422
    assert 'href="#field-sku"' in again.text


def test_many_products_are_put_away_and_brought_back(owner: TestClient) -> None:
    key = saved_chair()
    token = token_of(owner.get(PRODUCTS))
    for action, shown in (("deactivate", "Inactive"), ("archive", "Archived")):
        done = owner.post(f"{PRODUCTS}/bulk", data={"csrf_token": token, "action": action, "ids": [key]})
        assert done.status_code == 303
        assert shown in owner.get(f"{PRODUCTS}/{key}").text
    assert key not in owner.get(PRODUCTS).text
    assert key in owner.get(f"{PRODUCTS}/archived").text
    owner.post(f"{PRODUCTS}/archived/bulk", data={"csrf_token": token, "action": "restore", "ids": [key]})
    owner.post(f"{PRODUCTS}/{key}/state", data={"csrf_token": token, "to": "activate"})
    assert key in owner.get(PRODUCTS).text
    page = owner.get(f"{PRODUCTS}/{key}").text
    assert "Product restored" in page
    assert "Product activated" in page
    assert owner.post(f"{PRODUCTS}/{key}/state", data={"csrf_token": token, "to": "x"}).status_code == 404


def test_who_may_only_look_changes_nothing(client: TestClient) -> None:
    key = saved_chair()
    sign_in(client, "vendor", "team@moselle.example")
    page = client.get(f"{PRODUCTS}/{key}")
    assert f"{PRODUCTS}/{key}/edit" not in page.text
    data = {"csrf_token": token_of(page), "action": "archive", "ids": [key], "to": "archive"}
    for path in (f"{key}/edit", "new", "bulk", f"{key}/state"):
        assert client.post(f"{PRODUCTS}/{path}", data=data).status_code == 403, path
