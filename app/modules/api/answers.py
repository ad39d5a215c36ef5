"""Answers: models made of rows; of reading only the fields that are asked for, an ETag, and 304 for what is known."""

import hashlib
from collections.abc import Collection
from typing import Any, TypeVar

import orjson
from fastapi import Request, Response
from pydantic import BaseModel

from app.core.errors import FieldError
from app.core.ids import to_public
from app.modules.api import Operation
from app.modules.api.problems import BadParameterError

_MAX_NAMED = 200
M = TypeVar("M", bound=BaseModel)


def shown(model: type[M], row: Any, prefix: str, **given: Any) -> M:
    """The model of a row: its id with the prefix, what is given, and the row's columns for all other fields."""
    given["id"] = to_public(prefix, row.id)
    return model(
        **{name: given[name] if name in given else getattr(row, name) for name in model.model_fields}
    )


def chosen_fields(request: Request, operation: Operation) -> Collection[str]:
    """The fields that the caller wants to see; none stands for all. Raises BadParameterError."""
    wanted = request.query_params.get("fields")
    if not wanted:
        return ()
    chosen = dict.fromkeys(wanted.split(","))
    unknown = chosen.keys() - operation.field_names
    if unknown:
        params = {"names": ", ".join(sorted(unknown))[:_MAX_NAMED]}
        key = "errors.framework.no_such_field"
        raise BadParameterError(errors=[FieldError("?fields", "unknown", key, params)])
    return chosen


def answer_to_read(request: Request, body: bytes, version: object, headers: dict[str, str]) -> Response:
    """The answer to a GET whose whole content is ``body``, JSON; ``version`` is None where there is none.

    The ETag is made from the content, since that depends on language and fields as well; the version stands first,
    for If-Match. Callers may keep the answer if they ask each time whether it still holds.
    """
    chosen: Collection[str] = request.state.fields
    if chosen:
        body = _only(body, chosen)
    digest = hashlib.blake2b(body, digest_size=8).hexdigest()
    tag = f'"{digest}"' if version is None else f'"{version}-{digest}"'
    headers |= {"ETag": tag, "Cache-Control": "private, no-cache"}
    if _has(request, tag):
        return Response(None, 304, headers)
    return Response(body, 200, headers, "application/json")


def _has(request: Request, tag: str) -> bool:
    known = request.headers.get("if-none-match")
    if known is None:
        return False
    return known.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in known.split(",")}


def _only(body: bytes, chosen: Collection[str]) -> bytes:
    found: dict[str, Any] = orjson.loads(body)
    if isinstance(found.get("data"), list):
        found["data"] = [{name: row[name] for name in row if name in chosen} for row in found["data"]]
        return orjson.dumps(found)
    return orjson.dumps({name: found[name] for name in found if name in chosen})
