"""Canaries tell whether a queue is served; the watchdog ends a worker that takes no work."""

import os
import threading
import time

import pytest
from fastapi.testclient import TestClient

from app.core.celery_config import celery_app
from app.core.config import get_settings
from app.core.observability import HealthStatus
from app.main import create_app
from app.modules.observability import platform_health
from app.tasks import canary, watchdog
from app.tasks.beat import beat_once
from app.tasks.runner import run_slice

pytestmark = [pytest.mark.reliability, pytest.mark.usefixtures("ledger_db")]
QUEUES = ["default", "long_running", "scheduled"]
AGE = """
    UPDATE jobs SET created_at = created_at - make_interval(secs => :s),
        finished_at = finished_at - make_interval(secs => :s)
"""


def test_a_canary_per_queue_and_minute_comes_through(query):
    assert canary.check_queues().key == "health.queues.none"
    assert canary.make_canaries() == len(QUEUES)
    assert canary.make_canaries() == 0
    for queue in QUEUES:
        run_slice(queue)
    assert query("SELECT queue, state FROM jobs ORDER BY 1") == [(queue, "succeeded") for queue in QUEUES]
    assert {age.queue: age.seconds < 10 for age in canary.ages()} == dict.fromkeys(QUEUES, True)
    assert canary.check_queues().status is HealthStatus.OK
    query(AGE, s=61)
    assert canary.make_canaries() == len(QUEUES)
    for queue in QUEUES:
        run_slice(queue)
    assert query("SELECT count(*) FROM jobs") == [(len(QUEUES),)]  # the former ones made room


def test_many_beats_make_one_canary_per_queue(query):
    beats = [threading.Thread(target=beat_once) for _ in range(4)]
    for beat in beats:
        beat.start()
    for beat in beats:
        beat.join()
    assert query("SELECT count(*) FROM jobs WHERE task = 'wizamart.canary'") == [(len(QUEUES),)]


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(110, HealthStatus.OK), (130, HealthStatus.DEGRADED), (310, HealthStatus.FAILED)],
)
def test_the_age_of_the_oldest_canary_decides(query, seconds, status):
    canary.make_canaries()
    run_slice("default")
    query(AGE, s=seconds)
    query("DELETE FROM jobs WHERE queue = 'long_running'")
    run_slice("scheduled")
    found, (_, platform) = canary.check_queues(), platform_health()
    assert found.status is platform["queues"].status is status
    assert found.details["default"].startswith(f"{status} ({seconds}")
    assert found.details["scheduled"].startswith("ok")
    query("UPDATE jobs SET queue = 'of_a_module_that_is_gone' WHERE queue = 'default'")
    assert canary.check_queues().status is HealthStatus.OK
    query("UPDATE jobs SET queue = 'default' WHERE queue = 'of_a_module_that_is_gone'")
    canary.make_canaries()
    run_slice("scheduled")
    assert canary.overdue(QUEUES) == []
    query("UPDATE jobs SET created_at = created_at - interval '121 s' WHERE state = 'queued'")
    assert canary.overdue(QUEUES) == ["default", "long_running"]


def test_a_platform_that_stood_still_for_a_day_is_well_when_it_is_back(query):
    canary.make_canaries()
    for queue in QUEUES:
        run_slice(queue)
    query(AGE, s=86_400)
    assert canary.check_queues().status is HealthStatus.FAILED
    canary.make_canaries()
    assert {age.seconds < 10 for age in canary.ages()} == {True}
    query("UPDATE jobs SET created_at = created_at - interval '301 s' WHERE state = 'queued'")
    assert canary.check_queues().status is HealthStatus.FAILED  # nobody takes them
    query("UPDATE jobs SET state = 'failed', finished_at = now() WHERE state = 'queued'")
    canary.make_canaries()
    assert canary.check_queues().status is HealthStatus.FAILED  # nor does a new one each time hide that


def test_health_is_red_while_a_queue_is_not_served_and_ready_is_not(query):
    with TestClient(create_app()) as client:
        health_follows_the_queues(query, client)


def health_follows_the_queues(query, client):
    assert client.get("/health").json()["checks"]["queues"]["summary"] == "No beat has run yet."
    canary.make_canaries()
    query("UPDATE jobs SET created_at = created_at - interval '301 s'")
    health = client.get("/health")
    assert (health.status_code, health.json()["checks"]["queues"]["status"]) == (503, "failed")
    ready = client.get("/health/ready")
    assert ready.status_code == 200, ready.text


