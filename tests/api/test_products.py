"""The hot reads: the same rows in the same order as the page's list, in the documented shape."""

from itertools import product as combinations
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine, text

from app.core.database import unit_of_work
from app.core.ids import to_public
from app.modules.api import Page
from app.modules.catalog.schemas.products import ProductDetails, ProductItem
from app.modules.pagekit.list_page import find_list
from app.modules.pagekit.list_query import read_page
from app.modules.pagekit.list_state import ListState
from tests.api.conftest import OTHER_VENDOR, VENDOR, Program, holder_of

pytestmark = pytest.mark.demo_due

_FILTERS: tuple[dict[str, tuple[str, ...]], ...] = (
    {},
    {"availability": ("in_stock", "preorder")},
    {"active": ("no",)},
    {"brand": ("Kayl",)},
    {"missing": ("gtin", "image_link")},
)
_SORTS = ("sku", "-sku", "brand", "-brand", "price_cents", "-price_cents", "updated_at", "-updated_at")


def _walk(vendor: Program, query: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """All rows forward, checked against the way back."""
    pages, cursor = [], None
    for _ in range(50):
        sent = [*query, *([("cursor", cursor)] if cursor else [])]
        answer = vendor.get(f"/vendor/products?{urlencode(sent)}")
        assert answer.status_code == 200, answer.text
        page = Page[ProductItem].model_validate(answer.json())
        pages.append([one.model_dump(mode="json") for one in page.data])
        cursor = page.next_cursor
        if not page.has_more:
            break
    back = page.prev_cursor
    for former in reversed(pages[:-1]):
        shown = vendor.get(f"/vendor/products?{urlencode([*query, ('cursor', back)])}").json()
        assert [one["id"] for one in shown["data"]] == [one["id"] for one in former]
        back = shown["prev_cursor"]
    assert back is None
    return [one for page_rows in pages for one in page_rows]


@pytest.mark.parametrize("sort", _SORTS)
def test_the_list_is_the_one_people_see(vendor: Program, catalogue: None, sort: str) -> None:
    spec = find_list("catalog.vendor.products")
    for filters, words in combinations(_FILTERS, ("", "parapluie", "ETE", "sku 1", "!?")):
        with unit_of_work(holder_of(VENDOR).scope) as session:
            state = ListState(query=words, filters=filters, sort=sort, size=100)
            expected = read_page(session, spec, state, "de")
        query = [("limit", "7"), ("sort", sort), *((name, one) for name in filters for one in filters[name])]
        shown = _walk(_in_german(vendor), [*query, *([("q", words)] if words else [])])
        assert [one["id"] for one in shown] == [to_public("prd", row.id) for row in expected.rows]
        assert [one["title"] for one in shown] == [row.title for row in expected.rows]
        assert [one["price"]["amount_cents"] for one in shown] == [row.price_cents for row in expected.rows]


def _in_german(vendor: Program) -> Program:
    class German(Program):
        def get(self, path: str, **options: Any) -> Any:
            return vendor.get(path, headers={"Accept-Language": "de"}, **options)

    return German(vendor.client, vendor.key)


def test_totals_count_what_the_filters_leave(vendor: Program, catalogue: None) -> None:
    assert vendor.get("/vendor/products?limit=1&include=total_count").json()["total_count"] == 30
    found = vendor.get("/vendor/products?limit=1&include=total_count&brand=Kayl&sort=-brand").json()
    assert found["total_count"] == 10
    assert vendor.get("/vendor/products?limit=1").json()["total_count"] is None


def test_a_product_has_all_that_is_documented(vendor: Program, catalogue: None, owner_engine: Engine) -> None:
    with owner_engine.connect() as connection:
        rows = connection.execute(
            text("SELECT p.* FROM products p JOIN vendors v ON v.id = p.vendor_id WHERE v.code = :code"),
            {"code": VENDOR},
        ).all()
    for row in rows:
        answer = vendor.get(f"/vendor/products/{to_public('prd', row.id)}")
        found = ProductDetails.model_validate(answer.json(), strict=False)
        assert answer.headers["etag"].startswith(f'"{row.version}-')
        assert (found.sku, found.attributes, found.brand) == (row.sku, row.attributes, row.brand)
        assert found.updated_at == row.updated_at
        assert (found.gtin or "") == (row.gtin or "").lstrip("0")
        assert [one.language for one in found.texts] == ([] if row.version % 7 == 0 else ["de", "fr"])
        assert set(answer.json()) == set(ProductDetails.model_fields)


def test_products_of_others_are_not_there(vendor: Program, catalogue: None, owner_engine: Engine) -> None:
    shown = vendor.get("/vendor/products?limit=100").json()["data"]
    with owner_engine.connect() as connection:
        statement = "SELECT p.id FROM products p JOIN vendors v ON v.id = p.vendor_id WHERE v.code = :code"
        theirs = connection.execute(text(statement), {"code": OTHER_VENDOR}).scalars().all()
    assert theirs
    assert not {to_public("prd", key) for key in theirs} & {one["id"] for one in shown}
    for key in theirs:
        assert vendor.get(f"/vendor/products/{to_public('prd', key)}").status_code == 404


@pytest.mark.parametrize("sort", ["price_cents", "updated_at", "brand", "sku"])
def test_cursors_of_another_order_are_refused_or_harmless(
    vendor: Program, catalogue: None, sort: str
) -> None:
    for other in _SORTS:
        cursor = vendor.get(f"/vendor/products?limit=1&sort={other}").json()["next_cursor"]
        answer = vendor.get(f"/vendor/products?sort={sort}&cursor={cursor}")
        assert answer.status_code in (200, 400)
        if other.lstrip("-") == sort:
            assert answer.status_code == 200


def test_a_change_stays_with_the_product(vendor: Program, catalogue: None) -> None:
    first = vendor.get("/vendor/products?limit=1").json()["data"][0]
    path = f"/vendor/products/{first['id']}"
    tag = vendor.get(path).headers["etag"]
    wrong = vendor("PATCH", path, json={"sale_price_cents": 10**9}, headers={"If-Match": tag})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "#/sale_price_cents")
    done = vendor("PATCH", path, json={"price_cents": 4321}, headers={"If-Match": tag})
    assert done.json()["edited_fields"] == ["price_cents"]
    after = vendor.get(path)
    assert after.json()["price"]["amount_cents"] == 4321
    assert after.headers["etag"].startswith(done.headers["etag"].rstrip('"'))
    assert after.headers["etag"] != tag


