"""Real workers on a real broker: messages, kills, lost wake-ups."""

import os
import signal
import threading
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core import clock
from app.core.celery_config import celery_app
from app.core.database import SYSTEM, ScopedSession, engine, unit_of_work
from app.modules import state
from app.tasks.beat import beat_once
from app.tasks.claim import claim
from app.tasks.dispatcher import dispatch
from app.tasks.ledger import complete
from app.testing.plugin import empty_broker
from tests.reliability import ledger_tasks as _tasks  # noqa: F401  registers them

pytestmark = [pytest.mark.reliability, pytest.mark.usefixtures("ledger_db")]
PREFIX = "tests.reliability.ledger_tasks"


def send(task, **kwargs):
    with unit_of_work(SYSTEM) as session:
        return dispatch(session, f"{PREFIX}.{task}", kwargs=kwargs)


BILLING = (
    *("reset_period_counters", "check_trial_expirations"),
    *("sync_stripe_status", "cleanup_stale_subscriptions"),
)


def state_of(query, job_id):
    return query("SELECT state FROM jobs WHERE id = :id", id=job_id)[0].state


def test_a_plain_message_with_a_tasks_name_becomes_a_job(query, worker_process, eventually):
    worker_process()
    celery_app.send_task(f"{PREFIX}.note", kwargs={"number": 3}, queue="default")
    eventually(lambda: query("SELECT number FROM ledger_test_effects") == [(3,)])
    eventually(lambda: query("SELECT cause, state FROM jobs") == [("message", "succeeded")])
    known = {name for names in celery_app.control.inspect(timeout=3).registered().values() for name in names}
    billing = {f"app.modules.billing.tasks.subscription.{name}" for name in BILLING}
    assert {"app.modules.tenancy.tasks.sessions.delete_ended_sessions", *billing} <= known


def test_a_killed_workers_job_goes_on_from_its_checkpoint_exactly_once(query, worker_process, eventually):
    first = worker_process()
    ref = send("count_slowly", total=40, seconds=0.1)
    eventually(lambda: len(query("SELECT 1 FROM ledger_test_effects")) >= 15)
    first.send_signal(signal.SIGKILL)
    first.wait()
    (run,) = query("SELECT * FROM job_runs")
    assert run.backend_pid is not None
    assert run.worker.endswith(f":{first.pid}")
    # The lease runs out.
    query("UPDATE job_runs SET leased_until = clock_timestamp() - interval '1 s'")
    beat_once()
    assert state_of(query, ref.id) == "queued"
    worker_process()
    eventually(lambda: state_of(query, ref.id) == "succeeded")
    assert [row.number for row in query("SELECT number FROM ledger_test_effects ORDER BY number")] == list(
        range(40)
    )
    (row,) = query("SELECT attempts, result FROM jobs WHERE id = :id", id=ref.id)
    assert row.attempts == 2
    assert row.result["started_at"] >= 14
    assert [
        r.outcome for r in query("SELECT outcome FROM job_runs WHERE job_id = :id ORDER BY token", id=ref.id)
    ] == ["lost", "succeeded"]


def test_the_reaper_ends_the_session_of_a_frozen_worker(query, worker_process, eventually, monkeypatch):
    # It shall wake up and try to commit: its own watchdog would end it before that when it happens to look first.
    monkeypatch.setenv("WIZAMART_TEST_WATCHDOG_SECONDS", "60")
    worker = worker_process()
    ref = send("count_slowly", total=200, seconds=0.1)
    eventually(lambda: query("SELECT 1 FROM job_runs WHERE backend_pid IS NOT NULL") != [])
    os.kill(worker.pid, signal.SIGSTOP)
    query("UPDATE job_runs SET leased_until = clock_timestamp() - interval '1 s'")
    (run,) = query("SELECT backend_pid FROM job_runs")
    alive = "SELECT 1 FROM pg_stat_activity WHERE pid = :pid"
    assert query(alive, pid=run.backend_pid) == [(1,)]

    def is_taken_away():
        beat_once()  # again and again, as beat does: one frozen in a lease's renewal holds the run's row at first
        return query(alive, pid=run.backend_pid) == [] and state_of(query, ref.id) == "queued"

    eventually(is_taken_away)
    query("UPDATE jobs SET run_after = now() + interval '1 hour'")
    before = len(query("SELECT 1 FROM ledger_test_effects"))
    os.kill(worker.pid, signal.SIGCONT)
    send("note", number=1000)

    def is_noted():
        beat_once()  # the first claim may meet the ended session, and its wake-up is gone
        return query("SELECT 1 FROM ledger_test_effects WHERE number = 1000") != []

    eventually(is_noted)
    assert len(query("SELECT 1 FROM ledger_test_effects")) == before + 1
    assert state_of(query, ref.id) == "queued"


def test_a_run_that_is_lost_too_often_fails(query):
    ref = send("note")
    query("UPDATE jobs SET max_attempts = 1")
    assert claim("default", 1, "gone:1")
    query("UPDATE job_runs SET leased_until = clock_timestamp() - interval '1 s'")
    beat_once()
    (row,) = query("SELECT id, state, error_code FROM jobs WHERE max_attempts = 1")
    assert tuple(row) == (ref.id, "failed", "tasks.worker_lost")


def test_an_emptied_broker_loses_no_work(query, broker, worker_process, eventually):
    for number in range(5):
        send("note", number=number)
    empty_broker(broker)
    worker_process()
    stop = threading.Event()

    def beat():
        while not stop.wait(0.5):
            beat_once()

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        eventually(lambda: len(query("SELECT 1 FROM ledger_test_effects")) == 5)
    finally:
        stop.set()
        thread.join()


def test_leases_are_renewed_while_a_job_runs(query, worker_process, eventually):
    worker_process()
    send("count_slowly", total=100, seconds=0.1)
    lease = text("SELECT leased_until FROM job_runs").text
    eventually(lambda: query(lease) != [])
    first = query(lease)[0].leased_until
    eventually(lambda: query(lease)[0].leased_until > first, 8)


def test_a_new_worker_follows_the_business_clock(query, worker_process, eventually):
    former = clock.offset()
    try:
        with unit_of_work(SYSTEM) as session:
            state.set_clock_offset(session, timedelta(hours=3))
        state.forget_snapshot()
        state.refresh()
        ref = send("note")  # due in three hours, says the machine's clock
        worker_process()
        eventually(lambda: state_of(query, ref.id) == "succeeded", 15)
    finally:
        clock.set_offset(former)


def test_a_run_that_freezes_before_its_commit_frees_its_job(query, eventually):
    ref = send("note")
    (claimed,) = claim("default", 1, "frozen:1")
    session = ScopedSession(engine(), SYSTEM)
    complete(session, claimed, None)  # and nothing more comes from this process
    query("UPDATE job_runs SET leased_until = clock_timestamp() - interval '1 s'")

    def is_taken_away():
        beat_once()
        return state_of(query, ref.id) == "queued"

    eventually(is_taken_away, 15)
    with pytest.raises(DBAPIError):
        session.commit()
    session.close()
