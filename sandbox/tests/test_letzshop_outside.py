"""The stand-in for Letzshop towards others: it pulls feeds, tells what happened, and shows pages to people."""

import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from playwright.sync_api import Browser

from sandbox.letzshop.control import DOORS
from sandbox.letzshop.feeds import Reading, read_feed
from sandbox.letzshop.pushing import push_waiting, signature
from sandbox.letzshop.settings import DEFAULTS, WORDS
from sandbox.letzshop.state import Letzshop
from sandbox.letzshop.testing import LetzshopBox
from sandbox.store import Store
from sandbox.testing import NO_TLS, Sandbox
from sandbox.tests.test_browser import browser, check  # noqa: F401 - a fixture

HEADER = "id\ttitle\tdescription\tprice\tsale_price\tavailability\tgtin\tbrand\tgoogle_product_category\tboost_sort"
MUG = "MUG\tTasse\tBleue\t19.99 EUR\t\tin_stock\t0012345678905\tMugs\tHome & Garden > Mugs\t1.0"
HAT = "HAT\tChapeau\t\t30.00 EUR\t25.5 EUR\tout of stock\t\t\t\t"


class Feed:
    """A file on the web, with a tag; and whatever was posted to it."""

    def __init__(self) -> None:
        self.content = b""
        self.statuses: list[int] = []
        self.posts: list[tuple[str, bytes]] = []
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                tag = f'"{hashlib.sha256(feed.content).hexdigest()}"'
                status = 304 if self.headers.get("if-none-match") == tag else 200 if feed.content else 404
                feed.statuses.append(status)
                self.send_response(status)
                self.send_header("ETag", tag)
                self.send_header("Content-Length", str(len(feed.content) if status == 200 else 0))
                self.end_headers()
                if status == 200:
                    self.wfile.write(feed.content)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                feed.posts.append((self.path, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/feed"

    def say(self, *rows: str) -> None:
        self.content = "\r\n".join((HEADER, *rows, "")).encode()


@pytest.fixture
def feed() -> Iterator[Feed]:
    made = Feed()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def letzshop(box: Sandbox) -> LetzshopBox:
    found = box.letzshop()
    found.door("/clear")
    found.door("/shops", code="ABC", name="A B C", slug="a-b-c")
    found.door("/settings", feed_seconds=0)
    return found


def test_a_feed_becomes_products_that_can_be_ordered(letzshop: LetzshopBox, feed: Feed) -> None:
    def pull() -> dict[str, object]:
        pulled: dict[str, object] = letzshop.door("/pull", shop="ABC")["data"][0]
        return pulled

    letzshop.door("/feeds", shop="ABC", feeds={"fr": feed.url})
    assert pull()["status"] == 404
    feed.say(MUG, HAT, "BAD\t\t\tfree\t\tmaybe\t123\t\t\t", MUG)
    report = pull()
    assert (report["rows"], report["bad_rows"], report["changed"]) == (2, 2, 2)
    problems = {(one["line"], one["column"]) for one in report["problems"]}  # type: ignore[attr-defined]
    assert problems == {(4, "title"), (4, "price"), (4, "availability"), (4, "gtin"), (5, "id")}
    listed = {one["sku"]: one for one in letzshop.look("/listings?shop=ABC")["data"]}
    assert (listed["MUG"]["price_cents"], listed["MUG"]["name"]) == (1999, {"fr": "Tasse"})
    assert (listed["HAT"]["price_cents"], listed["HAT"]["availability"]) == (2550, "out_of_stock")
    assert pull()["status"] == 304
    order = letzshop.place(shop="ABC", unknown_share=0)[0]
    assert {unit["product"]["sku"] for unit in order["shipments"][0]["units"]} == {"MUG"}
    letzshop.door("/feeds", shop="ABC", feeds={"de": feed.url})
    assert [one["status"] for one in letzshop.door("/pull")["data"]] == [200, 304]
    feed.say(MUG.replace("19.99", "21.00"))
    report = pull()
    assert (report["changed"], report["gone"]) == (1, 1)
    after = letzshop.look("/listings?shop=ABC")["data"]
    assert [(one["id"], one["price_cents"]) for one in after] == [(listed["MUG"]["id"], 2100)]
    assert after[0]["changed_at"] > listed["MUG"]["changed_at"]
    taxons = letzshop.ask("{ taxons { nodes { slug parent { name { en } } } } }").json()["data"]["taxons"]
    assert taxons["nodes"] == [{"slug": "home-garden-mugs", "parent": {"name": {"en": "Home & Garden"}}}]
    feed.say(MUG, HAT)
    pull()
    back = {one["sku"]: one["id"] for one in letzshop.look("/listings?shop=ABC")["data"]}
    assert back == {sku: one["id"] for sku, one in listed.items()}


def test_a_sale_is_on_between_its_dates_only(letzshop: LetzshopBox, box: Sandbox, feed: Feed) -> None:
    def at(day: int) -> datetime:
        return datetime(2030, 1, day, tzinfo=UTC)

    def offered() -> tuple[int, str, int]:
        """What listings, the API and an order say of the price."""
        (listed,) = letzshop.look("/listings?shop=ABC")["data"]
        said = letzshop.ask("{ products { nodes { variants { price } } } }").json()["data"]["products"][
            "nodes"
        ]
        (order,) = letzshop.door("/place", shop="ABC", lines=[{"sku": "MUG"}])["data"]
        return listed["price_cents"], said[0]["variants"][0]["price"], order["total_cents"]

    letzshop.door("/feeds", shop="ABC", feeds={"fr": feed.url})
    dates = f"{at(5).isoformat()}/{at(9).isoformat()}"
    cells = (
        "id\ttitle\tprice\tsale_price\tsale_price_effective_date\r\nMUG\tMug\t19.99 EUR\t15.00 EUR\t{}\r\n"
    )
    feed.content = cells.format("soon").encode()
    (report,) = letzshop.door("/pull", shop="ABC")["data"]
    assert [one["column"] for one in report["problems"]] == ["sale_price_effective_date"]
    feed.content = cells.format(dates).encode()
    letzshop.door("/pull", shop="ABC")
    seen = []
    for day in (4, 6, 10):
        box.control("POST", "/clock", {"frozen_at": int(at(day).timestamp())})
        seen.append(offered()[::2])
    box.control("POST", "/clock", {"frozen_at": int(at(6).timestamp())})
    assert float(offered()[1]) == 15
    box.control("POST", "/clock", {"frozen_at": None})
    assert seen == [(1999, 1999), (1500, 1500), (1999, 1999)]


def test_feeds_are_pulled_by_themselves(letzshop: LetzshopBox, feed: Feed) -> None:
    feed.say(MUG)
    letzshop.door("/settings", feed_seconds=0.2)
    letzshop.door("/feeds", shop="ABC", feeds={"fr": feed.url})
    for _ in range(200):
        if letzshop.look("/listings?shop=ABC&sku=MUG")["data"]:
            break
        threading.Event().wait(0.02)
    assert letzshop.look("/listings?shop=ABC&sku=MUG")["data"][0]["availability"] == "in_stock"


def test_a_feed_may_be_split_by_commas_and_must_have_its_columns() -> None:
    rows = list(read_feed('\ufeffid,title,price\nA,"One, two",5 EUR\n'.encode(), Reading()))
    assert [(row.sku, row.title, row.price_cents) for row in rows] == [("A", "One, two", 500)]
    for content in (b"id\ttitle\nA\tB\n", b"", b"\xff\xfe"):
        with pytest.raises(ValueError):
            list(read_feed(content, Reading()))


def test_the_push_is_signed_and_off_at_first(feed: Feed) -> None:
    letzshop = Letzshop(Store(), "http://stand-in/letzshop")
    shipment = {"id": "s1", "shop": "ABC"}
    with letzshop.work():
        letzshop.note("order_placed", shipment)
        letzshop.change_settings({"push_url": feed.url, "push_secret": "hush"})
        letzshop.note("order_changed", shipment)
    assert push_waiting(letzshop) == 1
    assert push_waiting(letzshop) == 0
    [(path, body)] = feed.posts
    signed = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    assert signed["auth_signature"] == signature("hush", int(signed["auth_timestamp"]), body.decode())
    assert b'"order_changed"' in body


def test_a_person_orders_without_scripts(box: Sandbox) -> None:
    with httpx2.Client(base_url=f"{box.url}/letzshop", trust_env=False, verify=NO_TLS) as client:
        assert "lz_test_moselle_manager" in client.get("/shops/MOSELLE").text
        answer = client.post("/place", data={"shop": "MOSELLE", "product": "", "quantity": "1"})
        assert (answer.status_code, "Choose a product" in answer.text) == (422, True)
        assert client.get("/shops/NOBODY").status_code == 404
        foreign = client.post("/place", data={"count": "1"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert foreign.status_code == 403
        assert client.post("/place", data={"count": "2", "unknown": "0"}).status_code == 303
        client.post("/faults", data={"act": "add", "name": "html_page", "times": "2"})
        assert "2 more" in client.get("/faults").text
        client.post("/faults", data={"act": "clear"})
        asked = {"key": "", "query": '{ vendor(slug: "minett-outdoor") { name } }', "variables": ""}
        assert "Minett Outdoor" in client.post("/playground", data=asked).text
        assert "type Shipment" in client.get("/schema.graphql").text


@pytest.mark.browser
def test_the_pages_in_a_browser(box: Sandbox, browser: Browser) -> None:  # noqa: F811 - the fixture
    page = browser.new_page(viewport={"width": 320, "height": 700})
    page.goto(f"{box.url}/letzshop")
    check(page)
    page.get_by_role("link", name="Maison Moselle").click()
    check(page)
    page.get_by_label("Product 1").select_option(index=1)
    page.get_by_label("Pieces").first.fill("3")
    page.get_by_role("button", name="Place this order").click()
    page.locator("input[name=unit]").first.check()
    page.get_by_role("button", name="The shop has them").click()
    page.get_by_role("button", name="courier takes it").click()
    assert page.get_by_text("confirmed available").count() == 1
    assert page.get_by_text("GRECO").is_visible()
    page.locator("input[name=unit]").nth(1).check()
    page.get_by_role("button", name="sends them back").click()
    assert "cannot come back" in page.get_by_role("alert").inner_text()
    check(page)
    page.get_by_role("link", name="Faults and switches").click()
    page.get_by_label("tracking_bug").uncheck()
    page.get_by_role("button", name="Save the switches").click()
    assert not page.get_by_label("tracking_bug").is_checked()
    check(page)
    page.get_by_role("link", name="Playground").click()
    page.get_by_role("button", name="Ask").click()
    assert '"unconfirmed"' in page.locator("pre").inner_text()
    check(page)
    page.close()


def test_the_readme_names_every_door_and_switch() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    for method, path, _door in DOORS:
        assert f"`{method} {path}`" in readme, (method, path)
    assert set(DEFAULTS) == set(WORDS)
    for name in DEFAULTS:
        assert f"`{name}`" in readme, name
