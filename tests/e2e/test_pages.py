"""Every declared page, as the people who may open it see it."""

import re
from collections.abc import Callable, Mapping

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, StorageState, expect

from app.modules.base import PageDef
from app.modules.registry import modules
from tests.e2e.conftest import OpenBrowser, Site, Watch, dress
from tests.e2e.people import (
    BRAND,
    OWNER,
    VENDOR,
    VIEWER,
    Person,
    address,
    crawl,
)
from tests.e2e.places import faults_of_places, faults_when_narrow

pytestmark = pytest.mark.browser
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
RULES = {"type": "tag", "values": TAGS}
OF_COLOURS_AND_SIZES = {"type": "rule", "values": ("color-contrast", "link-in-text-block", "target-size")}
KEYS = re.compile(rf"\b(?:{'|'.join([*modules(), 'ui', 'errors'])})\.[a-z_]+(?![\w/@])")
EVENTS = {name for module in modules().values() for name in module.publishes}  # are shown by their names
SPILT = re.compile(r"\bNone\b|\bundefined\b|\bNaN\b|\[object|\{\{|%\(")
# Each language once. What axe looks at: everything once, and in the other theme what a theme can change.
LOOKS = (
    ("en", "light", RULES),
    ("fr", "dark", OF_COLOURS_AND_SIZES),
    ("de", "dark", None),
    ("lb", "light", None),
)
AT_A_GLANCE = (("en", "light", None),)  # pages that somebody else is shown whole
# Names of tasks, permissions and the like stand in <code>; they are no texts.
SHOWN = """() => {
    const body = document.body.cloneNode(true);
    for (const code of body.querySelectorAll("code, pre, kbd, textarea, script")) code.remove();
    return body.textContent;
}"""


def check_texts(page: Page, language: str, tenant: str) -> None:
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert re.fullmatch(rf"\S.* · {re.escape(tenant)}", page.title()), page.title()
    shown = page.title() + "\n" + page.evaluate(SHOWN)
    assert set(KEYS.findall(shown)) - EVENTS == set()
    assert SPILT.findall(shown) == []


def check_accessible(page: Page, rules: Mapping[str, object] = RULES) -> None:
    results = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()


def check_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("href", "#main")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize(
    ("person", "declared"),
    [pytest.param(*case, id=f"{case[0].name}-{case[1].id}") for case in crawl()],
)
def test_page(
    browse: OpenBrowser,
    keyring: Callable[[Person], StorageState | None],
    quiet: Watch,
    site: Site,
    person: Person,
    declared: PageDef,
) -> None:
    context = browse(storage_state=keyring(person))
    page = context.new_page()
    quiet.on(page)
    path = address(declared, site.owner)
    for language, theme, rules in LOOKS if person is not VIEWER else AT_A_GLANCE:
        dress(context, site, language, theme)
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path} in {language}"
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        check_texts(page, language, person.tenant if declared.area == person.area else BRAND)
        if rules:
            check_accessible(page, rules)
    check_keyboard(page)
    assert faults_of_places(page) == []
    assert faults_when_narrow(page) == []


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
    page.get_by_label("Language (optional)", exact=True).select_option("de")
    page.get_by_role("button", name="Start the import").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile(r"^Error: "))
    expect(page.get_by_label("Language (optional)", exact=True)).to_have_value("de")
    check_accessible(page)
    summary.get_by_role("link").first.click()
    expect(page.get_by_label("File (optional)")).to_be_focused()
