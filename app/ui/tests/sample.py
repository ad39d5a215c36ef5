"""A context as the application gives it to every page, and the values of the gallery page."""

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from babel.messages.pofile import read_po
from jinja2 import Environment

from app.core.i18n import LANGUAGES, language_name
from app.core.templating import build_environment

UI = Path(__file__).parents[1]
GALLERY = UI.parent / "modules" / "dev_tools" / "templates" / "dev-tools" / "admin" / "gallery.html"


def environment() -> Environment:
    return build_environment([GALLERY.parent, UI / "templates"], {"ui": UI / "static"})


def texts(lang: str) -> dict[str, str]:
    with (UI / "locales" / f"{lang}.po").open("rb") as file:
        return {_last(message.id): _last(message.string) for message in read_po(file) if message.id}


def _last(text: Any) -> str:
    """A text, or its form for many."""
    return str(text if isinstance(text, str) else text[-1])


def shell() -> SimpleNamespace:
    items = [SimpleNamespace(label="Products", url="/products", icon="package", is_active=True, key="p")]
    return SimpleNamespace(
        area="vendor",
        brand="Wizamart",
        tenant_name="Boutique Weber",
        home_url="/",
        menu=[SimpleNamespace(label="Sell", items=items)],
        user_name="Léa Weber",
        user_email="lea@example.com",
        sign_out_url="/out",
        preferences_url="/preferences",
        languages=[(code, language_name(code)) for code in LANGUAGES],
        area_url="/vendor/WEBER",
        links={"profile": "/profile", "notifications": "/notifications"},
        unread=3,
        places=[("Weber Kids", "/vendor/KIDS")],
        has_shortcuts=True,
        alerts=[SimpleNamespace(tone="warning", text="Card expires.", url="/billing", link_label="Update")],
        flash=[("success", "Saved.")],
        acting_as="Weber",
    )


def context(lang: str = "en", **changes: Any) -> dict[str, Any]:
    words = texts(lang)
    options = [("draft", "Draft"), ("live", "Live")]
    return {
        "t": lambda key, **params: re.sub(r"%\((\w+)\)s", lambda match: str(params[match[1]]), words[key]),
        "lang": lang,
        "theme": "system",
        "csrf_token": "to'k\"en",
        "request_id": "req_1",
        "timezone": "UTC",
        "page": SimpleNamespace(id="ui.gallery", title="Gallery"),
        "shell": shell(),
        "errors": {},
        "active": True,
        "query": 'a "b"',
        "started": datetime(2026, 3, 9, 14, 5, tzinfo=UTC),
        "rows": [SimpleNamespace(name="Bowl <1>", cents=4692), SimpleNamespace(name="Bell", cents=990)],
        "filters": [
            {"name": name, "label": name, "value": "draft", "options": options}
            for name in ("status", "channel", "stock", "brand")
        ],
    } | changes
