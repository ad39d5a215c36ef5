"""The menu of an area, made from the pages that modules declare, and the addresses of pages."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode
from uuid import UUID

from app.core.errors import ConfigurationError
from app.core.i18n import translate
from app.modules.base import Area, PageDef
from app.modules.providers import ProviderPoint
from app.modules.registry import modules

AREA_ROOTS: dict[Area, str] = {
    "admin": "/admin",
    "vendor": "/vendor/{vendor_code}",
    "storefront": "",
    "public": "",
}
# Answered by the module that configures menus: ids of the pages that are in no menu on these platforms.
HIDDEN_PAGES: ProviderPoint[Callable[[Collection[UUID]], frozenset[str]]] = ProviderPoint(
    "framework.hidden_pages"
)
_SECTION_ORDER = (
    "home",
    "sales",
    "catalog",
    "channels",
    "customers",
    "insights",
    "operations",
    "settings",
    "developers",
)


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One link of the menu."""

    label: str
    url: str
    icon: str
    is_active: bool
    key: str = ""


@dataclass(frozen=True, slots=True)
class MenuSection:
    """A labelled group of links."""

    label: str
    items: tuple[MenuItem, ...]


def is_hidden(page: PageDef, platform_ids: Collection[UUID]) -> bool:
    """Whether a page is left out of the menus of all these platforms, and so does not open there."""
    return page.menu is not None and any(
        page.id in ask(platform_ids) for ask in HIDDEN_PAGES.implementations()
    )


@lru_cache(maxsize=1)
def pages() -> dict[str, PageDef]:
    """All declared pages by id; ConfigurationError for an id or address used twice."""
    found: dict[str, PageDef] = {}
    addresses: dict[str, str] = {}
    for module in modules().values():
        for page in module.pages:
            address = AREA_ROOTS[page.area] + page.path
            if page.id in found or address in addresses:
                raise ConfigurationError(
                    f"Page {page.id} of module {module.code} uses an id or address twice: {address}."
                )
            found[page.id], addresses[address] = page, page.id
    return found


def page_url(page_id: str, **params: object) -> str:
    """Address of a page; ``params`` fill the path, what is left over becomes the query string."""
    page = pages()[page_id]
    path = AREA_ROOTS[page.area] + page.path
    query: list[tuple[str, object]] = []
    for name, value in params.items():
        placeholder = "{" + name + "}"
        if placeholder in path:
            path = path.replace(placeholder, str(value))
        elif value not in (None, ""):
            query.append((name, value))
    return f"{path}?{urlencode(query)}" if query else path


def find_page(area: Area, name: str) -> PageDef | None:
    """The page of an area whose id ends with ``name``, where a module declares one: ``profile``, ``notifications``."""
    return next((page for page in pages().values() if page.id.endswith(f".{area}.{name}")), None)


def build_menu(
    area: Area, language: str, may_open: Callable[[PageDef], bool], current: str, **path: str
) -> list[MenuSection]:
    """The sections a person sees: the pages that they may open, in the declared order."""
    sections: dict[str, list[tuple[int, MenuItem]]] = {}
    for page in pages().values():
        if page.area != area or page.menu is None or not may_open(page):
            continue
        item = MenuItem(
            translate(language, page.title_key),
            page_url(page.id, **path),
            page.menu.icon,
            page.id == current,
            page.menu.key,
        )
        sections.setdefault(page.menu.section, []).append((page.menu.order, item))
    ordered = sorted(
        sections, key=lambda name: (_SECTION_ORDER.index(name) if name in _SECTION_ORDER else 99, name)
    )
    return [
        MenuSection(
            translate(language, f"ui.menu.{name}"),
            tuple(item for _, item in sorted(sections[name], key=lambda pair: pair[0])),
        )
        for name in ordered
    ]
