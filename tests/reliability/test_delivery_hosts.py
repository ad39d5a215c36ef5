"""The proof on four hosts (``tests/reliability/four_hosts.sh``, as root): each figure can fail it."""

import subprocess
import sys

import pytest
import redis

from app.testing.delivery import brokers, hosts
from app.testing.delivery.web_host import Answer
from tests.reliability.test_delivery import BAD, GOOD

WORKER = {
    "runs_at_the_cut": 3,
    "runs_taken_over": 3,
    "recovery_max_seconds": 16.0,
    "sessions_at_the_cut": 8,
    "sessions_left": 0,
    "answers_of_web": {"200": 9, "303": 9},
}
WEB = {
    "live": {"200": 9},
    "ready": {"503": 9, "200": 1},
    "page": {"503": 9},
    "slowest_seconds": 10.6,
}
FIGURES = GOOD | {"workers_cut_off": WORKER, "web_cut_off": WEB}
BAD_HERE = [
    *({"workers_cut_off": WORKER | change} for change in (
        {"runs_at_the_cut": 4},
        {"runs_at_the_cut": 0, "runs_taken_over": 0},
        {"recovery_max_seconds": 30.0},
        {"sessions_at_the_cut": 0},
        {"sessions_left": 1},
        {"answers_of_web": {"200": 9, "503": 1}},
    )),
    *({"web_cut_off": WEB | change} for change in (
        {"live": {"200": 8, "0": 1}},
        {"ready": {"200": 9}},
        {"page": {"500": 1}},
        {"slowest_seconds": 25.0},
    )),
]  # fmt: skip


@pytest.mark.parametrize("change", [*(bad for bad in BAD if "points_missed" not in bad), *BAD_HERE], ids=str)
def test_each_figure_can_fail_the_proof_on_hosts(change):
    assert hosts.is_proved(FIGURES)
    assert not hosts.is_proved(FIGURES | change)


def test_ready_is_what_is_said_after_the_return():
    answer = Answer(at=10.0, path="/health/ready", status=200, seconds=0.5)
    assert hosts._says_ready(answer, 10.4)
    assert not hosts._says_ready(answer, 10.6)


def test_a_command_runs_beside_a_broker_of_its_own():
    script = """if True:
        import os, kombu
        with kombu.Connection(os.environ["WIZAMART_TEST_BROKER_URL"]) as connection:
            connection.connect()
    """
    command = [sys.executable, "-m", brokers.__name__, "valkey", sys.executable, "-c", script]
    assert subprocess.run(command, timeout=30, check=False).returncode == 0


def test_a_broker_comes_back_empty(tmp_path):
    with (tmp_path / "alive").open("w") as alive:
        broker = brokers.on_tcp(brokers.Program.VALKEY, brokers.Place(tmp_path, alive.fileno()))
        try:
            broker.start()
            redis.Redis.from_url(broker.broker_url).set("key", "value")
            broker.stop_and_forget()
            with pytest.raises(redis.ConnectionError):
                redis.Redis.from_url(broker.broker_url).ping()
            broker.start()
            assert redis.Redis.from_url(broker.broker_url).get("key") is None
        finally:
            broker.stop()
