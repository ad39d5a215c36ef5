"""Every declared page, as the people who may open it see it.

Words are read from what the server sends, in every language, without a browser. A browser shows each page once: axe
looks at it in the light, and once more in the dark at what a theme can change; then keys, places and widths. The
narrow width is asked in every language (``places.py``). Menus and bars around pages are given to axe with the first
page of an area.
"""

import re
from collections.abc import Callable, Sequence

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page, expect

from app.modules.base import PageDef
from tests.e2e.conftest import Keyring, OpenBrowser, Site, Visitor
from tests.e2e.people import BRAND, OWNER, VENDOR, VIEWER, Person, address, crawl
from tests.e2e.places import faults_of_places, faults_when_narrow
from tests.e2e.reading import body_of, faults_of_texts, read

pytestmark = pytest.mark.browser
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
RULES = {"type": "tag", "values": TAGS}
OF_COLOURS = {"type": "rule", "values": ("color-contrast", "link-in-text-block")}
SHELL = ([".sidebar"], [".shell-page > .topbar"])  # the same around all pages of an area
LOOK = """async ({rules, inTheDark, without}) => {
    const look = async (runOnly) => {
        const found = await axe.run({include: [["html"]], exclude: without}, {runOnly, resultTypes: ["violations"]});
        return found.violations;
    };
    const found = await look(rules);
    if (!inTheDark) return found;
    const atOnce = new CSSStyleSheet();
    atOnce.replaceSync("*, ::before, ::after { transition: none !important; }");
    document.adoptedStyleSheets = [atOnce];
    document.documentElement.dataset.theme = "dark";
    return [...found, ...(await look(inTheDark))];
}"""
OTHER_LOOKS = {"fr": "dark", "de": "dark", "lb": "light"}  # than the one in English and the light


def check_texts(page: Page, language: str, theme: str, tenant: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert faults_of_texts(page.content(), language, theme, tenant) == []


def check_accessible(page: Page, *, has_dark: bool = False, without: Sequence[Sequence[str]] = ()) -> None:
    """Ask axe, whose script the page has, in the theme that it shows and in the dark one."""
    asked = {"rules": RULES, "inTheDark": OF_COLOURS if has_dark else None, "without": without}
    results = AxeResults({"violations": page.evaluate(LOOK, asked)})
    assert results.violations_count == 0, results.generate_report()


def check_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("href", "#main")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def other_languages(visitor: Visitor, person: Person, path: str, tenant: str) -> dict[str, str]:
    """The page's bodies in the other languages, once their words are looked at."""
    bodies = {}
    for language, theme in OTHER_LOOKS.items():
        answer = read(visitor(person), path, language, theme, follows=True)
        assert answer.status_code == 200, f"{path} in {language}"
        assert faults_of_texts(answer.text, language, theme, tenant) == []
        bodies[language] = body_of(answer.text)
    return bodies


@pytest.mark.parametrize(
    ("person", "declared"),
    [pytest.param(*case, id=f"{case[0].name}-{case[1].id}") for case in crawl()],
)
def test_page(
    window: Callable[[Person], Page], visitor: Visitor, site: Site, person: Person, declared: PageDef
) -> None:
    path = address(declared, site.owner)
    page = window(person)
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200
    check_texts(page, "en", "light", person.tenant)
    bodies = {}
    if person is not VIEWER:  # who is shown by the same templates as the owner
        bodies = other_languages(visitor, person, path, person.tenant)
        check_accessible(page, has_dark=True, without=SHELL if declared.path else ())
    check_keyboard(page)
    assert faults_of_places(page) == []
    assert faults_when_narrow(page, bodies) == []


def test_refusals_are_pages_too(browse: OpenBrowser, keyring: Keyring) -> None:
    page = browse("fr", "dark", storage_state=keyring(VIEWER)).new_page()
    for path, status in ((f"/vendor/{VENDOR}/imports/new", 403), (f"/vendor/{VENDOR}/nothing/here", 404)):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == status
        check_texts(page, "fr", "dark", BRAND)
        page.evaluate(AXE_SCRIPT)
        check_accessible(page)
        check_keyboard(page)


def test_a_form_with_errors_leads_to_them(browse: OpenBrowser, keyring: Keyring) -> None:
    page = browse(storage_state=keyring(OWNER)).new_page()
    page.goto(f"/vendor/{VENDOR}/imports/new")
    page.get_by_label("Language (optional)", exact=True).select_option("de")
    page.get_by_role("button", name="Start the import").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile(r"^Error: "))
    expect(page.get_by_label("Language (optional)", exact=True)).to_have_value("de")
    page.evaluate(AXE_SCRIPT)
    check_accessible(page)
    summary.get_by_role("link").first.click()
    expect(page.get_by_label("File (optional)")).to_be_focused()
