"""Every declared page, as the people who may open it see it."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, StorageState, ViewportSize, expect

from app.modules.base import PageDef
from app.modules.registry import modules
from tests.e2e.conftest import OpenBrowser, Watch
from tests.e2e.people import (
    BRAND,
    OWNER,
    VENDOR,
    VIEWER,
    Person,
    address,
    address_pattern,
    crawl,
    is_of_record,
    list_of,
)

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
KEYS = re.compile(rf"\b(?:{'|'.join([*modules(), 'ui', 'errors'])})\.[a-z_]+(?![\w/@])")
SPILT = re.compile(r"\bNone\b|\bundefined\b|\bNaN\b|\[object|\{\{|%\(")
NARROW: ViewportSize = {"width": 320, "height": 700}


def open_page(page: Page, declared: PageDef) -> int:
    """Go there as people do: to a record through the first link of its list. Returns the status."""
    path = address(declared)
    if is_of_record(declared):
        page.goto(address(list_of(declared)))
        links = page.get_by_role("main").get_by_role("link")
        paths = links.evaluate_all("links => links.map(link => new URL(link.href).pathname)")
        path = next(path for path in paths if address_pattern(declared).fullmatch(path))
    answer = page.goto(path)
    assert answer is not None
    return answer.status


def check_texts(page: Page, language: str, tenant: str) -> None:
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert re.fullmatch(rf"\S.* · {re.escape(tenant)}", page.title()), page.title()
    shown = page.title() + "\n" + page.locator("body").inner_text()
    assert KEYS.findall(shown) == []
    assert SPILT.findall(shown) == []


def check_accessible(page: Page) -> None:
    results = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()


def check_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("href", "#main")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def check_narrow(page: Page) -> None:
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


@pytest.mark.parametrize(
    ("person", "declared", "language", "theme"),
    [pytest.param(*case, id=f"{case[0].name}-{case[1].id}-{case[2]}-{case[3]}") for case in crawl()],
)
def test_page(
    browse: OpenBrowser,
    keyring: Callable[[Person], StorageState | None],
    quiet: Watch,
    person: Person,
    declared: PageDef,
    language: str,
    theme: str,
) -> None:
    page = browse(language, theme, storage_state=keyring(person)).new_page()
    quiet.on(page)
    assert open_page(page, declared) == 200
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    check_texts(page, language, person.tenant if declared.area == person.area else BRAND)
    check_accessible(page)
    check_keyboard(page)
    check_narrow(page)


def test_refusals_are_pages_too(
    browse: OpenBrowser, keyring: Callable[[Person], StorageState | None]
) -> None:
    page = browse("fr", "dark", storage_state=keyring(VIEWER)).new_page()
    for path, status in ((f"/vendor/{VENDOR}/imports/new", 403), (f"/vendor/{VENDOR}/nothing/here", 404)):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == status
        check_texts(page, "fr", BRAND)
        check_accessible(page)
        check_keyboard(page)


def test_a_form_with_errors_leads_to_them(
    browse: OpenBrowser, keyring: Callable[[Person], StorageState | None]
) -> None:
    page = browse(storage_state=keyring(OWNER)).new_page()
    page.goto(f"/vendor/{VENDOR}/imports/new")
    page.get_by_label("Language", exact=True).select_option("de")
    page.get_by_role("button", name="Start the import").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile(r"^Error: "))
    expect(page.get_by_label("Language", exact=True)).to_have_value("de")
    check_accessible(page)
    summary.get_by_role("link").first.click()
    expect(page.get_by_label("File", exact=True)).to_be_focused()
