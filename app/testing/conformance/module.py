"""The module under test: what it declares, its doors, and people of the demo who come to them."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from app.core.database import SYSTEM, unit_of_work
from app.core.ids import new_id, to_public
from app.modules import menu, pages, registry, texts
from app.modules.base import Area, ModuleDefinition, PageDef
from app.modules.events import event_class
from app.modules.registry import get_module, modules, requirements
from app.modules.routing import AreaRouter
from app.testing.browsing import sign_in
from app.testing.records import id_names, with_examples

VENDOR, OTHER_VENDOR = "MINETT", "MOSELLE"
OWNER, ADMIN, TEAM_MEMBER = "owner@minett.example", "admin@wizamart.example", "team@moselle.example"
HOME = {"vendor": f"/vendor/{VENDOR}", "admin": "/admin"}


@dataclass(frozen=True, slots=True)
class Way:
    """One door of a module, by its address below the site's root."""

    area: Area
    method: str
    path: str
    permission: str | None
    page: PageDef | None

    def at(self, vendor_code: str = VENDOR) -> str:
        """An address to call: ids in it are well formed but of nothing."""
        path = with_examples(self.path.replace("{vendor_code}", vendor_code))
        return re.sub(r"{(\w+)}", lambda match: to_public(_prefix(match[1]), new_id()), path)

    @property
    def ids(self) -> list[str]:
        """Names of the ids in the address."""
        return id_names(self.path)


class Conformance:
    """Base of the rules: a module by its ``code``."""

    code: ClassVar[str]

    @property
    def module(self) -> ModuleDefinition:
        """The installed module."""
        return get_module(self.code)

    @property
    def is_in_tree(self) -> bool:
        """Whether it belongs to the tree, whose own tests show some things of all its modules at once."""
        return self.module.package.startswith("app.modules.")


def _prefix(name: str) -> str:
    prefixes = [module.public_ids[name][0] for module in modules().values() if name in module.public_ids]
    return prefixes[0] if prefixes else "id"


def ways(module: ModuleDefinition) -> list[Way]:
    """All doors that a module registers, pages with their declared address and permission."""
    found = []
    declared = {page.id: page for page in module.pages}
    for name in module.routes:
        router = import_module(f"{module.package}.routes.{name}").router
        if not isinstance(router, AreaRouter):
            continue  # an API's operations have tests of their own
        for door in router.doors:
            page = declared[door.page_id] if door.page_id else None
            path = page.path if page else door.path
            permission = page.permission if page else door.permission
            root = menu.AREA_ROOTS[door.area]
            found.append(Way(door.area, door.method, (root + (path or "")) or "/", permission, page))
    return found


def stands_on(code: str) -> set[str]:
    """Codes of the module itself and of everything it requires, directly or not."""
    found: set[str] = set()
    waiting = [code]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += requirements(get_module(one), modules())
    return found


def dependents(code: str) -> list[str]:
    """Codes of the modules that stand on one, those that nothing stands on first; not itself."""
    return [other for other in reversed(modules()) if other != code and code in stands_on(other)]


def enter(client: httpx2.Client, area: str) -> None:
    """Sign in as somebody who may do everything in an area; the public area needs nobody."""
    if area in HOME:
        sign_in(client, area, OWNER if area == "vendor" else ADMIN)


def platform_ids() -> list[UUID]:
    """All platforms."""
    with unit_of_work(SYSTEM) as session:
        return list(session.scalars(text("SELECT id FROM platforms ORDER BY id")))


@contextmanager
def installed_only(codes: set[str]) -> Iterator[None]:
    """The block sees no other modules than these, as if the rest was not installed."""
    kept = [module for code, module in modules().items() if code in codes]
    with ExitStack() as undo, pytest.MonkeyPatch.context() as patch:
        undo.callback(_forget)
        patch.setattr(registry, "_definitions_in_tree", lambda: iter(kept))
        patch.setattr(registry, "_definitions_of_distributions", lambda: iter(()))
        _forget()
        yield


def _forget() -> None:
    for cached in (registry.modules, menu.pages, texts.load_texts, pages.environment, event_class):
        cached.cache_clear()
    texts.load_texts()
