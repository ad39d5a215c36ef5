"""How often Letzshop is called: a bucket for each key, one for all processes."""

from collections.abc import Iterator

import pytest
import redis

from app.core import rate_limit
from app.core.config import get_settings
from app.modules.marketplace.adapters.letzshop import bucket
from app.modules.marketplace.adapters.letzshop.bucket import Buckets, Turn

_EACH, _HOLDS = 1000.0, 3000.0  # a token each second, three in a full bucket
_NAME = "wizamart:letzshop:{test-bucket}"


def taken(buckets: Buckets, max_wait: float = 0.0) -> Turn:
    return buckets.take(_NAME, _EACH, _HOLDS, max_wait)


@pytest.fixture
def server(broker: str) -> Iterator[redis.Redis]:
    found = rate_limit.open_server()
    assert found is not None
    found.delete(f"{_NAME}:full", f"{_NAME}:pause")
    yield found
    found.close()


@pytest.mark.usefixtures("data_dir")
def test_all_processes_share_a_bucket(server: redis.Redis) -> None:
    one, other = Buckets(server), Buckets(server)
    assert [taken(buckets).is_mine for buckets in (one, other, one)] == [True, True, True]
    turn = taken(other)
    assert not turn.is_mine
    assert 0 < turn.seconds <= 1
    waiting = [taken(buckets, max_wait=5.0) for buckets in (one, other)]
    assert all(turn.is_mine for turn in waiting)
    assert waiting[1].seconds > waiting[0].seconds, "each waits for a token of its own"


@pytest.mark.usefixtures("data_dir")
def test_who_is_told_to_wait_tells_all(server: redis.Redis) -> None:
    Buckets(server).pause(_NAME, 20)
    Buckets(server).pause(_NAME, 5)  # a shorter one does not end it
    turn = taken(Buckets(server))
    assert not turn.is_mine
    assert 15 < turn.seconds <= 20


@pytest.mark.parametrize("is_gone", [False, True])
def test_without_a_server_a_process_counts_for_itself(
    data_dir: object, monkeypatch: pytest.MonkeyPatch, is_gone: bool
) -> None:
    monkeypatch.setenv("WIZAMART_CACHE_URL", "redis://127.0.0.1:1/0" if is_gone else "")
    get_settings.cache_clear()
    server = rate_limit.open_server()
    assert (server is not None) == is_gone
    buckets = Buckets(server)
    assert [taken(buckets).is_mine for _ in range(4)] == [True, True, True, False]
    buckets.pause(_NAME, 60)
    assert 50 < taken(buckets, max_wait=5.0).seconds <= 60


@pytest.mark.usefixtures("data_dir")
def test_a_caller_waits_a_little_and_else_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKETPLACE_LETZSHOP_CALLS_PER_MINUTE", "60")
    monkeypatch.setattr(bucket, "_HOLDS_SECONDS", 1)
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    get_settings.cache_clear()
    bucket.forget()
    assert bucket.wait_for_turn("a key") == 0.0
    assert not slept
    while (later := bucket.wait_for_turn("a key")) == 0.0:
        assert len(slept) < 10
    assert len(slept) in (4, 5)
    assert 5 < later < 7
    assert bucket.wait_for_turn("another key") == 0.0
