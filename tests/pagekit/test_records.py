"""The page of a record: its neighbours in the list one came from, what developers see, and comments."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx2
import orjson
import pytest
from bs4 import BeautifulSoup, Tag
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.modules.menu import AREA_ROOTS, pages
from app.modules.registry import modules
from app.testing.browsing import sign_in, token_of
from app.testing.records import find_address

URL = "/vendor/MINETT/products"
_PRODUCTS = """
    INSERT INTO products (id, vendor_id, sku, brand, price_cents, currency, availability, additional_image_links,
        attributes, is_active, edited_fields, created_at, updated_at, version)
    SELECT gen_random_uuid(), vendors.id, 'S-' || lpad(n::text, 4, '0'), CASE WHEN n % 3 > 0 THEN 'Brand ' || n % 4 END,
        (n % 5) * 100, 'EUR', CASE WHEN n % 4 = 0 THEN 'out_of_stock' ELSE 'in_stock' END, '{}', '{}', true, '{}',
        now(), now(), 1
    FROM vendors, generate_series(1, 25) n WHERE vendors.code = 'MINETT'
"""


@pytest.fixture
def shop(client: TestClient, owner_engine: Engine) -> TestClient:
    with owner_engine.begin() as connection:
        connection.execute(text("DELETE FROM products"))
        connection.execute(text(_PRODUCTS))
    sign_in(client, "vendor", "owner@minett.example")
    client.cookies.set("wm_lang", "en")
    return client


def soup_of(shop: TestClient, url: str) -> BeautifulSoup:
    page = shop.get(url)
    assert page.status_code == 200
    return BeautifulSoup(page.text, "html.parser")


def found(page: Tag, selector: str) -> Tag:
    tag = page.select_one(selector)
    assert tag is not None, selector
    return tag


@pytest.mark.parametrize(
    "query", ["", "sort=-price_cents", "sort=brand", "sort=-brand", "availability=out_of_stock&sort=-sku"]
)
def test_neighbours_follow_the_list_one_came_from(shop: TestClient, query: str) -> None:
    rows = soup_of(shop, f"{URL}?{query}&size=50").select("tbody th a")
    expected = [row.get_text(strip=True) for row in rows]
    url, seen = str(rows[0]["href"]), []
    while url:
        page = soup_of(shop, url)
        seen.append(found(page, "h1").get_text(strip=True))
        onward = page.select_one(".trail a[rel=next]")
        if onward:
            back = soup_of(shop, str(onward["href"])).select_one(".trail a[rel=prev]")
            assert back is not None
            assert back.get_text(strip=True) == f"Previous: {seen[-1]}"
        url = str(onward["href"]) if onward else ""
    assert seen == expected
    assert len(seen) in (25, 6)


def test_the_way_back_leads_to_the_list_as_it_was(shop: TestClient) -> None:
    second = str(
        found(
            soup_of(shop, f"{URL}?sort=-sku&availability=in_stock&availability=out_of_stock"),
            "nav.pager a[rel=next]",
        )["href"]
    )
    row = str(found(soup_of(shop, second), "tbody th a")["href"])
    back = str(found(soup_of(shop, row), ".back-link")["href"])
    assert parse_qs(urlsplit(back).query) == parse_qs(urlsplit(second).query)


def test_the_archive_is_a_list_of_its_own(shop: TestClient, owner_engine: Engine) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE products SET archived_at = now() WHERE sku IN ('S-0003', 'S-0009')"))
    rows = soup_of(shop, f"{URL}/archived").select("tbody th a")
    page = soup_of(shop, str(rows[0]["href"]))
    assert "S-0009" in found(page, ".trail a[rel=next]").get_text()
    assert page.select_one(".trail a[rel=prev]") is None
    assert str(found(page, ".back-link")["href"]).startswith(f"{URL}/archived?")


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "nothing",
        "catalog.vendor.products?sort=x&after=%00&size=9",
        "marketplace.vendor.imports",
        "tenancy.admin.vendors",
        "//evil.example",
        "catalog.vendor.products?q=nowhere",
        "x" * 9000,
    ],
)
def test_any_other_word_shows_the_record_all_the_same(shop: TestClient, origin: str) -> None:
    row = str(found(soup_of(shop, URL), "tbody th a")["href"]).partition("?")[0]
    page = shop.get(row, params={"from": origin})
    assert page.status_code == 200
    back = BeautifulSoup(page.text, "html.parser").select_one(".back-link")
    assert back is not None
    assert str(back["href"]).startswith(URL)


def test_developers_see_what_is_stored_and_where_programs_read_it(shop: TestClient) -> None:
    row = str(found(soup_of(shop, URL), "tbody th a")["href"]).partition("?")[0]
    drawer = found(soup_of(shop, row), "#raw-data")
    public = row.rpartition("/")[2]
    assert f"GET /api/v1/vendor/products/{public}" in drawer.get_text()
    assert '"sku": "S-0001"' in found(soup_of(shop, row), "#raw-json").get_text()


def test_what_is_done_with_a_record_keeps_the_list_one_came_from(shop: TestClient) -> None:
    query = "sort=-sku"
    url = str(found(soup_of(shop, f"{URL}?{query}"), "tbody th a")["href"])
    page = soup_of(shop, url)
    state = next(str(form["action"]) for form in page.select("form[action*='/state']"))
    token = {"csrf_token": str(found(page, "[name=csrf_token]")["value"])}
    assert (
        shop.post(state, data={**token, "to": "deactivate"}, follow_redirects=False).headers["location"]
        == url
    )
    # A form of a block posts to an address of its own.
    plain, referer = state.partition("?")[0], {"referer": f"http://testserver{url}"}
    answer = shop.post(plain, data={**token, "to": "activate"}, headers=referer, follow_redirects=False)
    assert answer.headers["location"] == url
    answer = shop.post(plain, data={**token, "to": "activate"}, follow_redirects=False)
    assert answer.headers["location"] == url.partition("?")[0]
    edit = soup_of(shop, str(found(page, ".page-head a.btn-primary, a.btn-primary[href*='/edit']")["href"]))
    assert str(found(edit, ".back-link")["href"]) == url
    form = found(edit, "main form[data-guard]")
    values = {
        str(one["name"]): str(one.get("value", "")) for one in form.select("input:not([type=checkbox])")
    } | {str(one["name"]): str(found(one, "option[selected]")["value"]) for one in form.select("select")}
    assert shop.post(str(form["action"]), data={**values, "price_cents": "x"}).status_code == 422
    saved = shop.post(str(form["action"]), data=values, follow_redirects=False)
    assert saved.headers["location"] == url
    assert soup_of(shop, url).select_one(".trail a")


RECORDS = [
    page
    for page in pages().values()
    if any(page.path.endswith(f"{{{name}}}") for one in modules().values() for name in one.public_ids)
    and page.kind in ("detail", "job")
]


def opened(client: TestClient, path: str) -> BeautifulSoup:
    """The page of a record; where it asks for a reason first, with one given."""
    page = soup_of(client, path)
    door = page.select_one(f"form[action='{path}/open']")
    if door is None:
        return page
    assert page.select_one("#raw-json") is None
    token = str(found(door, "[name=csrf_token]")["value"])
    assert (
        client.post(str(door["action"]), data={"csrf_token": token, "reason": "Ticket 7"}).status_code == 303
    )
    return soup_of(client, path)


def test_every_record_shows_what_is_stored(client: TestClient, owner_engine: Engine) -> None:
    client.cookies.set("wm_lang", "en")
    seen = set()
    for area, email in (("vendor", "owner@moselle.example"), ("admin", "admin@wizamart.example")):
        sign_in(client, area, email)
        for page in (one for one in RECORDS if one.area == area):
            path = find_address(
                AREA_ROOTS[area] + page.path, owner_engine, "MOSELLE", "owner@moselle.example"
            )
            if path is None:
                continue
            stored = orjson.loads(found(opened(client, path), "#raw-json").get_text())
            assert stored.get("id") or stored["summary"]["id"], page.id
            shown = {value for name, value in stored.items() if name.endswith(("_hash", "token", "_secret"))}
            assert {value for value in shown if not isinstance(value, bool)} <= {"***", None}, page.id
            assert not [name for name, value in stored.items() if str(value).startswith("b'")], page.id
            seen.add(page.id)
    assert {
        "tenancy.admin.user",
        "tenancy.vendor.role",
        "tenancy.vendor.member",
        "monitoring.admin.job",
    } <= seen


def test_others_do_not(shop: TestClient) -> None:
    row = str(found(soup_of(shop, URL), "tbody th a")["href"]).partition("?")[0]
    shop.cookies.clear()
    sign_in(shop, "vendor", "team@minett.example")
    page = shop.get(row)
    assert page.status_code == 200
    assert "raw-data" not in page.text


def comment(shop: TestClient, url: str, **values: str) -> httpx2.Response:
    page = soup_of(shop, url)
    form = found(page, ".comment-form")
    fields = {str(one["name"]): str(one["value"]) for one in form.select("input[type=hidden]")}
    fields["csrf_token"] = token_of(shop.get(url))
    return shop.post(str(form["action"]), data=fields | {"text": "Ask the maker"} | values)


def test_a_comment_stands_in_the_history(shop: TestClient) -> None:
    row = str(found(soup_of(shop, URL), "tbody th a")["href"])
    said = comment(shop, row, text="Ask <b>the maker</b>\nbefore Monday")
    assert said.headers["location"] == f"{row}#timeline"
    entry = found(soup_of(shop, row), ".timeline .is-comment")
    assert (
        found(BeautifulSoup(str(entry), "html.parser"), ".comment-text").get_text()
        == "Ask <b>the maker</b>\nbefore Monday"
    )
    other = str(soup_of(shop, URL).select("tbody th a")[1]["href"])
    assert soup_of(shop, other).select_one(".is-comment") is None


def test_a_comment_needs_the_page_and_a_real_id(shop: TestClient, owner_engine: Engine) -> None:
    row = str(found(soup_of(shop, URL), "tbody th a")["href"])
    assert comment(shop, row, page_id="tenancy.admin.vendors").status_code == 404
    assert comment(shop, row, page_id="nothing").status_code == 404
    assert comment(shop, row, target="prd_x").status_code == 404
    assert comment(shop, row, text="  ").status_code == 303
    assert comment(shop, row, back="//evil.example").headers["location"] == "/vendor/MINETT"
    with owner_engine.begin() as connection:
        texts = connection.execute(text("SELECT text FROM record_comments")).scalars().all()
    assert texts == ["Ask the maker"]


def test_letters_lead_to_the_pages_of_the_menu(shop: TestClient) -> None:
    page = soup_of(shop, URL)
    keys = {str(link["data-go"]): str(link["href"]) for link in page.select(".sidebar [data-go]")}
    assert keys["p"] == URL
    assert keys["h"] == "/vendor/MINETT"
    sheet = found(page, "#shortcuts").get_text(" ", strip=True)
    assert re.search(r"g p Go to: Products", sheet)
