"""What a page's function gets and gives: who asks, the open transaction, translated texts, rendering and redirects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment
from sqlalchemy.orm import Session

from app.core import security
from app.core.config import get_settings
from app.core.i18n import has_message, negotiate, offered, translate
from app.core.ids import is_public
from app.core.keys import get_keys
from app.core.templating import build_environment, render
from app.modules.base import Area, PageDef
from app.modules.menu import page_url
from app.modules.principal import Principal, VendorRef
from app.modules.providers import ProviderPoint
from app.modules.registry import modules
from app.modules.shell import ShellExtras, build_shell
from app.modules.texts import load_texts

TIME_ZONE = "Europe/Luxembourg"
THEMES = ("system", "light", "dark")
LANGUAGE_COOKIE, THEME_COOKIE, CSRF_COOKIE, FLASH_COOKIE = "wm_lang", "wm_theme", "wm_csrf", "wm_flash"
AREA_COOKIES: dict[Area, str] = {"admin": "wm_admin", "vendor": "wm_vendor"}
_YEAR_SECONDS = 365 * 24 * 3600
_FLASH_SECONDS = 120
_LONGEST_ORIGIN = 2000
_APP = Path(__file__).parent.parent


class IdentityProvider(Protocol):
    """Answered by the module that owns users and vendors."""

    def __call__(self, area: Area, token: str, vendor_code: str | None) -> Principal:
        """Who holds the session ``token`` of an area.

        Raises UnauthenticatedError for no or an ended session, NotFoundError for a vendor that does not
        exist or is not theirs.
        """


IDENTITY: ProviderPoint[IdentityProvider] = ProviderPoint("framework.identity")


class ShellProvider(Protocol):
    """Answered by the module that owns notifications and menu visibility."""

    def __call__(self, ctx: "PageContext") -> ShellExtras:
        """For the page that is being shown."""


SHELL: ProviderPoint[ShellProvider] = ProviderPoint("framework.shell")


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The template environment over the UI kit and all installed modules, with their texts."""
    load_texts()
    folders = [module.folder / "templates" for module in modules().values()]
    built = build_environment(
        [_APP / "ui" / "templates", *(folder for folder in folders if folder.is_dir())],
        static_roots(),
        auto_reload=get_settings().env == "development",
    )
    built.globals["page_url"] = page_url
    return built


def static_roots() -> dict[str, Path]:
    """Folders served under ``/static/<name>``: the kit's, and each module's own."""
    roots = {"ui": _APP / "ui" / "static"}
    for code, module in modules().items():
        folder = module.folder / "static" / code
        if folder.is_dir():
            roots[code] = folder
    return roots


def language_of(request: Request, preferred: str | None = None, default: str | None = None) -> str:
    """The page's language: cookie, the person's own, the area's default, then Accept-Language."""
    for wanted in (request.cookies.get(LANGUAGE_COOKIE), preferred, default):
        if wanted is not None and wanted in offered():
            return wanted
    return negotiate(request.headers.get("accept-language"), offered(), get_settings().default_language)


def theme_of(request: Request, preferred: str | None = None) -> str:
    """system, light or dark."""
    theme = request.cookies.get(THEME_COOKIE) or preferred
    return theme if theme in THEMES else "system"


def local_path(url: str | None, fallback: str) -> str:
    """``url`` where it is a path on this host, else ``fallback``: redirects never leave the site."""
    if not url or not url.startswith("/") or url.startswith(("//", "/\\")) or "\\" in url:
        return fallback
    parts = urlsplit(url)
    return url if not parts.scheme and not parts.netloc else fallback


