"""How often Letzshop is called: a bucket of tokens for each key, shared by all processes.

A bucket is one moment: when it is full again. Each call moves it on by the time that one token takes to come back; a
call may go ahead of that moment by the tokens that the bucket holds. Without the server each process has its own.
"""

import hashlib
import logging
import threading
import time
from dataclasses import dataclass
from functools import lru_cache

import redis

from app.core import rate_limit
from app.core.clock import system_now
from app.core.config import get_settings
from app.modules.marketplace.config import MarketplaceSettings

logger = logging.getLogger(__name__)

MAX_WAIT_SECONDS = 5.0
MAX_PAUSE_SECONDS = 900.0
_HOLDS_SECONDS = 15  # what a full bucket holds: the calls of this time
_SERVER_PAUSE_SECONDS = 30.0
_MAX_LOCAL = 5_000

# Times in milliseconds of the server's own clock. Returns how long to wait, and whether the token was taken.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = math.max(full + tonumber(ARGV[1]) - tonumber(ARGV[2]) - now, redis.call('PTTL', KEYS[2]), 0)
if wait > tonumber(ARGV[3]) then return {wait, 0} end
full = full + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil(full - now) + 1000)
return {wait, 1}
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """``seconds`` to wait; ``is_mine``: the token is taken, and the call may be made after that time."""

    seconds: float
    is_mine: bool


def take(key: str, *, max_wait: float = MAX_WAIT_SECONDS) -> Turn:
    """A token of the key's bucket; not taken where it would come only after ``max_wait`` seconds."""
    rate = MarketplaceSettings().letzshop_calls_per_minute
    each = 60_000 / rate
    holds = max(each, _HOLDS_SECONDS * 1000)
    return _buckets(get_settings().cache_url, get_settings().broker_url).take(
        _name(key), each, holds, max_wait
    )


def pause(key: str, seconds: float) -> None:
    """Nobody uses the key for so long: the other side asked for it."""
    if seconds > 0:
        until = min(seconds, MAX_PAUSE_SECONDS)
        _buckets(get_settings().cache_url, get_settings().broker_url).pause(_name(key), until)


def wait_for_turn(key: str) -> float:
    """Wait for a token, for a few seconds at most; 0, or the seconds after which it is worth to try again."""
    turn = take(key)
    if turn.is_mine and turn.seconds:
        time.sleep(turn.seconds)
    return 0.0 if turn.is_mine else turn.seconds


def forget() -> None:
    """Forget what this process has counted by itself; for tests."""
    _buckets.cache_clear()


class Buckets:
    """The buckets on a server, or in this process while there is none or it does not answer."""

    def __init__(self, server: redis.Redis | None) -> None:
        self._server = server
        self._script = server.register_script(_TAKE) if server else None
        self._quiet_until = 0.0
        self._lock = threading.Lock()
        self._full: dict[str, float] = {}
        self._paused: dict[str, float] = {}

    def take(self, name: str, each: float, holds: float, max_wait: float) -> Turn:
        """See the function ``take``; ``each`` and ``holds`` in milliseconds."""
        if self._script is not None and self._is_asked():
            try:
                args = [each, holds, max_wait * 1000]
                wait, taken = self._script(keys=[f"{name}:full", f"{name}:pause"], args=args)
                return Turn(wait / 1000, bool(taken))
            except (redis.RedisError, OSError) as error:
                self._leave_alone(error)
        return self._take_here(name, each, holds, max_wait)

    def pause(self, name: str, seconds: float) -> None:
        """See the function ``pause``."""
        with self._lock:
            self._make_room()
            self._paused[name] = max(self._paused.get(name, 0.0), _now() + seconds * 1000)
        if self._server is not None and self._is_asked():
            try:
                key = f"{name}:pause"
                if self._server.pttl(key) < seconds * 1000:
                    self._server.set(key, "1", px=int(seconds * 1000))
            except (redis.RedisError, OSError) as error:
                self._leave_alone(error)

    def _take_here(self, name: str, each: float, holds: float, max_wait: float) -> Turn:
        with self._lock:
            self._make_room()
            now = _now()
            full = max(self._full.get(name, 0.0), now)
            wait = max(full + each - holds - now, self._paused.get(name, 0.0) - now, 0.0)
            if wait > max_wait * 1000:
                return Turn(wait / 1000, False)
            self._full[name] = full + each
            return Turn(wait / 1000, True)

    def _is_asked(self) -> bool:
        return _now() >= self._quiet_until

    def _leave_alone(self, error: Exception) -> None:
        logger.warning("calls of Letzshop are counted per process: %s", type(error).__name__)
        self._quiet_until = _now() + _SERVER_PAUSE_SECONDS * 1000

    def _make_room(self) -> None:
        now = _now()
        for kept in (self._full, self._paused):
            if len(kept) >= _MAX_LOCAL:
                for name in [name for name, moment in kept.items() if moment <= now]:
                    del kept[name]


def _now() -> float:
    return system_now().timestamp() * 1000


def _name(key: str) -> str:
    return f"wizamart:letzshop:{{{hashlib.sha256(key.encode()).hexdigest()[:32]}}}"


@lru_cache(maxsize=4)
def _buckets(_cache_url: str | None, _broker_url: str | None) -> Buckets:
    return Buckets(rate_limit.open_server())
