"""Canaries tell whether a queue is served; the watchdog ends a worker that takes no work."""

import os
import threading

import pytest

from app.core.celery_config import celery_app
from app.core.observability import HealthStatus
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
    assert canary.check_queues().summary == "No beat has run yet."
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
    for queue in ("long_running", "scheduled"):
        query("DELETE FROM jobs WHERE queue = :queue", queue=queue)
    canary.make_canaries()  # the next one is on its way and does not hide the age
    run_slice("scheduled")
    found = canary.check_queues()
    assert found.status is status
    assert found.details["default"].startswith(f"{status} ({seconds}")
    assert found.details["scheduled"].startswith("ok")
    assert canary.overdue(QUEUES) == []
    query("UPDATE jobs SET created_at = created_at - interval '121 s' WHERE state = 'queued'")
    assert canary.overdue(QUEUES) == ["default", "long_running"]


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
    eventually(lambda: all(not queues for queues in consumed()))
    canary.make_canaries()
    query("UPDATE jobs SET created_at = created_at - interval '130 s' WHERE state = 'queued'")
    assert celery_app.control.ping(timeout=2)  # it looks alive
    eventually(lambda: worker.poll() is not None, 15)
    assert worker.returncode == watchdog._EXIT_CODE
    worker_process()
    eventually(lambda: query("SELECT 1 FROM jobs WHERE state = 'queued'") == [])


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
    watch = threading.Thread(target=watchdog.watch, args=(QUEUES, ended.set))
    watch.start()
    assert not ended.wait(1.0)
    query("UPDATE job_runs SET ended_at = now()")
    assert ended.wait(5.0)
    watch.join()
