"""Rate limits: a sliding window per key, shared through the Redis-like server when there is one.

Correctness never depends on it: without the server each process counts for itself.
"""

import hashlib
import logging
import math
import threading
from dataclasses import dataclass
from functools import lru_cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.clock import system_now
from app.core.config import Settings, get_settings

logger = logging.getLogger(__name__)

_SERVER_TIMEOUT_SECONDS = 0.5
_PAUSE_SECONDS = 30.0  # how long a server that failed is left alone
_MAX_LOCAL_COUNTERS = 20_000

# The window before counts in proportion to what of it still overlaps; a refused try is not counted.
# Returns the counts of the window before and of this one, and whether the try was counted.
_SCRIPT = """
local before = tonumber(redis.call('GET', KEYS[1]) or '0')
local current = tonumber(redis.call('GET', KEYS[2]) or '0')
if before * tonumber(ARGV[1]) + current + tonumber(ARGV[4]) > tonumber(ARGV[2]) then return {before, current, 0} end
redis.call('INCRBY', KEYS[2], tonumber(ARGV[4]))
redis.call('EXPIRE', KEYS[2], tonumber(ARGV[3]))
return {before, current, 1}
"""


@dataclass(frozen=True, slots=True)
class RateResult:
    """``remaining`` tries are left; ``retry_after``: whole seconds until a refused one may return, else 0."""

    allowed: bool
    remaining: int
    retry_after: int


def hit(key: str, limit: int, window_seconds: int, *, tries: int = 1) -> RateResult:
    """Count one try for ``key``: at most ``limit`` in any ``window_seconds``. Refused ones do not count.

    ``tries`` counts several at once, all or none of them.
    """
    if min(limit, window_seconds, tries) < 1:
        raise ValueError("limit, window_seconds and tries are at least 1")
    return _limiter(_server_url(get_settings())).hit(key, limit, window_seconds, tries)


def forget() -> None:
    """Forget what this process has counted; for tests, whose tries all come from one address."""
    _limiter.cache_clear()


def open_server() -> redis.Redis | None:
    """A client of the Redis-like server that all processes share, with short time limits; None where there is none.

    Nothing may depend on it: be ready for ``redis.RedisError`` and for a server that has forgotten everything.
    """
    url = _server_url(get_settings())
    return _connect(url) if url else None


class RateLimiter:
    """Counts on the server of ``url``; in this process while there is none or it does not answer."""

    def __init__(self, url: str | None) -> None:
        self._server = _connect(url) if url else None
        self._script = self._server.register_script(_SCRIPT) if self._server else None
        self._quiet_until = 0.0
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, int], int] = {}

    def hit(self, key: str, limit: int, window_seconds: int, tries: int = 1) -> RateResult:
        """See the function ``hit``."""
        now = system_now().timestamp()
        window = int(now // window_seconds)
        elapsed = now - window * window_seconds
        weight = 1 - elapsed / window_seconds
        name = f"{hashlib.sha256(key.encode(errors='replace')).hexdigest()[:32]}:{window_seconds}"
        args = (window, weight, limit, tries)
        counted = self._count_on_server(name, *args, now) if self._script else None
        before, current, allowed = counted or self._count_here(name, *args)
        if not allowed:
            return RateResult(False, 0, _wait(before, current, elapsed, limit - tries + 1, window_seconds))
        return RateResult(True, max(0, math.floor(limit - before * weight - current - tries)), 0)

    def _count_on_server(
        self, name: str, window: int, weight: float, limit: int, tries: int, now: float
    ) -> tuple[int, int, bool] | None:
        if self._script is None or now < self._quiet_until:
            return None
        seconds = int(name.rpartition(":")[2])
        keys = [f"wizamart:rate:{{{name}}}:{number}" for number in (window - 1, window)]
        try:
            before, current, allowed = self._script(keys=keys, args=[weight, limit, 2 * seconds, tries])
        except (redis.RedisError, OSError) as error:
            if not self._quiet_until:
                logger.warning(
                    "rate limits are counted per process: the server fails: %s", type(error).__name__
                )
            self._quiet_until = now + _PAUSE_SECONDS
            return None
        self._quiet_until = 0.0
        return before, current, bool(allowed)

    def _count_here(
        self, name: str, window: int, weight: float, limit: int, tries: int
    ) -> tuple[int, int, bool]:
        with self._lock:
            self._make_room()
            before, current = self._counts.get((name, window - 1), 0), self._counts.get((name, window), 0)
            if before * weight + current + tries > limit:
                return before, current, False
            self._counts[name, window] = current + tries
            return before, current, True

    def _make_room(self) -> None:
        """Forget the oldest half of the counters when there are too many of them."""
        if len(self._counts) >= _MAX_LOCAL_COUNTERS:
            for entry in list(self._counts)[: _MAX_LOCAL_COUNTERS // 2]:
                del self._counts[entry]


def _wait(before: int, current: int, elapsed: float, limit: int, window_seconds: int) -> int:
    """Whole seconds until one more try fits, if nothing else is counted meanwhile."""
    if current < limit:  # the window before must fade far enough
        seconds = window_seconds * (1 - (limit - 1 - current) / before) - elapsed
    else:  # this window must end and then fade itself
        seconds = window_seconds - elapsed + window_seconds * (1 - (limit - 1) / current)
    return max(1, math.ceil(seconds))


def _server_url(settings: Settings) -> str | None:
    """``cache_url``, else the broker when it is Redis-like; in the form of redis-py."""
    url = settings.cache_url or settings.broker_url or ""
    if url.startswith("redis+socket://"):  # the broker's spelling of a unix socket
        return "unix://" + url.removeprefix("redis+socket://").replace("virtual_host=", "db=")
    return url if url.startswith(("redis://", "rediss://", "unix://")) else None


def _connect(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=_SERVER_TIMEOUT_SECONDS,
        socket_connect_timeout=_SERVER_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


@lru_cache(maxsize=4)
def _limiter(url: str | None) -> RateLimiter:
    return RateLimiter(url)