@dataclass(slots=True)
class PageContext:
    """Handed to every page function; ``session`` is in the right scope and committed when the function returned."""

    request: Request
    session: Session
    area: Area
    principal: Principal | None
    page: PageDef | None
    language: str
    theme: str
    csrf_nonce: str
    _cookies: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    @property
    def who(self) -> Principal:
        """The signed-in person; only pages outside the public area may ask."""
        assert self.principal is not None
        return self.principal

    @property
    def vendor(self) -> VendorRef:
        """The vendor of a page in the vendor area."""
        assert self.who.vendor is not None
        return self.who.vendor

    def t(self, key: str, /, **params: Any) -> str:
        """The text of a message key in the page's language."""
        return translate(self.language, key, **params)

    def act_text(self, action: str) -> str:
        """What the audit log's code of an act means: ``audit.<code>``, or the code itself while it has no text."""
        key = f"audit.{action}"
        return self.t(key) if has_message(self.language, key) or has_message("en", key) else action

    def url(self, page_id: str, **params: object) -> str:
        """Address of a page, for this vendor where it is a vendor's page."""
        if self.principal and self.principal.vendor:
            params.setdefault("vendor_code", self.principal.vendor.code)
        return page_url(page_id, **params)

    @property
    def time_zone(self) -> str:
        """The reader's own (IANA name), else where the platform is at home."""
        return (self.principal and self.principal.time_zone) or TIME_ZONE

    @property
    def path(self) -> Mapping[str, str]:
        """The values in the page's address, by name (``vendor_code``, ``product_id``)."""
        return self.request.path_params

    def set_cookie(self, name: str, value: str, *, path: str = "/", max_age: int = _YEAR_SECONDS) -> None:
        """Set an HTTP-only, same-site cookie with the response; Secure where the site is https."""
        secure = get_settings().base_url.startswith("https:")
        options = {"path": path, "max_age": max_age, "httponly": True, "samesite": "lax", "secure": secure}
        self._cookies.append((name, value, options))

    def flash(self, tone: str, key: str, **params: Any) -> None:
        """Show a message once, on the next page."""
        self.flash_text(tone, self.t(key, **params))

    def flash_text(self, tone: str, text: str) -> None:
        """Show a text that is translated already once, on the next page."""
        signed = security.sign("flash", {"messages": [[tone, text]]}, get_keys(get_settings()))
        self.set_cookie(FLASH_COOKIE, signed, max_age=_FLASH_SECONDS)

    def render(
        self, template: str, *, status: int = 200, title: str | None = None, **context: Any
    ) -> Response:
        """The page as a response. What every template may count on is written in ``app/ui/README.md``."""
        built = environment()
        title = title or (self.t(self.page.title_key) if self.page else self.t("ui.title"))
        everything = {
            **base_context(self.request, self.language, self.theme),
            "timezone": self.time_zone,
            "csrf_token": security.csrf_token(self.csrf_nonce, get_keys(get_settings())),
            "page": SimpleNamespace(id=self.page.id if self.page else "", title=title),
            "shell": self.shell(),
            "request_path": self.request.url.path,
            "ctx_of_page": self,
            "act_text": self.act_text,
            "url": self.url,
            **context,
        }
        response = HTMLResponse(render(built, template, everything), status_code=status)
        if FLASH_COOKIE in self.request.cookies:
            response.delete_cookie(FLASH_COOKIE)
        return self.finish(response)

    def redirect(self, page_id: str, **params: object) -> Response:
        """Send the browser to a page of ours (303)."""
        return self.redirect_to(self.url(page_id, **params))

    def redirect_to(self, path: str) -> Response:
        """Send the browser to a path on this host (303); a record's page keeps the list that one came from."""
        return self.finish(RedirectResponse(self.with_origin(local_path(path, "/")), status_code=303))

    @property
    def origin(self) -> str:
        """The list that one came from and how it was narrowed, as ``from`` of the address says; "" for none.

        Buttons within a record's page post to addresses without it: there it is the page's that they stand on.
        """
        is_sent = self.request.method == "POST"
        asked = urlsplit(self.request.headers.get("referer", "")).query if is_sent else ""
        found = self.request.query_params.get("from") or dict(parse_qsl(asked)).get("from", "")
        return found[:_LONGEST_ORIGIN]

    def with_origin(self, path: str) -> str:
        """``path`` with ``from``, where it is the record at or above this request's address; else as it is."""
        here, is_record = f"{self.request.url.path}/", is_public(path.rpartition("/")[2])
        if not is_record or not here.startswith(f"{path}/") or not (origin := self.origin):
            return path
        return f"{path}?{urlencode({'from': origin})}"

    def finish(self, response: Response) -> Response:
        """Add this request's cookies to a response."""
        if self.request.cookies.get(CSRF_COOKIE) != self.csrf_nonce:
            self.set_cookie(CSRF_COOKIE, self.csrf_nonce)
        for name, value, options in self._cookies:
            response.set_cookie(name, value, **options)
        return response

    def shell(self) -> SimpleNamespace:
        """The frame around the page."""
        extras = (
            next((ask(self) for ask in SHELL.implementations()), ShellExtras()) if self.principal else None
        )
        return build_shell(self.area, self.language, self.page, self.principal, extras, self._read_flash())

    def _read_flash(self) -> Sequence[Sequence[str]]:
        text = self.request.cookies.get(FLASH_COOKIE)
        payload = security.unsign("flash", text, _FLASH_SECONDS, get_keys(get_settings())) if text else None
        return payload["messages"] if payload else []


def base_context(request: Request, language: str, theme: str) -> Mapping[str, Any]:
    """What templates need even when there is no database: texts, language, theme, request id."""

    def t(key: str, /, **params: Any) -> str:
        return translate(language, key, **params)

    return {
        "t": t,
        "lang": language,
        "theme": theme,
        "timezone": TIME_ZONE,
        "request_id": getattr(request.state, "request_id", ""),
        "current_url": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
    }
