"""What another module adds to a list: seen by who may, gone with its module, never in the list's way."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text

from app.core.database import SYSTEM, engine, unit_of_work
from app.modules import lifecycle
from app.modules.catalog.models.product import Product
from app.modules.catalog.routes.vendor import PRODUCTS
from app.modules.pagekit.list_parts import left_out, with_parts
from app.modules.state import forget_snapshot
from app.testing.browsing import sign_in, token_of

URL = "/vendor/MINETT/products"
VIEWS = "/vendor/MINETT/views"
SOURCE = "marketplace.source"
_FEED_ROWS = """
    INSERT INTO marketplace_products (vendor_id, id, feed_id, marketplace, language, external_id, raw, row_hash, title,
        price_cents, currency, given, first_import_id, made_product, import_id, created_at, updated_at)
    SELECT vendors.id, gen_random_uuid(), md5(language)::uuid, 'letzshop', language, 'S-' || lpad(n::text, 4, '0'),
        '{}', '', 'Row', 100, 'EUR', 0, gen_random_uuid(), false, gen_random_uuid(), now(), now()
    FROM vendors, generate_series(1, 30) n, unnest(ARRAY['de', 'fr']) language
    WHERE vendors.code = 'MINETT' AND (language = 'fr' OR n <= 10)
"""
_PRODUCTS = """
    INSERT INTO products (id, vendor_id, sku, price_cents, currency, availability, additional_image_links,
        attributes, is_active, edited_fields, created_at, updated_at, version)
    SELECT gen_random_uuid(), vendors.id, 'S-' || lpad(n::text, 4, '0'), 100, 'EUR', 'in_stock', '{}', '{}', true,
        '{}', now(), now(), 1
    FROM vendors, generate_series(1, 60) n WHERE vendors.code = 'MINETT'
