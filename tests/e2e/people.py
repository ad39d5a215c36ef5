"""Who opens which pages: the crawl is made from the pages that modules declare."""

from dataclasses import dataclass

from sqlalchemy import Engine

from app.modules.base import PageDef
from app.modules.menu import AREA_ROOTS, pages
from app.testing.records import find_address

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
MINETT_OWNER = Person("owner of minett", "vendor", "owner@minett.example", "Minett Outdoor")
ADMIN = Person("admin", "admin", "admin@wizamart.example")
SIGNED_IN = (OWNER, VIEWER, ADMIN)


def template(page: PageDef) -> str:
    """Path of a page; names of vendor and records stay in braces."""
    return (AREA_ROOTS[page.area] + page.path) or "/"


def address(page: PageDef, owner: Engine) -> str:
    """Path of a page with a record of the demo. It is a fault when there is none."""
    found = find_address(template(page), owner, VENDOR, "owner@moselle.example")
    assert found is not None, f"the demo has no record to show on {page.id}"
    return found


def pages_for(person: Person) -> list[PageDef]:
    """Pages that a person may open in their area."""
    return [page for page in pages().values() if person.may_open(page)]


def pages_closed_to(person: Person) -> list[PageDef]:
    """Pages of their area that a person lacks the permission for."""
    return [page for page in pages().values() if page.area == person.area and not person.may_open(page)]


def crawl() -> list[tuple[Person, PageDef]]:
    """Everybody with every page that they may open."""
    return [(person, page) for person in (ANONYMOUS, *SIGNED_IN) for page in pages_for(person)]
