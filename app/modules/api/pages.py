"""Pages of the API's lists: the page kit's list specs read for programs, cursors, and the header field Link.

A cursor is opaque to callers: ``n`` (on from there) or ``p`` (back from there) and the page kit's place in the list.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from fastapi import Request
from pydantic import BaseModel

from app.core.errors import FieldError
from app.modules.api import ApiContext, ListQuery, Page
from app.modules.api.problems import BadParameterError
from app.modules.pagekit.list_page import find_list
from app.modules.pagekit.list_query import read_page
from app.modules.pagekit.list_state import ListState, Place
from app.modules.pagekit.lists import ListSpec

_ON, _BACK = "n", "p"
T = TypeVar("T", bound=BaseModel)


def read_list(ctx: ApiContext, page_id: str, query: ListQuery, show: Callable[[Any], T]) -> Page[T]:
    """The page of a list that the parameters ask for. Filters, search and order are those of the page people see.

    A parameter of a filter has the filter's name; ``q`` and ``sort`` are as in the page's address. ``show`` makes the
    model of a row. Raises BadParameterError for a cursor of another list.
    """
    return read_spec(ctx, find_list(page_id), query, show)


def read_spec(ctx: ApiContext, spec: ListSpec, query: ListQuery, show: Callable[[Any], T]) -> Page[T]:
    """The same for a list that only programs have."""
    given = query.model_dump(by_alias=True, exclude_none=True)
    state = ListState(
        query=_plain(given.get("q", "")),
        filters={one.name: _values(given[one.name]) for one in spec.filters if one.name in given},
        sort=given.get("sort") or spec.default_sort,
        size=query.limit,
        place=place_of(query.cursor),
    )
    found = read_page(ctx.session, spec, state, ctx.language, is_counted=query.counts)
    return Page(
        data=[show(row) for row in found.rows],
        next_cursor=cursor_of(found.next),
        prev_cursor=cursor_of(found.previous),
        has_more=found.next is not None,
        total_count=found.total,
    )


def _plain(text: str) -> str:
    """What PostgreSQL can take of a text somebody typed."""
    return text.replace("\x00", "").strip()


def _values(given: Any) -> tuple[str, ...]:
    listed = given if isinstance(given, list | tuple) else [given]
    return tuple(_plain(str(one)) for one in listed)


def cursor_of(place: Place | None) -> str | None:
    """The cursor of a place in a list."""
    return (_BACK if place.is_before else _ON) + place.encode() if place else None


def place_of(cursor: str | None) -> Place | None:
    """The place behind a cursor. Raises BadParameterError for what we never gave out."""
    if not cursor:
        return None
    place = Place.decode(cursor[1:], is_before=cursor[0] == _BACK) if cursor[0] in (_ON, _BACK) else None
    if place is None:
        raise refused_cursor()
    return place


def refused_cursor() -> BadParameterError:
    """The error for a cursor that is none of this list."""
    return BadParameterError(errors=[FieldError("?cursor", "cursor", "errors.framework.cursor_refused", {})])


def link_header(request: Request, next_cursor: str | None, prev_cursor: str | None) -> dict[str, str]:
    """The header field Link (RFC 8288) of a page."""
    kept = [one for one in request.query_params.multi_items() if one[0] != "cursor"]
    links = [
        f'<{request.scope["path"]}?{urlencode([*kept, ("cursor", cursor)])}>; rel="{name}"'
        for cursor, name in ((next_cursor, "next"), (prev_cursor, "prev"))
        if cursor
    ]
    return {"Link": ", ".join(links)} if links else {}
