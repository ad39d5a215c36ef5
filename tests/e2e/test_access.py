"""Who gets where: menus lead to pages that open, closed pages refuse, other vendors' pages do not exist."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, StorageState

from app.modules.menu import pages
from app.testing.records import id_names
from tests.e2e.conftest import OpenBrowser, Site, fill_in_sign_in
from tests.e2e.people import (
    ANONYMOUS,
    FOREIGN_VENDOR,
    OWNER,
    SIGNED_IN,
    VENDOR,
    Person,
    address,
    pages_closed_to,
    pages_for,
    template,
)

pytestmark = pytest.mark.browser
Keyring = Callable[[Person], StorageState | None]
CLOSED = [page for page in pages().values() if page.area != "public"]


def status(page: Page, path: str) -> int:
    """What the site answers, redirects not followed."""
    return page.request.get(path, max_redirects=0).status


def paths_of(links: Locator) -> list[str]:
    """Where links lead."""
    found: list[str] = links.evaluate_all("links => links.map(link => new URL(link.href).pathname)")
    return found


@pytest.mark.parametrize("person", SIGNED_IN, ids=lambda person: person.name)
def test_the_menu_has_what_one_may_open_and_nothing_else(
    browse: OpenBrowser, keyring: Keyring, site: Site, person: Person
) -> None:
    page = browse(storage_state=keyring(person)).new_page()
    mine, closed = pages_for(person), pages_closed_to(person)
    page.goto("/admin" if person.area == "admin" else f"/vendor/{VENDOR}")
    shown = paths_of(page.get_by_role("navigation", name="Main menu").first.get_by_role("link"))
    assert {address(declared, site.owner) for declared in mine if declared.menu} <= set(shown)
    assert {address(declared, site.owner) for declared in mine} >= set(shown)
    titles, offered = set(), set()
    for path in shown:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200
        titles.add(page.title())
        offered |= set(paths_of(page.get_by_role("link")))
    assert len(titles) == len(set(shown))
    for declared in closed:
        path = address(declared, site.owner)
        assert path not in offered
        assert status(page, path) == 403


def test_somebody_who_may_only_look_has_closed_pages() -> None:
    assert any(pages_closed_to(person) for person in SIGNED_IN)


def test_another_vendors_pages_do_not_exist(browse: OpenBrowser, keyring: Keyring, site: Site) -> None:
    page = browse(storage_state=keyring(OWNER)).new_page()
    foreign = browse().new_page()
    foreign.goto(f"/vendor/{FOREIGN_VENDOR}")
    fill_in_sign_in(foreign, "owner@minett.example")
    foreign.wait_for_url(f"**/vendor/{FOREIGN_VENDOR}")
    for declared in pages_for(OWNER):
        path = address(declared, site.owner)
        assert status(page, path) == 200
        assert status(foreign, path) == 404
        if id_names(template(declared)):
            assert status(foreign, path.replace(VENDOR, FOREIGN_VENDOR)) == 404


@pytest.mark.parametrize("person", [ANONYMOUS, *SIGNED_IN], ids=lambda person: person.name)
def test_who_is_not_signed_in_to_an_area_is_asked_to(
    browse: OpenBrowser, keyring: Keyring, person: Person
) -> None:
    page = browse(storage_state=keyring(person)).new_page()
    for declared in CLOSED:
        if declared.area == person.area:
            continue
        path = template(declared).replace("{vendor_code}", VENDOR).replace("{", "x").replace("}", "x")
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200
        assert urlsplit(page.url).path == f"/{declared.area}/sign-in"
        assert urlsplit(page.url).query == f"next={path}"
