"""Comfort for everybody: the Tab key goes through each kind of page and shows where it is; neither forced colours nor
reduced motion take anything away. What every page is asked beside is in ``places.py``."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Locator, Page, StorageState, expect

from tests.e2e.conftest import OpenBrowser, Site
from tests.e2e.imports import expect_end, held_before, start_import, write_goods
from tests.e2e.people import ANONYMOUS, OWNER, VENDOR, Person
from tests.e2e.places import LEFT_OUT, LOOK, LOW, WANTED

pytestmark = pytest.mark.browser
Keyring = Callable[[Person], StorageState | None]
HOME = f"/vendor/{VENDOR}"
PAGES = {
    "sign-in": (ANONYMOUS, "/vendor/sign-in"),
    "home": (OWNER, HOME),
    "list": (OWNER, f"{HOME}/products?availability=in_stock"),
    "form": (OWNER, f"{HOME}/imports/new"),
    "choices": (OWNER, f"{HOME}/roles/new"),
}


@pytest.mark.parametrize("name", PAGES)
def test_tab_reaches_everything_and_shows_where_it_is(
    browse: OpenBrowser, keyring: Keyring, name: str
) -> None:
    person, path = PAGES[name]
    page = browse(storage_state=keyring(person), viewport=LOW).new_page()
    page.goto(path)
    wanted = page.evaluate(WANTED)
    complaints = []
    for _ in range(wanted + 1):
        page.keyboard.press("Tab")
        complaint = page.evaluate(LOOK)
        if complaint is None:
            break
        complaints.append(complaint)
    assert [one for one in complaints if one] == []
    assert page.evaluate(LEFT_OUT) == []


def edge(place: Locator, name: str) -> str:
    """A computed style of an element."""
    found: str = place.evaluate("(element, name) => getComputedStyle(element)[name]", name)
    return found


@pytest.fixture
def forced(browse: OpenBrowser, keyring: Keyring) -> Page:
    """A window whose system has colours of its own for everything."""
    return browse(storage_state=keyring(OWNER), forced_colors="active").new_page()


def test_what_is_chosen_shows_in_forced_colours(forced: Page) -> None:
    forced.goto(f"{HOME}/products")
    here, other = (
        forced.locator(f".sidebar .nav-link{state}").first
        for state in ("[aria-current]", ":not([aria-current])")
    )
    assert edge(here, "borderTopColor") != edge(other, "borderTopColor")
    here, other = (
        forced.locator(f".tabs a{state}").first for state in ("[aria-current]", ":not([aria-current])")
    )
    assert edge(here, "borderBottomWidth") != edge(other, "borderBottomWidth")
    for key in ("j", "x", "Escape"):
        forced.keyboard.press(key)
    forced.evaluate("document.activeElement.blur()")
    here, other = (
        forced.locator("tr.is-current > td").first,
        forced.locator("tr[data-row]:not(.is-current) > td").first,
    )
    assert edge(here, "borderInlineStartWidth") != edge(other, "borderInlineStartWidth")
    off = forced.locator(".pager .btn-off")
    assert edge(off, "color") != edge(forced.locator(".pager a.btn"), "color")
    forced.locator("summary", has_text="Columns").click()
    assert edge(forced.locator("details[open] > .menu-panel"), "borderTopStyle") == "solid"
    forced.keyboard.press("Control+k")
    expect(forced.get_by_role("dialog").get_by_role("option").nth(1)).to_be_visible()
    here, other = (
        forced.locator(f".palette-item[aria-selected={state}]").first for state in ("true", "false")
    )
    assert edge(here, "outlineStyle") == "solid"
    assert edge(other, "outlineStyle") == "none"
    assert edge(forced.get_by_role("dialog"), "borderTopStyle") == "solid"


def test_states_and_the_focus_show_in_forced_colours(forced: Page) -> None:
    forced.goto(f"{HOME}/imports")
    badge = forced.locator("tbody .badge").first
    assert badge.inner_text().strip()
    assert edge(badge, "borderTopStyle") == "solid"
    forced.goto(f"{HOME}/imports/new")
    forced.get_by_role("button", name="Start the import").click()
    assert edge(forced.get_by_role("alert"), "borderTopStyle") == "solid"
    wrong, right = (
        forced.locator("[aria-invalid]").first,
        forced.locator(".control:not([aria-invalid])").first,
    )
    assert edge(wrong, "borderTopWidth") != edge(right, "borderTopWidth")
    for place in (
        forced.get_by_role("button", name="Start the import"),
        forced.get_by_label("Language (optional)", exact=True),
    ):
        before = edge(place, "outlineStyle")
        forced.keyboard.press("Tab")
        place.focus()
        assert (before, edge(place, "outlineStyle")) == ("none", "solid")
    forced.goto(f"{HOME}/notifications")
    assert edge(forced.locator(".notice-new").first, "borderInlineStartStyle") == "solid"


MOVING = "() => document.getAnimations().filter((one) => one.playState === 'running').length"


def test_nothing_moves_for_those_who_asked_for_that(
    browse: OpenBrowser, keyring: Keyring, site: Site, tmp_path: Path
) -> None:
    calm = browse(storage_state=keyring(OWNER), reduced_motion="reduce").new_page()
    calm.goto(f"{HOME}/imports")
    with held_before(site, "feed_row_errors"):
        start_import(calm, write_goods(tmp_path / "calm.tsv", "CLM", 20))
        lively = browse(storage_state=keyring(OWNER), reduced_motion="no-preference").new_page()
        lively.goto(calm.url)
        expect(lively.get_by_role("progressbar")).to_be_visible()
        assert lively.evaluate(MOVING) > 0
        calm.reload()
        expect(calm.get_by_role("progressbar")).to_be_visible()
        calm.wait_for_timeout(50)
        assert calm.evaluate(MOVING) == 0
        assert edge(calm.get_by_role("progressbar"), "backgroundImage") != "none"
        expect(calm.locator("#import").get_by_text("Preparing the file").last).to_be_visible()
    expect_end(calm, "Done")


def test_saving_a_changed_form_does_not_ask(browse: OpenBrowser, keyring: Keyring) -> None:
    page = browse(storage_state=keyring(OWNER)).new_page()
    page.goto(f"{HOME}/roles/new")
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    page.get_by_role("textbox", name="Name").press_sequentially("Counters")
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    page.get_by_role("checkbox").first.check()
    page.locator(".save-bar button").click()
    expect(page.get_by_role("main")).to_contain_text("Counters")
    page.get_by_role("link", name="Home").first.click()
    expect(page).to_have_url(re.compile(f"{HOME}$"))
    assert asked == []


@pytest.mark.parametrize(("language", "prefix"), [("fr", "Erreur"), ("de", "Fehler"), ("lb", "Feeler")])
def test_an_error_is_in_the_title_in_every_language(
    browse: OpenBrowser, keyring: Keyring, language: str, prefix: str
) -> None:
    page = browse(language, storage_state=keyring(OWNER)).new_page()
    page.goto(f"{HOME}/roles/new")
    page.locator(".save-bar button").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page).to_have_title(re.compile(f"^{prefix}\\s?: "))
