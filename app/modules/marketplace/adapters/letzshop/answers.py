"""What an answer of Letzshop means: its data, or which of our errors."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.modules.marketplace.adapters.letzshop.names import (
    BAD_KEY_CODES,
    BAD_KEY_WORDS,
    BUSY_CODES,
    ROLE_CODES,
    ROLE_WORDS,
)
from app.modules.marketplace.exceptions import (
    ChannelError,
    ChannelRefusedError,
    ChannelUnavailableError,
    KeyRefusedError,
    RoleMissingError,
    SchemaDriftError,
)

logger = logging.getLogger(__name__)

_MAX_TEXT = 300
_READABLE = frozenset({200, 400, 401, 403, 422})
Data = dict[str, Any]


def data_of(operation: str, status: int, body: bytes, retry_after: float) -> Data:
    """The data of an answer that has no errors. Raises ChannelError: half an answer is none.

    Only a digest of the body is logged: it may hold addresses of buyers.
    """
    try:
        return _data_of(status, body, retry_after)
    except ChannelError as error:
        digest = hashlib.sha256(body).hexdigest()[:16]
        logger.warning(
            "letzshop %s: %s (status %s, %s bytes, sha256 %s)",
            operation,
            error.code,
            status,
            len(body),
            digest,
        )
        raise


def _data_of(status: int, body: bytes, retry_after: float) -> Data:
    if status not in _READABLE:
        raise ChannelUnavailableError(f"Letzshop answered {status}.", retry_after=retry_after)
    answer = _json(body)
    errors = [one for one in _list(answer.get("errors")) if isinstance(one, Mapping)]
    data = answer.get("data")
    if status == 200 and not errors and isinstance(data, dict):
        return data
    raise _error(status, answer, errors, retry_after)


def _json(body: bytes) -> Data:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    return answer if isinstance(answer, dict) else {}


def _error(
    status: int, answer: Data, errors: Sequence[Mapping[str, Any]], retry_after: float
) -> ChannelError:
    codes = {_code(one) for one in (*errors, answer)}
    told = " ".join([*(_text(one.get("message")) for one in errors), _text(answer.get("error"))]).lower()
    if codes & BUSY_CODES:
        return ChannelUnavailableError("Letzshop is busy.", retry_after=retry_after)
    if codes & ROLE_CODES or status == 403:
        return RoleMissingError("The key may not do this.")
    if codes & BAD_KEY_CODES:
        return KeyRefusedError("The key is not known.")
    # A message of its own code is not about the key, whatever words are in it.
    if not codes - {""} and any(word in told for word in ROLE_WORDS):
        return RoleMissingError("The key may not do this.")
    if status == 401 or (not codes - {""} and any(word in told for word in BAD_KEY_WORDS)):
        return KeyRefusedError("The key is not known.")
    if errors and answer.get("data") is None and any(map(_is_about_the_question, errors)):
        return SchemaDriftError(_text(errors[0].get("message")))
    if errors:
        return ChannelUnavailableError(f"Letzshop answered only in part: {_place(errors[0])} failed.")
    return ChannelUnavailableError(
        f"The answer ({status}) is not one of Letzshop's API.", retry_after=retry_after
    )


def check_result(data: Mapping[str, Any]) -> None:
    """Whether an act was done, by what the mutation answered. Raises ChannelRefusedError for what was not."""
    result = data.get("result")
    if not isinstance(result, Mapping):
        raise ChannelUnavailableError("Letzshop did not say whether it was done.")
    errors = [one for one in _list(result.get("errors")) if isinstance(one, Mapping)]
    if errors:
        told = "; ".join(dict.fromkeys(_text(one.get("message")) or _code(one) for one in errors))
        raise ChannelRefusedError(told[:_MAX_TEXT], reason=_code(errors[0]))


def _is_about_the_question(error: Mapping[str, Any]) -> bool:
    """An error that points into the document and not into an answer: a name in it is not known."""
    path = _list(error.get("path"))
    is_in_answer = bool(path) and not str(path[0]).startswith(("query", "mutation"))
    return bool(_list(error.get("locations"))) and not is_in_answer


def _code(error: Mapping[str, Any]) -> str:
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, Mapping) else error.get("code")
    return code.lower() if isinstance(code, str) else ""


def _place(error: Mapping[str, Any]) -> str:
    return ".".join(map(str, _list(error.get("path"))))[:_MAX_TEXT] or "something"


def _text(value: Any) -> str:
    return value[:_MAX_TEXT] if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