"""


@pytest.fixture
def shop(client: TestClient, owner_engine: Engine) -> TestClient:
    """MINETT with 60 products, of which the first 30 are in the French feed and the first 10 in the German one."""
    with owner_engine.begin() as connection:
        for statement in ("DELETE FROM products", "DELETE FROM marketplace_products", _PRODUCTS, _FEED_ROWS):
            connection.execute(text(statement))
    sign_in(client, "vendor", "owner@minett.example")
    client.cookies.set("wm_lang", "en")
    return client


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine(), "before_cursor_execute", note)


def cells(shop: TestClient, query: str) -> list[list[str]]:
    soup = BeautifulSoup(shop.get(f"{URL}?{query}").text, "html.parser")
    rows = soup.select("tbody tr[data-row]")
    return [
        [cell.get_text(" ", strip=True) for cell in row.select("th, td:not(.pick, .actions)")] for row in rows
    ]


def switch_marketplace(*, is_on: bool) -> None:
    with unit_of_work(SYSTEM) as session:
        for platform_id in session.scalars(text("SELECT id FROM platforms")).all():
            if is_on:
                lifecycle.enable(
                    session, platform_id, "order-folder", by="test"
                )  # and first what it stands on
                continue
            for code in ("order-folder", "marketplace"):
                lifecycle.disable(session, platform_id, code, by="test")
    forget_snapshot()


def test_an_added_column_is_shown_when_it_is_chosen(shop: TestClient) -> None:
    assert "Source" not in [
        cell.get_text() for cell in BeautifulSoup(shop.get(URL).text, "html.parser").select("thead th")
    ]
    assert f'value="{SOURCE}"' in shop.get(URL).text  # in the menu of columns
    rows = cells(shop, f"columns=sku,{SOURCE}&size=50")
    assert rows[0] == ["S-0001", "S-0001", "Deutsch, Français"]
    assert rows[20] == ["S-0021", "S-0021", "Français"]
    assert rows[40] == ["S-0041", "S-0041", "–"]


def test_a_page_costs_one_query_for_all_its_rows_and_none_without_the_column(shop: TestClient) -> None:
    shop.get(URL)
    with statements() as asked:
        assert len(cells(shop, f"columns={SOURCE},marketplace.imported_at&size=50")) == 50
    assert sum("marketplace_products" in one for one in asked) == 1
    with statements() as asked:
        shop.get(URL)
    assert not [one for one in asked if "marketplace_products" in one]


def test_an_added_filter_narrows_the_list_and_its_export(shop: TestClient) -> None:
    assert len(cells(shop, f"{SOURCE}=de&size=50")) == 10
    assert len(cells(shop, f"{SOURCE}=none&size=50")) == 30
    assert len(cells(shop, f"{SOURCE}=none&{SOURCE}=de&size=50")) == 40
    query = f"{SOURCE}=de&columns=sku,{SOURCE}"
    form = {"csrf_token": token_of(shop.get(URL)), "query": query, "rows": "all"}
    lines = list(csv.reader(io.StringIO(shop.post(f"{URL}/export", data=form).content.decode("utf-8-sig"))))
    assert lines[0] == ["Title", "SKU", "Source"]
    assert [line[2] for line in lines[1:]] == ["Deutsch, Français"] * 10


def test_a_view_that_names_a_module_which_is_off_says_so_and_works(shop: TestClient) -> None:
    query = f"{SOURCE}=de&columns=sku,{SOURCE}&sort=-sku"
    form = {
        "csrf_token": token_of(shop.get(URL)),
        "page_id": PRODUCTS.page_id,
        "name": "German",
        "query": query,
    }
    saved = shop.post(VIEWS, data=form).headers["location"]
    assert "German" in shop.get(saved).text
    assert len(cells(shop, saved.partition("?")[2])) == 10
    switch_marketplace(is_on=False)
    page = BeautifulSoup(shop.get(saved).text, "html.parser")
    assert "Marketplace, which is off" in page.select_one(".banner-info").get_text()  # type: ignore[union-attr]
    assert page.select_one("tbody code").get_text() == "S-0060"  # type: ignore[union-attr]
    assert SOURCE not in [box.get("value") for box in page.select("input[name=columns]")]
    assert "which is off" not in shop.get(URL).text
    token = token_of(shop.get(URL))
    gone = shop.post(f"{URL}/bulk", data={"csrf_token": token, "action": "marketplace.follow_feed"})
    assert gone.status_code == 404
    switch_marketplace(is_on=True)
    assert len(cells(shop, saved.partition("?")[2])) == 10


def test_who_may_not_see_the_other_modules_records_does_not_see_its_part(shop: TestClient) -> None:
    everything = with_parts(PRODUCTS, None)
    assert {SOURCE, "marketplace.imported_at"} <= {column.name for column in everything.columns}
    seen = with_parts(PRODUCTS, None, {"catalog.products.view"})
    assert [column.name for column in seen.columns] == [column.name for column in PRODUCTS.columns]
    assert left_out(seen, [(SOURCE, "de"), ("sort", f"-{SOURCE}"), ("columns", "sku")]) == ["Marketplace"]
    assert left_out(everything, [(SOURCE, "de"), ("q", "a.b"), ("other", "x")]) == []


def test_an_action_of_another_module_stands_in_the_bar_and_in_each_rows_menu(
    shop: TestClient, owner_engine: Engine
) -> None:
    page = BeautifulSoup(shop.get(f"{URL}?sort=-sku").text, "html.parser")
    for place in (".bulk-bar", "#row-menu"):
        assert page.select_one(f"{place} button[value='marketplace.follow_feed']") is not None, place
    button = page.select_one("tr[data-row] [data-row-menu]")
    assert button is not None
    edit = page.select_one("#row-menu a")
    assert edit is not None
    target = str(edit["data-row-href"]).replace("__row__", str(button["data-row-menu"]))
    assert shop.get(target).status_code == 200
    form = {"csrf_token": token_of(shop.get(URL)), "action": "marketplace.follow_feed"}
    done = shop.post(f"{URL}/bulk", data=form | {"ids": str(button["data-row-menu"])})
    assert done.status_code == 303
    assert "0 rows" in shop.get(URL).text


def test_parts_that_fail_are_left_out(shop: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_key: object) -> None:
        raise RuntimeError

    for source in (
        "marketplace.services.list_part_service.products_part",
        "inventory.services.product_part_service.products_part",
    ):
        monkeypatch.setattr(f"app.modules.{source}", broken)
    assert with_parts(PRODUCTS, None) is PRODUCTS
    assert len(cells(shop, f"columns={SOURCE}")) == 20
    assert PRODUCTS.key is Product.id
