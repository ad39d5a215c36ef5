"""The list contract on real rows: pages that join without gap or overlap, state in the address, export, views."""

import csv
import io
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from app.core.database import TenantScope, unit_of_work
from app.modules.catalog.routes.vendor import PRODUCTS
from app.modules.pagekit import list_query
from app.modules.pagekit.list_state import ListState, Place
from app.modules.tenancy.facade import get_vendor
from app.testing.browsing import sign_in, token_of

URL = "/vendor/MINETT/products"
OWNER = "owner@minett.example"


@pytest.fixture
def shop(client: TestClient, owner_engine: Engine) -> Iterator[TestClient]:
    """MINETT with 130 products of its own: prices repeat, every third has no brand."""
    with owner_engine.begin() as connection:
        connection.execute(text("DELETE FROM products"))
        connection.execute(
            text(
                """
                INSERT INTO products (id, vendor_id, sku, brand, price_cents, currency, availability,
                    additional_image_links, attributes, is_active, edited_fields, created_at, updated_at, version)
                SELECT gen_random_uuid(), vendors.id, 'S-' || lpad(n::text, 4, '0'),
                    CASE WHEN n % 3 > 0 THEN 'Brand ' || n % 5 END, (n % 7) * 100, 'EUR',
                    CASE WHEN n % 4 = 0 THEN 'out_of_stock' ELSE 'in_stock' END, '{}', '{}', true, '{}',
                    now(), now(), 1
                FROM vendors, generate_series(1, 130) n WHERE vendors.code = 'MINETT'
                """
            )
        )
    sign_in(client, "vendor", OWNER)
    return client


def rows_of(page: str) -> list[str]:
    found = BeautifulSoup(page, "html.parser").select("tbody tr[data-row] code")
    return [code.text for code in found if code.text.startswith("S-")]


def walk(shop: TestClient, url: str, rel: str) -> tuple[list[str], str]:
    """SKUs of all pages from ``url`` on in one direction, and the last page's address."""
    seen: list[str] = []
    for _ in range(20):
        page = shop.get(url)
        assert page.status_code == 200
        seen += rows_of(page.text)
        link = BeautifulSoup(page.text, "html.parser").select_one(f"nav.pager a[rel={rel}]")
        if link is None:
            return seen, url
        url = str(link["href"])
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("sort", ["sku", "-sku", "price_cents", "-price_cents", "brand", "-brand"])
def test_pages_join_without_gap_or_overlap_both_ways(shop: TestClient, sort: str) -> None:
    onward, last = walk(shop, f"{URL}?sort={sort}", "next")
    assert len(onward) == len(set(onward)) == 130
    page = rows_of(shop.get(last).text)
    backward: list[str] = []
    url = last
    while True:
        soup = BeautifulSoup(shop.get(url).text, "html.parser")
        backward = rows_of(str(soup)) + backward
        link = soup.select_one("nav.pager a[rel=prev]")
        if link is None:
            break
        url = str(link["href"])
    assert backward == onward
    assert page == onward[-len(page) :]


def test_rows_without_a_value_stand_at_the_end(shop: TestClient) -> None:
    for sort in ("brand", "-brand"):
        skus, _ = walk(shop, f"{URL}?sort={sort}&size=100", "next")
        lacking = [int(sku[2:]) % 3 == 0 for sku in skus]
        assert lacking == sorted(lacking)


def test_the_address_is_the_state(shop: TestClient) -> None:
    page = shop.get(f"{URL}?availability=out_of_stock&sort=-price_cents&columns=sku,price_cents&size=50")
    soup = BeautifulSoup(page.text, "html.parser")
    headings = [cell.get_text(strip=True) for cell in soup.select("thead th:not(.pick, .actions)")]
    assert [heading for heading in headings if heading] == ["Title", "SKU", "Price"]
    assert len(rows_of(page.text)) == 32
    assert soup.select_one("th[aria-sort=descending]") is not None
    chip = soup.select_one(".chip a")
    assert chip is not None
    without = dict(parse_qsl(urlsplit(str(chip["href"])).query))
    assert without == {"sort": "-price_cents", "columns": "sku,price_cents", "size": "50"}


