"""Pages: a Jinja2 environment with strict variables, hashed static URLs, filters in the reader's language.

Every template gets its words by ``t(key, **params)`` and its locale from two context values: ``lang``
(a language code) and ``timezone`` (IANA name, UTC when absent). Templates are trusted
code, data is not: everything is escaped.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates, units
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from app.core import i18n

MISSING = "–"  # what every filter shows for None

_LOOK_AGAIN_SECONDS = 1.0  # at a static file, so that a rebuilt one gets a new URL without a restart
_ICON = Markup(
    '<svg class="icon icon-{}" width="16" height="16" aria-hidden="true"><use href="{}#{}"></use></svg>'
)
_SIZES = ("byte", "kilobyte", "megabyte", "gigabyte", "terabyte")
_DURATIONS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def build_environment(
    template_dirs: Sequence[Path], static_roots: Mapping[str, Path], *, auto_reload: bool = True
) -> Environment:
    """The environment of all pages; with ``auto_reload`` a template that changed on disk is read again.

    Folders are searched in the order given. ``static_roots`` maps the first part of a static path to a
    folder: with ``{"ui": Path("app/ui/static")}``, ``static('ui/app.css')`` is
    ``/static/ui/app.css?v=<ten hex digits of its content>``.
    """
    environment = Environment(
        loader=FileSystemLoader([str(folder) for folder in template_dirs]),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=auto_reload,
    )
    files = _StaticFiles(static_roots)
    environment.globals |= {"static": files.url, "icon_svg": files.icon}
    environment.filters |= {
        "datetime": _datetime,
        "date": _date,
        "number": _number,
        "money": _money,
        "filesize": _filesize,
        "duration": _duration,
    }
    return environment


def render(environment: Environment, template: str, context: Mapping[str, Any]) -> str:
    """The text of ``template`` (a name such as ``orders/vendor/list.html``). A name that it uses but that is
    neither in ``context`` nor defined raises ``jinja2.UndefinedError``."""
    return environment.get_template(template).render(context)


class _StaticFiles:
    """URLs of static files, and the signs of ``ui/icons.svg``, by their ids there."""

    def __init__(self, roots: Mapping[str, Path]) -> None:
        self._roots = roots
        self._known: dict[str, tuple[float, str]] = {}
        self._icons: dict[tuple[str, str], Markup] = {}

    def url(self, path: str) -> str:
        """The URL of a static file; raises LookupError for a file that is not there."""
        now = time.monotonic()
        known = self._known.get(path)
        if known is None or known[0] < now:
            known = self._known[path] = (now + _LOOK_AGAIN_SECONDS, self._look(path))
        return known[1]

    def icon(self, name: str) -> Markup:
        sprite = self.url("ui/icons.svg")
        if (name, sprite) not in self._icons:
            self._icons[name, sprite] = _ICON.format(name, sprite, name)
        return self._icons[name, sprite]

    def _look(self, path: str) -> str:
        root, _, rest = path.partition("/")
        folder = self._roots.get(root)
        file = folder / rest if folder else None
        if file is None or not file.is_file():
            raise LookupError(f"static file not found: {path} (roots: {', '.join(self._roots)})")
        stat = file.stat()
        return f"/static/{path}?v={_content_hash(file, stat.st_mtime_ns, stat.st_size)}"


@lru_cache(maxsize=512)
def _content_hash(file: Path, _modified_ns: int, _size: int) -> str:
    # Time and size are in the key so that a rebuilt file gets a new URL without a restart.
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]


def _lang(context: Context) -> str:
    return str(context.get("lang", i18n.FALLBACK))


def _timezone(context: Context) -> str:
    return str(context.get("timezone") or "UTC")


@pass_context
def _datetime(context: Context, value: datetime | None, style: i18n.Style = "medium") -> str:
    return MISSING if value is None else instant_text(_lang(context), _timezone(context), value, style)


@lru_cache(maxsize=4096)  # a list's rows were often written at one time
def instant_text(lang: str, zone: str, value: datetime, style: i18n.Style = "medium") -> str:
    """An instant in a time zone (IANA name), to the minute: what the filter ``datetime`` shows."""
    if value.tzinfo is None:
        raise ValueError("a datetime without a time zone is not an instant")
    locale = i18n.locale_of(lang)
    hour = dates.format_time(value, "short", tzinfo=ZoneInfo(zone), locale=locale)
    return str(locale.datetime_formats[style]).format(
        hour, i18n.format_date(lang, value, style, timezone=zone)
    )


@pass_context
def _date(context: Context, value: date | None, style: i18n.Style = "medium") -> str:
    """A calendar day; an instant becomes its day in the reader's time zone."""
    if value is None:
        return MISSING
    return i18n.format_date(_lang(context), value, style, timezone=_timezone(context))


@pass_context
def _number(context: Context, value: int | Decimal | None) -> str:
    """A number with the reader's separators."""
    return MISSING if value is None else i18n.format_number(_lang(context), value)


@pass_context
def _money(context: Context, amount_cents: int | None, currency: str = "EUR") -> str:
    """An amount given in the currency's smallest unit (cents)."""
    return MISSING if amount_cents is None else i18n.format_money(_lang(context), amount_cents, currency)


@pass_context
def _filesize(context: Context, size_bytes: int | None) -> str:
    """A number of bytes in steps of 1000, with one decimal from kilobytes on."""
    if size_bytes is None:
        return MISSING
    step = 0
    amount = float(size_bytes)
    while round(amount, 1) >= 1000 and step < len(_SIZES) - 1:
        amount, step = amount / 1000, step + 1
    pattern = "#,##0" if step == 0 else "#,##0.#"
    locale = i18n.locale_of(_lang(context))
    return units.format_unit(amount, f"digital-{_SIZES[step]}", "short", pattern, locale=locale)


@pass_context
def _duration(context: Context, seconds: float | None) -> str:
    """A number of seconds in its two largest units (``2 hrs 5 mins``); under ten seconds with one decimal."""
    if seconds is None:
        return MISSING
    locale = i18n.locale_of(_lang(context))
    if seconds < 9.95:
        return units.format_unit(round(seconds, 1), "duration-second", "short", locale=locale)
    rest = round(seconds)
    parts: list[str] = []
    for unit, length in _DURATIONS:
        amount, rest = divmod(rest, length)
        if amount:
            parts.append(units.format_unit(amount, f"duration-{unit}", "short", locale=locale))
        if len(parts) == 2 or (parts and not amount):
            break
    return " ".join(parts)
