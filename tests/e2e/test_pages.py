"""Every declared page, as the people who may open it see it.

Words are read from what the server sends, in every language, without a browser. A browser shows each page once, for
keys and places; then it is laid into two windows that stay: on axe's bench (``bench.py``), in the light and in the
dark, and into one as narrow as a telephone, in every language (``places.py``). Menus and bars around pages are looked
at with the first page of an area, and what of them is new with the others. Of a page that a viewer is shown, only the
words are read when there is nothing on it but what the owner's page is made of.
"""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from app.modules.base import PageDef
from tests.e2e.bench import ask_axe, ask_axe_about
from tests.e2e.conftest import Keyring, OpenBrowser, Site, Visitor, Windows
from tests.e2e.people import BRAND, OWNER, VENDOR, VIEWER, Person, address, crawl
from tests.e2e.places import faults_of_places, faults_when_narrow
from tests.e2e.reading import body_of, faults_of_ids, faults_of_texts, kinds_of, main_of, read

pytestmark = pytest.mark.browser
OTHER_LOOKS = {"fr": "dark", "de": "dark", "lb": "light"}  # than the one in English and the light
# Where the focus is, once the browser has come to an end with what a key began.
_FOCUS = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
    const {tagName, hash = "", id} = document.activeElement;
    done(`${tagName} ${hash || id}`);
})))"""


def check_texts(page: Page, language: str, theme: str, tenant: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert faults_of_texts(page.content(), language, theme, tenant) == []


def check_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate(_FOCUS) == "A #main"
    page.keyboard.press("Enter")
    assert page.evaluate(_FOCUS) == "MAIN main"


def text_of(visitor: Visitor, person: Person, path: str, language: str = "en", theme: str = "light") -> str:
    """A page as the server sends it, once its words are looked at."""
    answer = read(visitor(person), path, language, theme, follows=True)
    assert answer.status_code == 200, f"{path} in {language}"
    assert faults_of_texts(answer.text, language, theme, person.tenant) == []
    return answer.text


def shows_new(visitor: Visitor, path: str) -> bool:
    """Whether a page has for a viewer what it has not for the owner, but for other words."""
    return not kinds_of(text_of(visitor, VIEWER, path)) <= kinds_of(text_of(visitor, OWNER, path))


@pytest.mark.parametrize(
    ("person", "declared"),
    [pytest.param(*case, id=f"{case[0].name}-{case[1].id}") for case in crawl()],
)
def test_page(
    window: Callable[[Person], Windows], visitor: Visitor, site: Site, person: Person, declared: PageDef
) -> None:
    path, is_first = address(declared, site.owner), not declared.path
    if person is VIEWER and not is_first and not shows_new(visitor, path):
        return
    shown = window(person)
    answer = shown.page.goto(path)
    assert answer is not None
    assert answer.status == 200
    html = shown.page.content()
    assert faults_of_texts(html, "en", "light", person.tenant) == []
    assert faults_of_ids(html) == []
    check_keyboard(shown.page)
    assert faults_of_places(shown.page, within="body" if is_first else "main") == []
    others = {name: text_of(visitor, person, path, name, theme) for name, theme in OTHER_LOOKS.items()}
    parts = {name: body_of(text) if is_first else main_of(text) for name, text in others.items()}
    assert faults_when_narrow(shown.narrow, {"en": body_of(html), **parts}) == []
    ask_axe_about(html, shown.bench)


@pytest.mark.parametrize(
    ("before", "planted", "rule"),
    [
        pytest.param("</main>", "<p><input></p>", "label", id="in the page"),
        pytest.param("</tbody>", "<tr><td><a href='/'></a></td></tr>", "link-name", id="in a later row"),
        pytest.param("</nav>", "<a class='nav-link' href='/'></a>", "link-name", id="in the menu"),
        pytest.param("</dialog>", "</dialog><button></button>", "button-name", id="beside a dialog"),
        pytest.param("</main>", "<p><font color='#555'>Lost</font></p>", "color-contrast", id="in the dark"),
    ],
)
def test_the_bench_shows_what_is_wrong(
    window: Callable[[Person], Windows], visitor: Visitor, before: str, planted: str, rule: str
) -> None:
    bench, html = window(OWNER).bench, text_of(visitor, OWNER, f"/vendor/{VENDOR}/products")
    for _ in range(3):  # the menu is known by then
        ask_axe_about(html, bench)
    with pytest.raises(AssertionError, match=rf"\b{rule}\b"):
        ask_axe_about(html.replace(before, planted + before, 1), bench)


def test_refusals_are_pages_too(browse: OpenBrowser, keyring: Keyring) -> None:
    page = browse("fr", "dark", storage_state=keyring(VIEWER)).new_page()
    for path, status in ((f"/vendor/{VENDOR}/imports/new", 403), (f"/vendor/{VENDOR}/nothing/here", 404)):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == status
        check_texts(page, "fr", "dark", BRAND)
        page.evaluate(AXE_SCRIPT)
        ask_axe(page)
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
    ask_axe(page)
    summary.get_by_role("link").first.click()
    expect(page.get_by_label("File (optional)")).to_be_focused()
