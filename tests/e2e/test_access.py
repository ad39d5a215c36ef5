"""Who gets where: menus lead to pages that open, closed pages refuse, other vendors' pages do not exist.

The server decides all of this, so it is asked without a browser.
"""

import re

import pytest

from app.modules.menu import pages
from app.testing.records import id_names
from tests.e2e.conftest import Site, Visitor
from tests.e2e.people import (
    ANONYMOUS,
    FOREIGN_VENDOR,
    MINETT_OWNER,
    OWNER,
    SIGNED_IN,
    VENDOR,
    Person,
    address,
    pages_closed_to,
    pages_for,
    template,
)
from tests.e2e.reading import links_of, read, title_of

CLOSED = [page for page in pages().values() if page.area != "public"]
MENU = re.compile(r'<nav class="sidebar" aria-label="Main menu">(.*?)</nav>', re.DOTALL)


@pytest.mark.parametrize("person", SIGNED_IN, ids=lambda person: person.name)
def test_the_menu_has_what_one_may_open_and_nothing_else(
    visitor: Visitor, site: Site, person: Person
) -> None:
    client = visitor(person)
    mine, closed = pages_for(person), pages_closed_to(person)
    menu = MENU.search(read(client, "/admin" if person.area == "admin" else f"/vendor/{VENDOR}").text)
    assert menu
    shown = links_of(menu[1])
    assert {address(declared, site.owner) for declared in mine if declared.menu} <= shown
    assert {address(declared, site.owner) for declared in mine} >= shown
    titles, offered = set(), set()
    for path in shown:
        answer = read(client, path)
        assert answer.status_code == 200
        titles.add(title_of(answer.text))
        offered |= links_of(answer.text)
    assert len(titles) == len(shown)
    for declared in closed:
        path = address(declared, site.owner)
        assert path not in offered
        assert read(client, path).status_code == 403


def test_somebody_who_may_only_look_has_closed_pages() -> None:
    assert any(pages_closed_to(person) for person in SIGNED_IN)


def test_another_vendors_pages_do_not_exist(visitor: Visitor, site: Site) -> None:
    """Pages that their owner gets: see ``test_pages.py``."""
    foreign = visitor(MINETT_OWNER)
    assert read(foreign, f"/vendor/{FOREIGN_VENDOR}").status_code == 200
    for declared in pages_for(OWNER):
        path = address(declared, site.owner)
        assert read(foreign, path).status_code == 404
        if id_names(template(declared)):
            assert read(foreign, path.replace(VENDOR, FOREIGN_VENDOR)).status_code == 404


@pytest.mark.parametrize("person", [ANONYMOUS, *SIGNED_IN], ids=lambda person: person.name)
def test_who_is_not_signed_in_to_an_area_is_asked_to(visitor: Visitor, person: Person) -> None:
    client = visitor(person)
    elsewhere = [declared for declared in CLOSED if declared.area != person.area]
    for declared in elsewhere:
        path = template(declared).replace("{vendor_code}", VENDOR).replace("{", "x").replace("}", "x")
        answer = read(client, path)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/{declared.area}/sign-in?next={path}"
    for area in {declared.area for declared in elsewhere}:
        assert read(client, f"/{area}/sign-in").status_code == 200
