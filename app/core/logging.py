"""Logs: one line per event on standard error, as text for people or JSON for machines, without secrets.

The standard library's loggers (uvicorn, celery, sqlalchemy) go the same way. Code logs through
``structlog.stdlib.get_logger(__name__)``: ``log.info("order imported", order_id=order_id)``.
"""

import logging
import os
import re
import sys
from collections.abc import Mapping, Set
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.core.config import Settings
from app.core.errors import ConfigurationError

MASK = "***"
_MAX_DEPTH = 8

_SENSITIVE = (
    r"passw(?:or)?d|passphrase|secret|token|authorization|cookie|credential|csrf|session[_-]?id"
    r"|(?:api|private|encryption|signing|access)[_-]?keys?|cvc|cvv|iban"
)
# `card` stands alone or leads (card_number, cardNumber), so that "discard" and "cardinality" stay readable.
# Whoever has the hash of something short, such as a recovery code, finds it by trying.
_SECRET_KEY = re.compile(rf"{_SENSITIVE}|_hash$|(?:^|[_-])card(?:$|[_-]|s$|number|holder)", re.IGNORECASE)
_ASSIGNED = rf"(?:{_SENSITIVE}|card[_-]?number)[\w-]{{0,20}}[\\\"']{{0,2}}\s{{0,3}}[:=]\s{{0,3}}"

# Every repetition is bounded: text from outside must not make masking slow.
_IN_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    # scheme://user:password@host
    (
        re.compile(r"\b([a-z][a-z0-9+.-]{0,30}://[^\s:/@]{0,256}:)[^\s/]{1,512}@", re.IGNORECASE),
        rf"\1{MASK}@",
    ),
    # header lines: the value has several words
    (
        re.compile(r"((?:authorization|cookie)[\"']?\s{0,3}[:=]\s{0,3}[\"']?)[^\r\n\"']+", re.IGNORECASE),
        rf"\1{MASK}",
    ),
    (re.compile(r"\b(bearer\s{1,3})[\w.~+/=-]+", re.IGNORECASE), rf"\1{MASK}"),
    # password=…, "api_key": "…", ?token=…: in quotes to the closing one, else to the next separator
    (re.compile(rf"({_ASSIGNED}b?\\?([\"']))(?:\\.|(?!\2)[^\r\n\\])*", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(rf"({_ASSIGNED})(?!b?\\?[\"'])[^\s&,;)}}\]]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"\b((?:wm|sk|rk|pk)_(?:live|test)_|whsec_)[\w+/=-]+"), rf"\1{MASK}"),
    (re.compile(r"\beyJ[\w-]{4,4000}\.[\w-]{4,4000}\.[\w-]*"), MASK),  # JSON web token
)

# Chatty at INFO, and some print request bodies, SQL parameters or addresses with tokens there.
_QUIET = (
    "uvicorn.access",
    "celery.worker.strategy",
    "celery.app.trace",
    "sqlalchemy",
    "httpcore2",
    "httpx2",
    "urllib3",
    "asyncio",
)
# Come with handlers of their own, which would print a line twice.
_ROUTED = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "celery", "celery.task", "kombu")


def mask(value: Any) -> Any:
    """A copy made of plain values (dict, list, str, numbers) in which secrets are replaced by ``***``.

    Secret are: what stands under a key named like one, at any depth, and what looks like one inside a text.
    """
    return _masked(value, 0)


def _masked(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _mask_text(value)
    if isinstance(value, bytes | bytearray):
        return _mask_text(value.decode("utf-8", "replace"))
    if depth >= _MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {_plain_key(key): _masked_item(key, item, depth) for key, item in value.items()}
    if isinstance(value, list | tuple | Set):
        items = list(value)
        if len(items) == 2 and isinstance(items[0], str | bytes):  # a pair, as headers come
            return [_masked(items[0], depth + 1), _masked_item(items[0], items[1], depth)]
        return [_masked(item, depth + 1) for item in items]
    try:
        return _mask_text(str(value))
    except Exception:  # logging never breaks the caller
        return f"<{type(value).__name__}>"


def _masked_item(key: object, item: Any, depth: int) -> Any:
    says_nothing = item is None or isinstance(item, bool) or item == ""
    if not says_nothing and _SECRET_KEY.search(_plain_key(key)):
        return MASK
    return _masked(item, depth + 1)


def _plain_key(key: object) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)


def _mask_text(text: str) -> str:
    for pattern, replacement in _IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def bind(**ids: object) -> None:
    """Adds ids (request_id, job_id, vendor_id, user_id) to every line of this context; None is left out."""
    structlog.contextvars.bind_contextvars(
        **{name: value for name, value in ids.items() if value is not None}
    )


def bound(name: str) -> str | None:
    """An id that was bound in this context."""
    found = structlog.contextvars.get_contextvars().get(name)
    return None if found is None else str(found)


def clear() -> None:
    """Forgets the bound ids: at the start of each request and job, as threads and workers are used again."""
    structlog.contextvars.clear_contextvars()


def configure_logging(settings: Settings, process: str) -> None:
    """Sets up logging of this process; ``process`` (web, worker, beat, cli) stands on every line.

    May be called again. Raises ``ConfigurationError`` for a level that does not exist.
    """
    level = logging.getLevelNamesMapping().get(settings.log_level.upper())
    if level is None:
        raise ConfigurationError(
            f"WIZAMART_LOG_LEVEL is {settings.log_level!r}; use DEBUG, INFO, WARNING or ERROR"
        )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(settings, process, shared, sys.stderr))
    _route_everything_to(handler, level)


def _formatter(
    settings: Settings, process: str, shared: list[Processor], stream: TextIO
) -> logging.Formatter:
    def add_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        masked: EventDict = mask(event)
        return masked

    renderer: Processor
    if settings.log_format == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        # Tracebacks come as text, formatted before masking; pretty ones would print local variables.
        renderer = structlog.dev.ConsoleRenderer(
            colors=stream.isatty() and not os.environ.get("NO_COLOR"),
            exception_formatter=structlog.dev.plain_traceback,
        )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            add_process,
            mask_secrets,
            renderer,
        ],
    )


def _route_everything_to(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _ROUTED:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
        logger.propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
