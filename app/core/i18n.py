"""Texts in four languages, and dates, numbers and amounts as people of each language write them.

Catalogues are UTF-8 ``.po`` files whose msgids are keys (``catalog.products.title``); the English text stands
in ``en.po`` like any other translation. They are read at start (about 2 ms for 200 entries), without a
compile step. Plural forms follow the language, whatever a file's header says.
"""

import io
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from gettext import GNUTranslations
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import structlog
from babel import Locale, dates, numbers
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, PoFileParser

from app.core.errors import ConfigurationError

LANGUAGES = ("en", "fr", "de", "lb")
FALLBACK = "en"
CORE_LOCALES = Path(__file__).parent / "locales"

Style = Literal["short", "medium", "long", "full"]

# English means the European one: 9 March 2026, 24 hours. French texts are the same everywhere, but Luxembourg writes
# 1.234,50 where France writes 1 234,50.
_LOCALES = {
    "en": Locale("en", "GB"),
    "fr": Locale("fr"),
    "fr-LU": Locale("fr", "LU"),
    "de": Locale("de"),
    "lb": Locale("lb"),
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_MAX_REMEMBERED_MISSES = 10_000
_MAX_HEADER_CHARS = 1000

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Texts:
    translations: GNUTranslations
    keys: frozenset[str]


class _Collector(Catalog):
    """All files of one language; the same key with two texts is refused."""

    def __init__(self, lang: str) -> None:
        super().__init__(locale=lang)
        self.origins: dict[str, Path] = {}
        self.reading = Path()

    def __setitem__(self, id: Any, message: Message) -> None:  # noqa: A002 - Babel's name
        if id == "":
            return
        key = _key_of(message)
        known = self.origins.setdefault(key, self.reading)
        present = self.get(key)
        if present is not None and present.string != message.string:
            raise ConfigurationError(f"message {key!r} has two texts: {known} and {self.reading}")
        super().__setitem__(id, message)


class _Catalogues(dict[str, _Texts]):
    """By language; one that was not read yet is read when it is asked for, once, however many ask."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        super().__init__()
        self.folders = folders
        self._lock = threading.Lock()

    def __missing__(self, lang: str) -> _Texts:
        with self._lock:
            if lang not in self:
                self[lang] = _load_language(lang, self.folders)
        return self[lang]


_texts = _Catalogues()
_missed: dict[tuple[str, str], int] = {}


def load_catalogues(directories: Iterable[Path], languages: Sequence[str] = LANGUAGES) -> None:
    """Reads ``<lang>.po`` of the kernel and of each folder, in place of what was loaded before.

    Languages that are not named are read when one of their texts is asked for. A folder may lack languages. Raises
    ``ConfigurationError`` when a file is not valid, or when two entries give one key different texts.
    """
    global _texts
    read = _Catalogues(list(dict.fromkeys([CORE_LOCALES, *directories])))
    for lang in languages:
        read[lang]
    _texts = read
    _missed.clear()


def _load_language(lang: str, folders: Sequence[Path]) -> _Texts:
    catalogue = _Collector(lang)
    for folder in folders:
        path = folder / f"{lang}.po"
        if not path.is_file():
            continue
        catalogue.reading = path
        try:
            with path.open("rb") as file:
                PoFileParser(catalogue, ignore_obsolete=True, abort_invalid=True).parse(file)
        except (PoFileError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path} is not a valid message file: {error}") from error
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return _Texts(
        translations=GNUTranslations(compiled),
        keys=frozenset(_key_of(message) for message in catalogue if message.id and _is_complete(message)),
    )


def _key_of(message: Message) -> str:
    return message.id if isinstance(message.id, str) else next(iter(message.id or ()), "")


def _is_complete(message: Message) -> bool:
    forms = [message.string] if isinstance(message.string, str) else list(message.string or ("",))
    return all(forms) and not message.fuzzy


class MessageKey(str):
    """A parameter of a text that is itself the key of a text, and is shown in the same language."""

    __slots__ = ()


def translate(lang: str, key: str, /, **params: Any) -> str:
    """The text of ``key``, with ``%(name)s`` replaced by ``params``; a single ``%`` needs no escape.

    Without a text in ``lang`` it is the English one, and without that the key; a placeholder without a value
    stays visible. Never raises: a missing text is logged once and counted.
    """
    used = _language_with(lang, key)
    return _fill(lang, _texts[used].translations.gettext(key), key, params) if used else key


def ntranslate(lang: str, key: str, count: int, /, **params: Any) -> str:
    """Like ``translate`` with the plural form for ``count``, which ``%(count)s`` shows in the local form."""
    used = _language_with(lang, key)
    if used is None:
        return key
    translations = _texts[used].translations
    text = translations.ngettext(key, key, abs(count))
    if text == key:  # an entry without plural forms
        text = translations.gettext(key)
    return _fill(lang, text, key, {"count": format_number(used, count), **params})


def has_message(lang: str, key: str) -> bool:
    """Whether ``key`` has a complete text in this very language."""
    return lang in LANGUAGES and key in _texts[lang].keys


def offered() -> tuple[str, ...]:
    """The languages that have texts, for switches; those without any are not offered."""
    return tuple(lang for lang in LANGUAGES if _texts[lang].keys)


def language_name(lang: str) -> str:
    """A language's name in itself: Français, Lëtzebuergesch."""
    name = _LOCALES[lang].get_language_name(lang) or lang
    return name[:1].upper() + name[1:]


def missing(lang: str) -> set[str]:
    """Keys that some language has and ``lang`` lacks (or has empty, fuzzy or with a plural form missing)."""
    everywhere: set[str] = set().union(*(_texts[each].keys for each in LANGUAGES))
    return everywhere - _texts[lang].keys if lang in LANGUAGES else everywhere


def misses() -> Mapping[tuple[str, str], int]:
    """How often a text was asked for and not there since the start, by (language, key)."""
    return dict(_missed)


def _language_with(lang: str, key: str) -> str | None:
    if has_message(lang, key):
        return lang
    _note_miss(lang, key)
    return FALLBACK if has_message(FALLBACK, key) else None


def _note_miss(lang: str, key: str) -> None:
    seen = _missed.get((lang, key), 0)
    if not seen:
        # Keys can be built from data, so what is remembered needs a bound.
        if len(_missed) >= _MAX_REMEMBERED_MISSES:
            return
        _log.warning("message missing", lang=lang, message_key=key)
    _missed[lang, key] = seen + 1


def _fill(lang: str, text: str, key: str, params: Mapping[str, Any]) -> str:
    def value_of(match: re.Match[str]) -> str:
        name = match[1]
        if name in params:
            value = params[name]
            return translate(lang, value) if isinstance(value, MessageKey) else str(value)
        _note_miss(f"%({name})s", key)
        return match[0]

    return _PLACEHOLDER.sub(value_of, text)


def negotiate(accept_language: str | None, allowed: Sequence[str], default: str) -> str:
    """The best of ``allowed`` for an ``Accept-Language`` header (RFC 9110), else ``default``.

    Ranges count by their q-value, then by their order; ``fr-LU`` matches ``fr``; ``q=0`` excludes; parts that
    are not well-formed are passed over.
    """
    names = {name.lower(): name for name in allowed}
    ranges = _ranges((accept_language or "")[:_MAX_HEADER_CHARS])
    named = {tag for tag, _ in ranges}
    excluded = {tag for tag, weight in ranges if weight == 0}
    for tag, weight in sorted(ranges, key=lambda item: -item[1]):
        if weight == 0:
            continue
        # The star stands for every language that the header does not name itself.
        if tag == "*":
            candidates = [name for name in (default.lower(), *names) if name not in named]
        else:
            candidates = _shortened(tag)
        for candidate in candidates:
            if candidate in names and candidate not in excluded:
                return names[candidate]
    return default


_RANGE = re.compile(
    r"\s*(\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?", re.IGNORECASE
)


def _ranges(header: str) -> list[tuple[str, float]]:
    found = []
    for part in header.split(","):
        match = _RANGE.fullmatch(part)
        if match:
            found.append((match[1].lower(), float(match[2] or 1)))
    return found


def _shortened(tag: str) -> list[str]:
    parts = tag.split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]


