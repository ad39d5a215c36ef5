"""The frame around every page of people who are signed in: menu, places, notifications, alerts, who acts for whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from app.core.i18n import language_name, offered
from app.modules.base import Area, PageDef
from app.modules.menu import build_menu, find_page, is_hidden, page_url
from app.modules.principal import Principal
from app.modules.state import is_enabled

BRAND = "Wizamart"
_WORST_FIRST = ("danger", "warning", "info", "success")


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that waits for the reader. ``tone`` is info, success, warning or danger; the worst is shown first."""

    id: str
    tone: str
    text: str
    url: str | None = None
    link_label: str | None = None


@dataclass(frozen=True, slots=True)
class ShellExtras:
    """What the shell shows besides the menu.

    ``unread``: notifications; ``alerts``: one is shown, the worst; ``places``: name and address of the other vendors
    the reader may switch to.
    """

    unread: int = 0
    alerts: Sequence[Alert] = ()
    places: Sequence[tuple[str, str]] = ()
    has_shortcuts: bool = True


def build_shell(
    area: Area,
    language: str,
    page: PageDef | None,
    who: Principal | None,
    extras: ShellExtras | None,
    flash: Sequence[Sequence[str]],
) -> SimpleNamespace:
    """What ``shell.html`` and ``auth.html`` need; without ``area`` the reader is not signed in."""
    shell = SimpleNamespace(
        brand=BRAND,
        tenant_name=BRAND,
        preferences_url="/preferences",
        languages=[(code, language_name(code)) for code in offered()],
        alerts=[],
        flash=flash,
        acting_as=None,
        has_shortcuts=False,
    )
    if who is not None:
        vars(shell).update(_frame(area, language, page, who, extras or ShellExtras()))
    return shell


def _frame(
    area: Area, language: str, current: PageDef | None, who: Principal, extras: ShellExtras
) -> dict[str, Any]:
    path = {"vendor_code": who.vendor.code} if who.vendor else {}

    def may_open(page: PageDef) -> bool:
        return (
            page.permission in who.permissions
            and is_enabled(page.module_code, who.platform_ids)
            and not is_hidden(page, who.platform_ids)
        )

    home = f"/vendor/{who.vendor.code}" if who.vendor else "/admin"
    return {
        "area": area,
        "area_url": home,
        "home_url": home,
        "tenant_name": who.tenant_name,
        "menu": build_menu(area, language, may_open, current.id if current else "", **path),
        "user_name": who.name,
        "user_email": who.email,
        "sign_out_url": f"/{area}/sign-out",
        "acting_as": who.acting_as,
        "unread": extras.unread,
        "places": extras.places,
        "has_shortcuts": extras.has_shortcuts and who.has_shortcuts,
        "alerts": sorted(extras.alerts, key=lambda alert: _WORST_FIRST.index(alert.tone))[:1],
        "links": {
            name: page_url(page.id, **path)
            for name in ("profile", "notifications")
            if (page := find_page(area, name)) and may_open(page)
        },
    }
