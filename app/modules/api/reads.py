"""Hot reads of the API: PostgreSQL makes the JSON in one round trip, and its bytes are the answer.

What makes the difference, on a list of 20 products: no ORM and no models on the way out, one hop into a thread,
role, settings and statement in one round trip (``app/core/quick_read.py``). Policies hold as everywhere.

Public ids are base32, which PostgreSQL cannot write. A statement writes ``prd_``, the character U+0001 and the
hexadecimal key instead (see ``public_id_sql``); that character stands in no JSON text, which writes it as an escape.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from fastapi import Request, Response
from pydantic import ValidationError

from app.core.errors import AppError, NotFoundError
from app.core.ids import encode_key
from app.core.quick_read import Row, read_row
from app.modules.api import ListQuery, Operation
from app.modules.api.answers import answer_to_read
from app.modules.api.callers import Caller
from app.modules.api.limits import limit_headers
from app.modules.api.pages import cursor_of, link_header, place_of
from app.modules.api.problems import from_validation, language_of_content
from app.modules.pagekit.list_state import Place

_MARK = b"\x01"
_HEX_DIGITS = 32


@dataclass(frozen=True, slots=True)
class QuickRead:
    """A statement with ``$1`` … that gives one row, and its values; ``missing`` is raised when there is no row.

    Of a thing: its JSON and its version. Of a list: the JSON of the rows with commas between, whether there are rows
    beyond in the direction of reading, the edges of the first and the last row (``[sort value, id]`` as JSON), and
    the number of all rows or null.
    """

    statement: str
    values: Sequence[str | None]
    missing: type[AppError] = NotFoundError


def public_id_sql(prefix: str, column: str) -> str:
    """SQL of the text that becomes the public id of a UUID column, to stand inside a JSON string."""
    return f"'{prefix}_' || chr(1) || replace({column}::text, '-', '')"


def answer_quickly(operation: Operation, request: Request, caller: Caller) -> Response:
    """The answer of a hot read. Raises what the operation and the check of its parameters raise."""
    arguments: dict[str, object] = dict(request.path_params)
    query = _query(operation, request)
    if query is not None:
        arguments["query"] = query
    read: QuickRead = operation.function(language_of_content(request, caller.principal), **arguments)
    values = [None if value is None else value.encode() for value in read.values]
    row = read_row(caller.principal.scope, read.statement.encode(), values)
    if row is None:
        raise read.missing
    headers = {"Vary": "Accept-Language", **limit_headers(request)}
    if query is None:
        return answer_to_read(request, _with_public_ids(row[0] or b""), (row[1] or b"").decode(), headers)
    body, following, previous = _page(row, query)
    headers |= link_header(request, following, previous)
    return answer_to_read(request, body, None, headers)


def _query(operation: Operation, request: Request) -> ListQuery | None:
    if operation.query_model is None:
        return None
    given: dict[str, object] = {}
    for name in request.query_params:
        values = request.query_params.getlist(name)
        given[name] = values if name in operation.repeated_names else values[-1]
    try:
        found = operation.query_model.model_validate(given)
    except ValidationError as error:
        raise from_validation([{**one, "loc": ("query", *one["loc"])} for one in error.errors()]) from None
    assert isinstance(found, ListQuery)
    return found


def _page(row: Row, query: ListQuery) -> tuple[bytes, str | None, str | None]:
    """The body of a list and its cursors."""
    data, beyond, first, last, total = (column or b"" for column in row)
    place = place_of(query.cursor)
    has_beyond = beyond == b"t"
    is_back = place is not None and place.is_before
    has_previous, has_next = (has_beyond, True) if is_back else (place is not None, has_beyond)
    following = _cursor(last, is_before=False) if last and has_next else None
    previous = _cursor(first, is_before=True) if first and has_previous else None
    end: dict[str, object] = {
        "next_cursor": following,
        "prev_cursor": previous,
        "has_more": following is not None,
    }
    end["total_count"] = int(total) if total else None
    body = b'{"data":[' + _with_public_ids(data) + b"]," + orjson.dumps(end)[1:]
    return body, following, previous


def _cursor(edge: bytes, *, is_before: bool) -> str | None:
    value, key = orjson.loads(edge)
    return cursor_of(Place(value, key, is_before))


def _with_public_ids(body: bytes) -> bytes:
    head, *parts = body.split(_MARK)
    pieces = [head]
    for part in parts:
        pieces += (encode_key(int(part[:_HEX_DIGITS], 16)).encode(), part[_HEX_DIGITS:])
    return b"".join(pieces)
