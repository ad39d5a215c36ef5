"""The error tree: every error people or programs can meet has a status, a stable code and a translatable text.

A module subclasses the kinds below in its ``exceptions.py``. The edges (HTTP, command line, job ledger)
turn them into a page, a ``application/problem+json`` body, an exit code or a failed job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one input: where (``pointer``: field name or JSON pointer), which code, what to do."""

    pointer: str
    code: str
    message_key: str
    params: Mapping[str, Any]


class AppError(Exception):
    """Base of all expected errors.

    ``code`` is stable and part of the API; ``message_key`` is looked up in the message catalogues with
    ``params``; ``str(error)`` is the English text for logs and the command line.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "core.error"
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str = "", /, *, message_key: str = "", **params: Any) -> None:
        self.detail = detail or self.title
        self.message_key = message_key or f"errors.{self.code}"
        self.params = params
        super().__init__(self.detail)


class NotFoundError(AppError):
    """The thing does not exist, or not for this tenant: the two are never told apart."""

    status = 404
    code = "core.not_found"
    title = "Not found"


class ForbiddenError(AppError):
    """Signed in, but without the permission."""

    status = 403
    code = "core.forbidden"
    title = "Not allowed"


class UnauthenticatedError(AppError):
    """Nobody is signed in, or the credentials are wrong."""

    status = 401
    code = "core.unauthenticated"
    title = "Sign in first"


class ConflictError(AppError):
    """The state of the thing does not allow this now (stale version, duplicate, running work)."""

    status = 409
    code = "core.conflict"
    title = "Conflict"


class ValidationFailedError(AppError):
    """Input that cannot be accepted; ``errors`` lists every field at fault."""

    status = 422
    code = "core.validation_failed"
    title = "The input cannot be accepted"

    def __init__(self, detail: str = "", /, errors: Sequence[FieldError] = (), **params: Any) -> None:
        super().__init__(detail, **params)
        self.errors = tuple(errors)


class TooLargeError(AppError):
    """More bytes than allowed."""

    status = 413
    code = "core.too_large"
    title = "Too large"


class RateLimitedError(AppError):
    """Too many tries; ``retry_after`` (whole seconds) says when to come back."""

    status = 429
    code = "core.rate_limited"
    title = "Too many tries"

    def __init__(self, detail: str = "", /, retry_after: int = 60, **params: Any) -> None:
        super().__init__(detail, retry_after=retry_after, **params)
        self.retry_after = retry_after


class UnavailableError(AppError):
    """Something we depend on does not answer; trying again later is right."""

    status = 503
    code = "core.unavailable"
    title = "Not available at the moment"


class ConfigurationError(AppError):
    """The installation is not set up right; the text says what to change. Exit code 3 on the command line."""

    status = 500
    code = "core.configuration"
    title = "Not configured"