def test_the_page_number_is_in_the_title(shop: TestClient) -> None:
    link = BeautifulSoup(shop.get(URL).text, "html.parser").select_one("nav.pager a[rel=next]")
    assert link is not None
    page = BeautifulSoup(shop.get(str(link["href"])).text, "html.parser")
    assert page.title is not None
    assert ", page 2 · " in page.title.text


@pytest.mark.parametrize(
    "query",
    [
        "after=AAAA",
        "after=%00",
        "before=W10",
        "sort=nothing",
        "size=7",
        "columns=x",
        "availability=no",
        "page=-3",
        "q=%00",
        "after=W251bGwsIjEyMyJd",
        "q=" + "a" * 5000,
        "view=svw_x",
        "view=%27",
    ],
)
def test_addresses_that_nobody_made_show_the_list(shop: TestClient, query: str) -> None:
    assert shop.get(f"{URL}?{query}").status_code == 200


def test_a_list_without_rows_and_one_without_matches_differ(shop: TestClient, owner_engine: Engine) -> None:
    page = BeautifulSoup(shop.get(f"{URL}?q=zzz").text, "html.parser")
    assert page.select_one(".empty a[href$='?view=']") is not None
    with owner_engine.begin() as connection:
        connection.execute(text("DELETE FROM products"))
    page = BeautifulSoup(shop.get(URL).text, "html.parser")
    assert page.select_one(".empty h2") is not None
    assert page.select_one(".empty a[href$='?view=']") is None


def exported(shop: TestClient, **values: object) -> list[list[str]]:
    token = token_of(shop.get(URL))
    answer = shop.post(f"{URL}/export", data={"csrf_token": token, **values})
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_the_export_has_the_shown_rows_and_columns(shop: TestClient, owner_engine: Engine) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE products SET brand = '=1+1' WHERE sku = 'S-0004'"))
    rows = exported(shop, query="availability=out_of_stock&columns=sku,brand,price_cents", rows="all")
    assert rows[0] == ["Title", "SKU", "Brand", "Price"]
    assert len(rows) == 33
    assert rows[1] == ["S-0004", "S-0004", "'=1+1", "4.00"]
    assert len(exported(shop, query="", rows="page")) == 21


def test_the_export_of_another_language_has_semicolons(shop: TestClient) -> None:
    shop.cookies.set("wm_lang", "fr")
    token = token_of(shop.get(URL))
    answer = shop.post(
        f"{URL}/export", data={"csrf_token": token, "query": "columns=price_cents", "rows": "page"}
    )
    assert re.search(r"^S-0001;1,00\r$", answer.content.decode("utf-8-sig"), re.MULTILINE)


@settings(max_examples=60, deadline=None)
@given(
    value=st.one_of(st.none(), st.text(max_size=20), st.integers(-(2**63), 2**63 - 1), st.booleans()),
    is_before=st.booleans(),
)
def test_places_survive_the_address(value: object, is_before: bool) -> None:
    place = Place(value, "0198c0de-0000-7000-8000-000000000000", is_before)
    assert Place.decode(place.encode(), is_before=is_before) == place


@given(st.text(max_size=60))
def test_no_text_breaks_reading_a_place(text_given: str) -> None:
    place = Place.decode(text_given, is_before=False)
    assert place is None or isinstance(place.key, str)


def test_all_rows_can_be_read_in_chunks(shop: TestClient) -> None:
    vendor = get_vendor("MINETT")
    with unit_of_work(TenantScope(vendor.id, vendor.company_id)) as session:
        state = ListState(sort="-price_cents")
        chunks = list(list_query.read_all(session, PRODUCTS, state, "en"))
    prices = [row.price_cents for rows in chunks for row in rows]
    assert len(prices) == 130
    assert prices == sorted(prices, reverse=True)
