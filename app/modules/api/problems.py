"""Errors of the API: ``application/problem+json`` (RFC 9457) in the caller's language, and what each one means."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Request, Response
from pydantic import BaseModel, Field

from app.core.config import get_settings
from app.core.errors import AppError, ConflictError, FieldError, ValidationFailedError
from app.core.i18n import FALLBACK, has_message, negotiate, offered, translate
from app.modules.api.limits import limit_headers
from app.modules.principal import Principal

PROBLEM_TYPE = "application/problem+json"
_MAX_DETAIL_CHARACTERS = 300
_MAX_LANGUAGES_CHARACTERS = 200


class BadParameterError(ValidationFailedError):
    """A query parameter that there is not, or that cannot be read."""

    status = 400
    code = "framework.bad_parameter"


class KeyMissingError(AppError):
    """The operation makes something and needs an Idempotency-Key."""

    status = 400
    code = "framework.key_missing"


class StaleError(ConflictError):
    """The thing was changed since the caller read it."""

    status = 412
    code = "framework.stale"


class VersionMissingError(AppError):
    """The operation changes what others change too, and needs If-Match."""

    status = 428
    code = "framework.version_missing"


class FieldProblem(BaseModel):
    """One thing wrong with one input."""

    detail: str = Field(description="What to do, in the caller's language.")
    pointer: str = Field(description="Where: `#/price/amount_cents` in the body, `?limit` in the query.")
    code: str = Field(description="Stable name of what is wrong.")


class Problem(BaseModel):
    """An error as RFC 9457 describes it."""

    type: str = Field(description="Address of a page that explains the error.")
    title: str
    status: int
    detail: str
    instance: str = Field(description="Id of this request, also in the header X-Request-ID.")
    code: str = Field(description="Stable name of the error, e.g. `core.not_found`.")
    errors: list[FieldProblem] = Field(default=[], description="Every input at fault, where inputs are.")


def language_of_caller(request: Request) -> str:
    """The language of texts in an answer: Accept-Language, else English."""
    return negotiate(request.headers.get("accept-language"), offered(), FALLBACK)


def language_of_content(request: Request, principal: Principal) -> str:
    """The language of names and texts in an answer: Accept-Language, else that of the key's vendor."""
    wanted = request.headers.get("accept-language")
    default = principal.language or FALLBACK
    return _negotiated(wanted[:_MAX_LANGUAGES_CHARACTERS], default) if wanted else default


@lru_cache(maxsize=1000)
def _negotiated(wanted: str, default: str) -> str:
    return negotiate(wanted, offered(), default)


def problem(
    request: Request, status: int, code: str, error: AppError | None, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer that tells a program what went wrong."""
    language = language_of_caller(request)
    params: dict[str, Any] = dict(error.params) if error else {}
    key = error.message_key if error else f"errors.{code}"
    body: dict[str, Any] = {
        "type": f"{get_settings().base_url}/errors/{code}",
        "title": _text(language, f"errors.{code}.title", HTTPStatus(status).phrase, params),
        "status": status,
        "detail": _text(language, key, error.detail if error else HTTPStatus(status).description, params),
        "instance": request.state.request_id,
        "code": code,
    }
    if isinstance(error, ValidationFailedError):
        body["errors"] = [_field(language, field) for field in error.errors]
    dressed = {**limit_headers(request), **(headers or {}), "Vary": "Accept-Language"}
    if status == HTTPStatus.UNAUTHORIZED:
        dressed["WWW-Authenticate"] = "Bearer"
    return Response(orjson.dumps(body), status, dressed, PROBLEM_TYPE)


def _field(language: str, field: FieldError) -> dict[str, str]:
    params = dict(field.params)
    pointer = field.pointer
    if not pointer.startswith(("#", "?")):
        pointer = "#/" + pointer.lstrip("/")
    return {
        "detail": _text(language, field.message_key, field.code, params),
        "pointer": pointer,
        "code": field.code,
    }


def _text(language: str, key: str, fallback: str, params: Mapping[str, Any]) -> str:
    if has_message(language, key) or has_message(FALLBACK, key):
        return translate(language, key, **params)
    return fallback


def from_validation(errors: Sequence[Any]) -> ValidationFailedError:
    """Our error for what Pydantic found: 400 when only the query is at fault, else 422 with pointers."""
    fields = [_from_pydantic(error) for error in errors]
    if fields and all(field.pointer.startswith("?") for field in fields):
        return BadParameterError(errors=fields)
    return ValidationFailedError(errors=fields)


def _from_pydantic(error: Mapping[str, Any]) -> FieldError:
    place, *path = [str(part) for part in error["loc"]] or ["body"]
    if error["type"] == "json_invalid":
        path = []
    steps = "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)
    pointer = (
        f"?{steps}" if place == "query" else f"#/{steps}".rstrip("/") if place == "body" else f"?{steps}"
    )
    reason = str(error["msg"])[:_MAX_DETAIL_CHARACTERS]
    if error["type"] == "extra_forbidden":
        key = "errors.framework.unknown_field" if place == "body" else "errors.framework.unknown_parameter"
        return FieldError(pointer, "unknown", key, {})
    if error["type"] == "missing":
        return FieldError(pointer, "missing", "errors.framework.field_missing", {})
    return FieldError(pointer, str(error["type"]), "errors.framework.field_refused", {"reason": reason})


def known_problems() -> dict[str, type[AppError]]:
    """Every class of error by its code."""
    return {kind.code: kind for kind in _subclasses(AppError)}


def _subclasses(kind: type[AppError]) -> Iterator[type[AppError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _subclasses(below)
