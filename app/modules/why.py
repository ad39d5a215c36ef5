"""Why somebody cannot open a page or do something: the gates on the way there, in the order in which they are asked."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.database import unit_of_work
from app.core.errors import NotFoundError
from app.core.i18n import translate
from app.modules import entitlements, gates
from app.modules.base import Area, ModuleDefinition, PageDef
from app.modules.menu import AREA_ROOTS, is_hidden, pages
from app.modules.principal import Principal
from app.modules.providers import ProviderPoint
from app.modules.routing import Door, doors
from app.modules.state import is_enabled, is_installed

# Answered by the module that owns users: what the holder of an e-mail address is in an area (of a vendor, by its code).
PRINCIPAL_OF: ProviderPoint[Callable[[str, Area, str | None], Principal | None]] = ProviderPoint(
    "framework.principal_of"
)


class UnknownRouteError(NotFoundError):
    """No module has a page or action there."""

    code = "framework.unknown_route"


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: whether it lets through, what it found, and how it is opened where it is closed."""

    name: str
    is_open: bool
    why: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class _Route:
    """What is behind a page's id or a path. ``writes``: the doors there that change something."""

    module: ModuleDefinition
    area: Area
    page: PageDef | None
    permission: str | None
    writes: tuple[Door, ...]
    vendor_code: str | None


def explain(email: str, route: str, vendor_code: str | None = None) -> list[Gate]:
    """The gates between a person and a page (its id or path) or an action (its path), up to the first closed one.

    ``vendor_code`` says at which vendor, where the path does not. Raises UnknownRouteError.
    """
    found = _find(route)
    gates_passed: list[Gate] = []
    for gate in _walk(email, found, found.vendor_code or vendor_code):
        gates_passed.append(gate)
        if not gate.is_open:
            break
    return gates_passed


def _find(route: str) -> _Route:
    path = route.partition("?")[0]
    known = [(module, door, _address(door)) for module, door in doors()]
    if route in pages():
        path = AREA_ROOTS[pages()[route].area] + pages()[route].path
        hits = [one for one in known if one[2] == path]
    else:
        ordered = sorted(known, key=lambda one: one[2].count("{"))
        hits = [one for one in ordered if _pattern(one[2]).fullmatch(path)]
    if not hits:
        raise UnknownRouteError(f"There is no page or action {route!r}. Pages: wizamart modules show MODULE")
    module, first, address = hits[0]
    same = [door for _, door, other in hits if other == address]
    fits = _pattern(address).fullmatch(path) if route not in pages() else None
    shown = next((pages()[door.page_id] for door in same if door.page_id), None)
    return _Route(
        module,
        first.area,
        shown,
        shown.permission if shown else first.permission,
        tuple(door for door in same if door.method != "GET"),
        fits.groupdict().get("vendor_code") if fits else None,
    )


def _address(door: Door) -> str:
    page = pages()[door.page_id] if door.page_id else None
    return (AREA_ROOTS[door.area] + ((page.path if page else door.path) or "")) or "/"


def _pattern(address: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(address)))


def _walk(email: str, route: _Route, vendor_code: str | None) -> Iterator[Gate]:
    if route.area == "public":
        yield Gate("account", True, "Anybody may, without signing in.")
        return
    who = PRINCIPAL_OF.one()(email, route.area, vendor_code)
    place = f"vendor {vendor_code}" if route.area == "vendor" else "the operator's area"
    if who is None:
        how = f"Invite {email} there, or name another vendor with --vendor."
        yield Gate("account", False, f"{email} does not belong to {place}.", how)
        return
    yield Gate("account", True, f"{email} belongs to {place}.")
    if who.vendor:
        with unit_of_work(who.scope) as session:
            yield _subscription(session, who.vendor.id, route)
    yield _module(route.module, who)
    if route.page and route.page.menu:
        yield _menu(route.page, who)
    yield _permission(route, who)


def _subscription(session: Session, vendor_id: UUID, route: _Route) -> Gate:
    closed = gates.find_closed(session, vendor_id)
    if closed:
        why = translate("en", closed.message_key, **closed.params)
        held = [door for door in route.writes if not door.in_read_only]
        if held and not route.page:
            return Gate("subscription", False, why, "Choose a plan for the vendor.")
        if held:
            return Gate("subscription", True, f"{why} The page opens; its form is refused until then.")
    feature = route.page.feature if route.page else None
    if feature and not entitlements.is_allowed(session, vendor_id, feature):
        how = "Choose a plan that has it, or give the vendor an exception."
        return Gate("subscription", False, f"The vendor's plan does not include {feature}.", how)
    return Gate("subscription", True, "The vendor's subscription and plan allow it.")


def _module(module: ModuleDefinition, who: Principal) -> Gate:
    if is_enabled(module.code, who.platform_ids):
        return Gate("module", True, f"Module {module.code} is on.")
    if not is_installed(module.code):
        how = f"wizamart modules install {module.code}"
        return Gate("module", False, f"Module {module.code} is not installed.", how)
    how = f"wizamart modules enable {module.code}"
    return Gate("module", False, f"Module {module.code} is off on all of their platforms.", how)


def _menu(page: PageDef, who: Principal) -> Gate:
    if is_hidden(page, who.platform_ids):
        how = "Show it again in the menu of one of their platforms."
        return Gate("menu", False, "It is left out of the menu of all their platforms.", how)
    return Gate("menu", True, "It is in the menu.")


def _permission(route: _Route, who: Principal) -> Gate:
    if route.permission in who.permissions:
        return Gate("permission", True, f"Their role has {route.permission}.")
    how = f"Give their role {route.permission}, or them another role."
    return Gate("permission", False, f"Their role lacks {route.permission}.", how)