def locale_of(lang: str) -> Locale:
    """The Babel locale behind a language, or behind ``fr-LU``; English for one we do not have."""
    return _LOCALES.get(lang, _LOCALES[FALLBACK])


def format_date(lang: str, value: date, style: Style = "medium", *, timezone: str | None = None) -> str:
    """A date as the language writes it. A ``datetime`` is an instant and needs an IANA zone."""
    if isinstance(value, datetime):
        if timezone is None:
            raise ValueError("an instant has a date only in a time zone")
        value = _localised(value, timezone).date()
    return dates.format_date(value, style, locale=locale_of(lang))


def format_datetime(lang: str, value: datetime, timezone: str, style: Style = "medium") -> str:
    """An instant in an IANA zone. Raises ``ValueError`` for a datetime without a zone of its own."""
    local = _localised(value, timezone)
    return dates.format_datetime(local, style, tzinfo=ZoneInfo(timezone), locale=locale_of(lang))


def format_number(lang: str, value: int | Decimal) -> str:
    """A number with the language's separators, up to three decimals."""
    return numbers.format_decimal(value, locale=locale_of(lang))


def format_money(lang: str, amount_cents: int, currency: str) -> str:
    """An amount given in minor units (cents) with its currency sign."""
    amount = Decimal(amount_cents).scaleb(-numbers.get_currency_precision(currency))
    return numbers.format_currency(amount, currency, locale=locale_of(lang))


def _localised(value: datetime, timezone: str) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a datetime without a time zone is not an instant")
    return value.astimezone(ZoneInfo(timezone))
