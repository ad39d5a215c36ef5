"""The way back from a record to the list one came from, and on to its neighbours there."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from app.core.ids import to_public
from app.modules.menu import pages
from app.modules.pagekit import list_query
from app.modules.pagekit.list_page import lists, parse_state, seen_list
from app.modules.pagekit.list_state import origin, parse_query
from app.modules.pagekit.lists import ListSpec
from app.modules.pages import PageContext
from app.modules.state import is_enabled


@dataclass(frozen=True, slots=True)
class Trail:
    """Address and name: of the list as it was left, and of the records before and after this one (None at the ends)."""

    back: tuple[str, str]
    previous: tuple[str, str] | None
    next: tuple[str, str] | None


def find_trail(ctx: PageContext, record_id: UUID) -> Trail | None:
    """What the address says under ``from``; None where it names no list of these records that the reader may open."""
    page_id, _, query = ctx.origin.partition("?")
    spec = lists().get(page_id)
    if spec is None or ctx.page is None or spec.row_page != ctx.page.id or not _may_open(ctx, page_id):
        return None
    spec = seen_list(ctx, spec)
    state = parse_state(ctx, spec, parse_query(query))
    start = urlencode({"from": origin(spec, state)})
    before, after = list_query.neighbours(ctx.session, spec, state, record_id, ctx.language)
    # Without a word in the address the reader's default view would come.
    back = f"{ctx.url(page_id)}?{state.to_query(spec) or 'view='}"
    return Trail(
        (back, ctx.t(pages()[page_id].title_key)),
        _link(ctx, spec, before, start),
        _link(ctx, spec, after, start),
    )


def _may_open(ctx: PageContext, page_id: str) -> bool:
    page = pages()[page_id]
    return (
        page.area == ctx.area
        and page.permission in ctx.who.permissions
        and is_enabled(page.module_code, ctx.who.platform_ids)
    )


def _link(ctx: PageContext, spec: ListSpec, row: Any, start: str) -> tuple[str, str] | None:
    if row is None or spec.row_page is None:
        return None
    url = ctx.url(spec.row_page, **{spec.row_id: to_public(spec.prefix, row.id)})
    return f"{url}?{start}", str(spec.columns[0].of(row))
