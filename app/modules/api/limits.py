"""How often a key may ask: so many requests a minute, counted by all processes together.

A process takes requests from the shared counter in small packs, so that most of them cost no round trip; what it took
and did not use within the window is lost, so the limit is never exceeded, at times missed by a pack per process.
Header fields follow the draft "RateLimit header fields for HTTP"; they may change with it.
"""

import threading
import time
from dataclasses import dataclass

from fastapi import Request

from app.core import rate_limit
from app.core.config import get_settings
from app.core.errors import RateLimitedError

_WINDOW_SECONDS = 60
_PACKS = 60  # in a window
_MAX_PACKS_KNOWN = 10_000


@dataclass(slots=True)
class _Pack:
    left: int
    behind: int  # what the shared counter has left besides
    ends_at: float


_packs: dict[str, _Pack] = {}
_lock = threading.Lock()


def forget() -> None:
    """Forget what this process has taken; for tests."""
    with _lock:
        _packs.clear()


def count_request(request: Request, name: str) -> None:
    """Count a request of ``name`` (a key). Raises RateLimitedError when the minute's share is used up."""
    limit = get_settings().api_requests_per_minute
    with _lock:
        pack = _packs.get(name)
        if pack is None or pack.left < 1 or time.monotonic() > pack.ends_at:
            pack = _packs[name] = _take(request, name, limit)
        pack.left -= 1
        request.state.rate = (limit, pack.left + pack.behind, max(0, int(pack.ends_at - time.monotonic())))


def _take(request: Request, name: str, limit: int) -> _Pack:
    if len(_packs) >= _MAX_PACKS_KNOWN:
        _packs.clear()
    size = max(1, limit // _PACKS)
    result = rate_limit.hit(f"api:{name}", limit, _WINDOW_SECONDS, tries=size)
    if not result.allowed:
        request.state.rate = (limit, 0, result.retry_after)
        raise RateLimitedError(retry_after=result.retry_after)
    return _Pack(size, result.remaining, time.monotonic() + _WINDOW_SECONDS)


def limit_headers(request: Request) -> dict[str, str]:
    """What the answer says about the limit; nothing for requests that were not counted."""
    rate = getattr(request.state, "rate", None)
    if rate is None:
        return {}
    limit, left, seconds = rate
    return {
        "RateLimit-Policy": f'"key";q={limit};w={_WINDOW_SECONDS}',
        "RateLimit": f'"key";r={left};t={seconds}',
    }
