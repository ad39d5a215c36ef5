"""The contracts of pages as people use them: lists by mouse and keys, saved views, forms, the palette, no scripts."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.e2e.conftest import OpenBrowser, Site
from tests.e2e.people import OWNER, VENDOR, VIEWER, Person

pytestmark = pytest.mark.browser
Keyring = Callable[[Person], StorageState | None]
PRODUCTS = f"/vendor/{VENDOR}/products"
ROLES = f"/vendor/{VENDOR}/roles"


@pytest.fixture
def owner(browse: OpenBrowser, keyring: Keyring) -> Page:
    """A window of somebody who may do everything."""
    return browse(storage_state=keyring(OWNER)).new_page()


def titles(page: Page) -> list[str]:
    """What the rows of a list are called."""
    return page.locator("tbody tr[data-row] th").all_inner_texts()


def test_searching_keeps_the_focus_and_writes_the_address(owner: Page) -> None:
    owner.goto(PRODUCTS)
    before = owner.get_by_role("status").first.inner_text()
    word = titles(owner)[0].split()[0]
    box = owner.get_by_role("searchbox").first
    box.click()
    box.press_sequentially(word)
    expect(owner).to_have_url(re.compile(rf"[?&]q={word}"))
    expect(owner.get_by_role("status").first).not_to_have_text(before)
    expect(box).to_be_focused()
    assert all(word.lower() in title.lower() for title in titles(owner))


def test_an_address_shows_the_same_rows_to_somebody_else_and_back_goes_back(
    owner: Page, browse: OpenBrowser, keyring: Keyring
) -> None:
    owner.goto(PRODUCTS)
    owner.get_by_role("link", name="Price").click()
    owner.get_by_label("Availability").first.select_option("in_stock")
    expect(owner).to_have_url(re.compile("availability=in_stock"))
    expect(owner.locator(".chip")).to_have_count(1)
    rows = titles(owner)
    other = browse(storage_state=keyring(VIEWER)).new_page()
    other.goto(owner.url)
    assert titles(other) == rows
    assert other.locator("th[aria-sort=ascending]").inner_text().strip() == "Price"
    owner.go_back()
    expect(owner.locator(".chip")).to_have_count(0)
    owner.reload()
    assert parse_qs(urlsplit(owner.url).query) == {"sort": ["price_cents"]}


def test_a_shared_view_is_a_tab_for_colleagues_who_may_not_change_it(
    owner: Page, browse: OpenBrowser, keyring: Keyring
) -> None:
    owner.goto(f"{PRODUCTS}?sort=-price_cents")
    owner.get_by_text("Save view").first.click()
    owner.get_by_label("Name of the view").fill("Dear ones")
    owner.get_by_label("Show it to colleagues").check()
    owner.get_by_role("button", name="Save view").click()
    expect(owner.get_by_role("link", name="Dear ones")).to_be_visible()
    colleague = browse(storage_state=keyring(VIEWER)).new_page()
    colleague.goto(PRODUCTS)
    colleague.get_by_role("link", name="Dear ones").click()
    expect(colleague.locator("th[aria-sort=descending]")).to_have_text("Price")
    expect(colleague.get_by_text("Delete view")).to_have_count(0)
    owner.get_by_role("link", name="Dear ones").click()
    owner.locator("summary", has_text="View").last.click()
    owner.get_by_role("button", name="Delete view").click()
    expect(owner.get_by_role("link", name="Dear ones")).to_have_count(0)


def test_a_list_is_worked_by_keys_alone(owner: Page) -> None:
    owner.goto(PRODUCTS)
    second = titles(owner)[1]
    owner.keyboard.press("/")
    expect(owner.get_by_role("searchbox").first).to_be_focused()
    owner.keyboard.press("Escape")
    owner.keyboard.press("j")
    owner.keyboard.press("j")
    expect(owner.locator("tr.is-current")).to_contain_text(second)
    owner.keyboard.press("Enter")
    expect(owner.get_by_role("heading", level=1)).to_contain_text(second)
    owner.keyboard.press("?")
    expect(owner.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")


def test_an_empty_form_leads_to_its_errors_and_keeps_what_was_typed(owner: Page) -> None:
    owner.goto(f"{ROLES}/new")
    owner.get_by_role("checkbox").first.check()
    owner.get_by_role("main").locator(".save-bar button").click()
    expect(owner.get_by_role("alert")).to_be_focused()
    expect(owner).to_have_title(re.compile(r"^Error: "))
    expect(owner.get_by_role("checkbox").first).to_be_checked()
    owner.get_by_role("alert").get_by_role("link").first.click()
    expect(owner.get_by_role("textbox", name="Name")).to_be_focused()


def test_a_form_sent_twice_makes_one_record(owner: Page, site: Site) -> None:
    owner.goto(f"{ROLES}/new")
    owner.get_by_role("textbox", name="Name").fill("Packers")
    owner.get_by_role("checkbox").first.check()
    form = owner.locator("form[data-guard]")
    answers = form.evaluate(
        """async (form) => {
            const send = () => fetch(form.action, {method: "POST", body: new URLSearchParams(new FormData(form))});
            return (await Promise.all([send(), send()])).map((answer) => answer.status);
        }"""
    )
    assert answers == [200, 200]
    assert site.rows("SELECT count(*) FROM roles WHERE name = 'Packers'") == [(1,)]


def test_who_saves_an_old_form_sees_both_values(
    owner: Page, browse: OpenBrowser, keyring: Keyring, site: Site
) -> None:
    owner.goto(ROLES)
    owner.locator("tbody th a").first.click()
    owner.get_by_role("main").get_by_role("link", name=re.compile("Edit|Change")).first.click()
    other = browse(storage_state=keyring(OWNER)).new_page()
    other.goto(owner.url)
    name = other.get_by_role("textbox", name="Name")
    was = name.input_value()
    name.fill(f"{was} two")
    other.locator(".save-bar button").click()
    owner.get_by_role("textbox", name="Name").fill(f"{was} three")
    owner.locator(".save-bar button").click()
    expect(owner.get_by_text("Somebody else changed this meanwhile")).to_be_visible()
    expect(owner.get_by_role("main")).to_contain_text(f"{was} two")
    expect(owner.get_by_role("textbox", name="Name")).to_have_value(f"{was} three")
    owner.locator(".save-bar button").click()
    expect(owner.get_by_role("main")).to_contain_text(f"{was} three")


def test_leaving_a_changed_form_asks(owner: Page) -> None:
    owner.goto(f"{ROLES}/new")
    asked: list[str] = []
    owner.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    owner.get_by_role("textbox", name="Name").press_sequentially("x")
    owner.get_by_role("link", name="Home").first.click()
    expect(owner).to_have_url(re.compile(f"/vendor/{VENDOR}$"))
    assert asked == ["beforeunload"]


def test_the_palette_opens_anywhere_and_leads_to_records(owner: Page) -> None:
    owner.goto(PRODUCTS)
    sku = owner.locator("tbody code").first.inner_text()
    title = titles(owner)[0]
    owner.goto(f"/vendor/{VENDOR}")
    owner.get_by_role("link", name=re.compile("Search and go to")).focus()
    owner.keyboard.press("Control+k")
    box = owner.get_by_role("combobox")
    expect(box).to_be_focused()
    expect(owner.get_by_role("option", name="Products").first).to_be_visible()
    box.press_sequentially(sku)
    expect(owner.get_by_role("option", selected=True)).to_contain_text(title)
    owner.keyboard.press("Enter")
    expect(owner.get_by_role("heading", level=1)).to_contain_text(title)
    owner.keyboard.press("Control+k")
    owner.keyboard.press("Escape")
    expect(owner.get_by_role("dialog")).to_have_count(0)


def test_lists_and_forms_work_without_scripts(browse: OpenBrowser, keyring: Keyring) -> None:
    page = browse(storage_state=keyring(OWNER), java_script_enabled=False).new_page()
    page.goto(PRODUCTS)
    first = titles(page)
    page.get_by_role("link", name="Next").click()
    assert titles(page)
    assert not set(titles(page)) & set(first)
    word = first[0].split()[0]
    page.get_by_role("searchbox").first.fill(word)
    page.get_by_role("button", name="Apply").first.click()
    assert all(word.lower() in title.lower() for title in titles(page))
    page.locator("a.palette-open").click()
    page.get_by_role("main").get_by_role("searchbox").fill("Products")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("main").get_by_role("link", name=re.compile("Products")).first).to_be_visible()
    page.goto(f"{ROLES}/new")
    page.get_by_role("textbox", name="Name").fill("Without scripts")
    page.get_by_role("checkbox").first.check()
    page.locator(".save-bar button").click()
    expect(page.get_by_role("main")).to_contain_text("Without scripts")
