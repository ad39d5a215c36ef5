"""The gallery in a real browser, under the content security policy that the product sends."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.core.templating import render
from app.testing.browsing import chromium
from app.ui.tests import sample

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = pytest.mark.browser


class Gallery(BaseHTTPRequestHandler):
    """/gallery?active=1&errors=1&theme=dark&q=…; work is done at the third look."""

    environment = sample.environment()
    looks = 0

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.startswith("/static/ui/"):
            file = sample.UI / "static" / url.path.removeprefix("/static/ui/")
            self._answer(file.read_bytes(), TYPES[file.suffix])
            return
        query = dict(parse_qsl(url.query))
        type(self).looks += 1
        context = sample.context(
            theme=query.get("theme", "light"),
            active=query.get("active") == "1" and self.looks < 3,
            errors={"name": "Write a name.", "mode": "Choose one."} if "errors" in query else {},
            query=query.get("q", ""),
        )
        context["rows"] = [row for row in context["rows"] if query.get("q", "") in row.name]
        self._answer(render(self.environment, "gallery.html", context).encode(), "text/html; charset=utf-8")

    def _answer(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Gallery) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/gallery"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium(), args=options)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose console must stay silent."""
    Gallery.looks = 0
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    page.close()
    assert said == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_in_both_themes(page: Page, address: str, theme: str) -> None:
    page.goto(f"{address}?theme={theme}&errors=1")
    results = Axe().run(page, options={"runOnly": RULES})
    assert results.violations_count == 0, results.generate_report()


def test_narrow_screens_do_not_scroll_sideways(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"{address}?errors=1")
    for summary in page.locator("summary:visible").all():
        summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.keyboard.press("Escape")


def test_keyboard_reaches_content_search_and_errors(page: Page, address: str) -> None:
    page.goto(address)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.goto(f"{address}?errors=1")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("link", name="Write a name.").click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()


def test_search_updates_rows_address_and_keeps_the_focus(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("searchbox").press_sequentially("Bell")
    expect(page.get_by_role("rowheader")).to_have_text(["Bell"])
    expect(page.get_by_role("searchbox")).to_be_focused()
    assert "q=Bell" in page.url
    page.go_back()
    expect(page.get_by_role("rowheader")).to_have_text(["Bowl <1>", "Bell"])


def test_polling_ends_with_the_work(page: Page, address: str) -> None:
    page.goto(f"{address}?active=1")
    region = page.locator("#job")
    expect(region).to_have_attribute("hx-trigger", "every 2s")
    expect(region).not_to_have_attribute("hx-trigger", "every 2s", timeout=10_000)
    page.wait_for_timeout(2_500)
    assert Gallery.looks == 3


def test_everything_works_without_scripts(browser: Browser, address: str) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(address)
    page.get_by_role("searchbox").fill("Bell")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("rowheader")).to_have_text(["Bell"])
    page.locator("summary", has_text="Language").click()
    expect(page.get_by_role("button", name="Français")).to_be_visible()
    page.close()
