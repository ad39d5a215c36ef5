"""Pages as the server sends them, read without a browser: what they say, and where their links lead."""

import re
from collections import Counter
from html import unescape

import httpx2

from app.modules.pages import LANGUAGE_COOKIE, THEME_COOKIE
from app.modules.registry import modules

_KEYS = re.compile(rf"\b(?:{'|'.join([*modules(), 'ui', 'errors'])})\.[a-z_]+(?![\w/@])")
_EVENTS = {name for module in modules().values() for name in module.publishes}  # are shown by their names
_SPILT = re.compile(r"\bNone\b|\bundefined\b|\bNaN\b|\[object|\{\{|%\(")
# Names of tasks, permissions and the like stand in <code>; they are no texts.
_UNREAD = re.compile(r"<(head|code|pre|kbd|textarea|script|style)\b.*?</\1>|<[^>]*>", re.DOTALL)
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_HTML = re.compile(r'<html lang="(\w+)" data-theme="(\w+)"')
_BODY = re.compile(r"<body\b[^>]*>(.*)</body>", re.DOTALL)
_MAIN = re.compile(r"<main\b.*</main>", re.DOTALL)
_LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]*)"')
_TAG = re.compile(r"<[a-z][^>]*>")
_ID = re.compile(r'<[a-z][^>]*?\sid="([^"]+)"')
_PALETTE = "palette-list"  # of the dialog, and of the page that it takes its list from
_REFERENCE = re.compile(
    r'\s(?:for|form|list|popovertarget|aria-(?:labelledby|describedby|controls))="([^"]+)"'
)
# What differs between things that are made alike: words, addresses and names, but no class, kind or state.
WORDS = (
    r"\s(href|id|for|name|value|title|alt|src|d|action|formaction|placeholder|content|datetime|form|list|popovertarget"
    r'|data-[a-z-]+|hx-[a-z-]+|aria-(?:label|labelledby|describedby|controls))="[^"]+"'
)
_VALUE = re.compile(WORDS)


def read(
    client: httpx2.Client, path: str, language: str = "en", theme: str = "light", *, follows: bool = False
) -> httpx2.Response:
    """A page in a language and a theme, or the one that it leads to."""
    client.cookies.update({LANGUAGE_COOKIE: language, THEME_COOKIE: theme})
    return client.get(path, follow_redirects=follows)


def faults_of_texts(html: str, language: str, theme: str, tenant: str) -> list[str]:
    """What is wrong with the words of a page: its language, its one heading, its title, and what is no text at all."""
    head, title = _HTML.search(html), title_of(html)
    shown = title + "\n" + unescape(_UNREAD.sub(" ", html))
    faults = [] if head and head.groups() == (language, theme) else [f"it is not in {language}, {theme}"]
    if (headings := len(re.findall(r"<h1\b", html))) != 1:
        faults.append(f"{headings} headings")
    if not re.fullmatch(rf"\S.* · {re.escape(tenant)}", title):
        faults.append(f"title: {title}")
    return [*faults, *sorted(set(_KEYS.findall(shown)) - _EVENTS), *_SPILT.findall(shown)]


def title_of(html: str) -> str:
    """The title of a page."""
    found = _TITLE.search(html)
    return unescape(found[1]).strip() if found else ""


def body_of(html: str) -> str:
    """What is in the body of a page."""
    found = _BODY.search(html)
    assert found, "a page without a body"
    return found[1]


def main_of(html: str) -> str:
    """The element with the page's own part, without what is around it."""
    found = _MAIN.search(html)
    assert found, "a page without a main part"
    return found[0]


def faults_of_ids(html: str) -> list[str]:
    """What on a page is referred to by an id that is not there, or that stands there twice."""
    ids = Counter(_ID.findall(html))
    wanted = {one for names in _REFERENCE.findall(html) for one in names.split()}
    wrong = sorted(name for name in wanted if ids[name] != 1 and not (name == _PALETTE and ids[name] == 2))
    return [f"{ids[name]} times: {name}" for name in wrong]


def kinds_of(html: str) -> set[str]:
    """What the main part of a page is made of: its tags with classes, kinds and states, without words and addresses."""
    return {re.sub(r"\s+", " ", _VALUE.sub(r" \1", tag)) for tag in _TAG.findall(main_of(html))}


def links_of(html: str) -> set[str]:
    """Where the links of a page, or of a part of one, lead to within the site."""
    return {unescape(link).partition("?")[0].partition("#")[0] for link in _LINK.findall(html)}
