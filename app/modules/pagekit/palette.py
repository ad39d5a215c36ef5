"""What the command palette finds: pages of the menu, records of searchable lists, and what modules add."""

from collections.abc import Iterator, Sequence

from fastapi import Response

from app.modules.menu import pages
from app.modules.pagekit import list_query
from app.modules.pagekit.list_page import lists
from app.modules.pagekit.list_state import ListState
from app.modules.pagekit.list_view import ListView
from app.modules.pagekit.lists import ListSpec
from app.modules.pagekit.points import PALETTE, PaletteItem
from app.modules.pages import PageContext
from app.modules.state import is_enabled

_RECORDS = 4  # of each list
_MOST = 24


def find(ctx: PageContext, query: str) -> list[PaletteItem]:
    """What fits ``query``, pages first; without one all pages of the menu."""
    found = list(_pages(ctx, query))
    if query:
        for spec in _searchable(ctx):
            found += _records(ctx, spec, query)
        answers = PALETTE.collect(ctx.session, lambda source: list(source(ctx, query)), ctx.who.platform_ids)
        found += [item for items in answers for item in items]
    return found[:_MOST]


def _pages(ctx: PageContext, query: str) -> Iterator[PaletteItem]:
    words = query.casefold().split()
    for section in ctx.shell().menu:
        for item in section.items:
            if all(word in f"{section.label} {item.label}".casefold() for word in words):
                yield PaletteItem("pages", item.label, item.url, item.icon, section.label)


def _searchable(ctx: PageContext) -> Iterator[ListSpec]:
    for spec in lists().values():
        page = pages().get(spec.page_id)
        if page is None or page.area != ctx.area or not spec.is_in_palette or spec.search is None:
            continue
        if page.permission in ctx.who.permissions and is_enabled(page.module_code, ctx.who.platform_ids):
            yield spec


def _records(ctx: PageContext, spec: ListSpec, query: str) -> Sequence[PaletteItem]:
    state = ListState(query=query, sort=spec.default_sort, size=_RECORDS)
    page = list_query.read_page(ctx.session, spec, state, ctx.language, is_counted=False)
    view = ListView(ctx, spec, state, page, (), None)
    first, group = spec.columns[0], ctx.t(pages()[spec.page_id].title_key)
    return [
        PaletteItem("records", str(first.of(row)), view.record_url(row) or view.url, spec.icon, group)
        for row in page.rows
    ]


def show_palette(ctx: PageContext, query: str) -> Response:
    """The palette as a page; scripts take its list out of it."""
    query = query.strip()[:100]
    return ctx.render("ui/pages/palette.html", items=find(ctx, query), query=query)