def test_all_that_the_form_can_change_is_changed_by_merging(vendor: Program, catalogue: None) -> None:
    first = vendor.get("/vendor/products?limit=1").json()["data"][0]
    path = f"/vendor/products/{first['id']}"
    before = vendor.get(path).json()
    change = {"brand": " Acme ", "gtin": "4006381333931", "image_link": "https://x.example/a.png"}
    texts = {"fr": {"description": "Léger."}, "lb": {"title": "Prabbeli"}}
    done = vendor("PATCH", path, json={**change, "texts": texts}, headers={"If-Match": "*"})
    assert done.status_code == 200, done.text
    after = vendor.get(path).json()
    assert (after["brand"], after["gtin"], after["image_link"]) == (
        "Acme",
        "4006381333931",
        change["image_link"],
    )
    assert after["version"] == before["version"] + 1 == done.json()["version"]
    assert after["texts"] == done.json()["texts"]
    assert {one["language"]: one["title"] for one in after["texts"]} == {
        **{one["language"]: one["title"] for one in before["texts"]},
        "lb": "Prabbeli",
    }
    assert next(one for one in after["texts"] if one["language"] == "fr")["description"] == "Léger."
    emptied = vendor("PATCH", path, json={"brand": None, "gtin": None}, headers={"If-Match": "*"}).json()
    assert (emptied["brand"], emptied["gtin"], emptied["image_link"]) == (None, None, change["image_link"])


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"gtin": "4006381333930"}, "#/gtin", "check_digit"),
        ({"brand": "x" * 71}, "#/brand", "string_too_long"),
        ({"texts": {"en": {"description": "Without a title."}}}, "#/texts/en/title", "required"),
        ({"texts": {"fr": {"title": " "}}}, "#/texts/fr/title", "string_too_short"),
        ({"texts": {"fr": {"titel": "x"}}}, "#/texts/fr/titel", "unknown"),
        ({"texts": {"it": {"title": "x"}}}, "#/texts/it", "unknown"),
        ({"price_cents": None}, "#/price_cents", "int_type"),
        ({"texts": {"fr": {"title": "a\x00b"}}}, "#/texts/fr/title", "value_error"),
    ],
)
def test_what_cannot_be_changed_so_is_pointed_at(
    vendor: Program, catalogue: None, change: dict[str, Any], pointer: str, code: str
) -> None:
    first = vendor.get("/vendor/products?limit=1").json()["data"][0]
    answer = vendor("PATCH", f"/vendor/products/{first['id']}", json=change, headers={"If-Match": "*"})
    assert answer.status_code == 422, answer.text
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)]