def test_a_canary_passes_a_long_queue_of_the_platform(query):
    query(
        "INSERT INTO jobs (id, module, task, queue, priority, run_after, args, state, attempts, max_attempts, token, "
        "created_at) SELECT gen_random_uuid(), 'tests', 'x', 'default', 0, now(), '{}', 'queued', 0, 1, 0, now() "
        "FROM generate_series(1, 500)"
    )
    canary.make_canaries()
    run_slice("default")
    assert query("SELECT state FROM jobs WHERE task = 'wizamart.canary' AND queue = 'default'") == [
        ("succeeded",)
    ]


def test_a_worker_that_takes_no_work_is_ended(query, worker_process, eventually, monkeypatch):
    monkeypatch.setenv("WIZAMART_TEST_WATCHDOG_SECONDS", "0.3")
    worker = worker_process()
    canary.make_canaries()
    eventually(lambda: query("SELECT 1 FROM jobs WHERE state = 'succeeded' AND queue = 'default'") != [])
    query(AGE, s=200)
    assert not overdue_after(query, worker, seconds=1.5)  # it has come through: all is well
    for queue in QUEUES:
        celery_app.control.cancel_consumer(queue)
    eventually(lambda: all(len(queues) == 1 for queues in consumed()))  # its own
    canary.make_canaries()
    query("UPDATE jobs SET created_at = created_at - interval '130 s' WHERE state = 'queued'")
    assert celery_app.control.ping(timeout=2)  # it looks alive
    eventually(lambda: worker.poll() is not None, 15)
    assert worker.returncode == watchdog._EXIT_CODE
    worker_process()
    eventually(lambda: query("SELECT 1 FROM jobs WHERE state = 'queued'") == [])


@pytest.mark.long(14)
def test_a_deaf_worker_is_ended_although_a_healthy_one_serves_its_queues(
    query, worker_process, eventually, monkeypatch
):
    monkeypatch.setenv("WIZAMART_TEST_WATCHDOG_SECONDS", "0.2")
    deaf, healthy = worker_process("--concurrency", "2"), worker_process()
    names = [f"w{number}-{os.getpid()}@test" for number in (0, 1)]
    eventually(lambda: len(celery_app.control.ping(timeout=1)) == 2)
    time.sleep(watchdog._LOOKS * 0.2 * 2)
    assert [worker.poll() for worker in (deaf, healthy)] == [None, None]  # they hear themselves
    celery_app.control.broadcast("go_deaf", destination=names[:1], reply=True)
    canary.make_canaries()
    beat_once()
    eventually(lambda: query("SELECT 1 FROM jobs WHERE state <> 'succeeded'") == [])
    assert {name for answer in celery_app.control.ping(timeout=1) for name in answer} == set(names)
    eventually(lambda: deaf.poll() is not None, 15)
    assert deaf.returncode == watchdog._EXIT_CODE
    assert healthy.poll() is None


def test_no_worker_is_ended_while_the_broker_is_away(query, broker_at, broker, monkeypatch):
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.02)
    canary.make_canaries()
    query("UPDATE jobs SET created_at = created_at - interval '1 hour'")
    ended = threading.Event()
    broker_at("redis://127.0.0.1:1/0")
    monkeypatch.setenv("WIZAMART_BROKER_URL", "redis://127.0.0.1:1/0")
    get_settings.cache_clear()
    watch = threading.Thread(target=watchdog.watch, args=(QUEUES, "test.ear", ended.set))
    watch.start()
    assert not ended.wait(3.0)
    broker_at(broker)
    assert ended.wait(5.0)
    watch.join()


def overdue_after(query, worker, *, seconds):
    try:
        worker.wait(seconds)
    except Exception:
        return False
    return True


def consumed():
    return list((celery_app.control.inspect(timeout=1).active_queues() or {"": ["?"]}).values())


def test_a_busy_worker_is_left_alone(query, worker_process, eventually, monkeypatch):
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.05)
    canary.make_canaries()
    query("UPDATE jobs SET created_at = created_at - interval '130 s' WHERE queue <> 'scheduled'")
    query("DELETE FROM jobs WHERE queue = 'scheduled'")
    busy, _ = query("UPDATE jobs SET state = 'running' WHERE queue = 'long_running' RETURNING id, token")[0]
    query(
        "INSERT INTO job_runs (job_id, token, attempt, worker, leased_until, heartbeat_at, started_at) "
        "VALUES (:id, 1, 1, :worker, now(), now(), now())",
        id=busy,
        worker=watchdog.socket.gethostname() + f":{os.getpid()}",
    )
    ended = threading.Event()
    watch = threading.Thread(target=watchdog.watch, args=(QUEUES, "test.ear", ended.set))
    watch.start()
    assert not ended.wait(1.0)
    query("UPDATE job_runs SET ended_at = now()")
    assert ended.wait(5.0)
    watch.join()
