"""Who opens which pages: the crawl is made from the pages that modules declare."""

import re
from dataclasses import dataclass

from app.modules.base import PageDef
from app.modules.menu import AREA_ROOTS, pages

BRAND = "Wizamart"
VENDOR, FOREIGN_VENDOR = "MOSELLE", "MINETT"


@dataclass(frozen=True)
class Person:
    """Somebody in front of the browser. ``sees`` is what their permissions end with ("" is all)."""

    name: str
    area: str
    email: str | None = None
    tenant: str = BRAND
    sees: str = ""

    def may_open(self, page: PageDef) -> bool:
        """Whether a page belongs to their area and permissions."""
        return page.area == self.area and (page.permission or "").endswith(self.sees)


ANONYMOUS = Person("anonymous", "public")
OWNER = Person("owner", "vendor", "owner@moselle.example", "Maison Moselle")
VIEWER = Person("viewer", "vendor", "team@moselle.example", "Maison Moselle", sees=".view")
ADMIN = Person("admin", "admin", "admin@wizamart.example")
SIGNED_IN = (OWNER, VIEWER, ADMIN)


def address(page: PageDef, vendor: str = VENDOR) -> str:
    """Path of a page; names of records stay in braces."""
    return (AREA_ROOTS[page.area] + page.path).replace("{vendor_code}", vendor) or "/"


def is_of_record(page: PageDef) -> bool:
    """Whether the page shows one record, whose id is in its path."""
    return "{" in page.path


def list_of(page: PageDef) -> PageDef:
    """The list through which people reach the page of a record."""
    path = page.path.partition("/{")[0]
    (found,) = (other for other in pages().values() if other.area == page.area and other.path == path)
    return found


def address_pattern(page: PageDef) -> re.Pattern[str]:
    """Matches the paths of all records that a page shows, and of no other page."""
    others = {address(other) for other in pages().values() if not is_of_record(other)}
    but = "|".join(re.escape(other) for other in others)
    return re.compile(rf"(?!(?:{but})$)" + re.sub(r"\{\w+\}", "[^/?]+", address(page)))


def pages_for(person: Person) -> list[PageDef]:
    """Pages that a person may open in their area."""
    return [page for page in pages().values() if person.may_open(page)]


def pages_closed_to(person: Person) -> list[PageDef]:
    """Pages of their area that a person lacks the permission for."""
    return [page for page in pages().values() if page.area == person.area and not person.may_open(page)]


def crawl() -> list[tuple[Person, PageDef, str, str]]:
    """Person, page, language, theme. Owner, admin and visitors see every page in two combinations of language and
    theme, the others fill in the remaining ones in turn."""
    usual, crossed = (("en", "light"), ("fr", "dark")), (("en", "dark"), ("fr", "light"))
    found = [
        (person, page, *looks)
        for person in (ANONYMOUS, OWNER, ADMIN)
        for page in pages_for(person)
        for looks in usual
    ]
    rest = [(VIEWER, page) for page in pages_for(VIEWER)] + [(OWNER, page) for page in pages_for(ANONYMOUS)]
    return found + [(person, page, *crossed[number % 2]) for number, (person, page) in enumerate(rest)]
