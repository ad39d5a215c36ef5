"""Jobs: written once, run in the right order, ended in the right state."""

import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from app.core.celery_config import celery_app
from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.modules import task_base
from app.tasks import ledger, relay, runner, wakeups
from app.tasks.claim import claim
from app.tasks.dispatcher import dispatch
from app.tasks.errors import JobStateError, MissingTenantError, StaleRunError, UnknownTaskError
from app.tasks.ledger import JobOptions, JobRef
from app.tasks.runner import run_slice, run_until_idle
from tests.reliability import ledger_tasks as tasks

pytestmark = [pytest.mark.reliability, pytest.mark.usefixtures("ledger_db")]
PREFIX = "tests.reliability.ledger_tasks"
A, B, C = (UUID(int=number << 64) for number in (1, 2, 3))


def send(
    task: str, vendor_id: UUID | None = None, options: JobOptions | None = None, **kwargs: Any
) -> JobRef:
    with unit_of_work(TenantScope(vendor_id) if vendor_id else SYSTEM) as session:
        return dispatch(session, f"{PREFIX}.{task}", kwargs=kwargs, vendor_id=vendor_id, **(options or {}))


def roll_back(write: Callable[[Session], object]) -> None:
    with unit_of_work(SYSTEM) as session:
        write(session)
        raise ZeroDivisionError


def waiting_wakeups(queue: str = "default") -> int:
    with celery_app.connection_for_read() as connection:
        return wakeups.outstanding(connection, queue)


def job(query: Callable[..., Any], job_id: UUID) -> Any:
    return query("SELECT * FROM jobs WHERE id = :id", id=job_id)[0]


def test_a_job_runs_once_and_keeps_its_result(query):
    ref = send("note", number=7)
    assert waiting_wakeups() == 1
    assert run_until_idle(["default"], timeout_seconds=10)
    row = job(query, ref.id)
    assert (row.state, row.result, row.attempts, row.error_code) == ("succeeded", {"number": 7}, 1, None)
    assert row.finished_at >= row.started_at >= row.created_at
    assert query("SELECT number FROM ledger_test_effects") == [(7,)]
    assert query("SELECT outcome, attempt FROM job_runs WHERE ended_at IS NOT NULL") == [("succeeded", 1)]
    assert run_slice("default") is False  # a second wake-up finds nothing


def test_a_rolled_back_transaction_leaves_and_sends_nothing(query):
    with pytest.raises(ZeroDivisionError):
        roll_back(lambda session: dispatch(session, f"{PREFIX}.note"))
    assert query("SELECT count(*) FROM jobs") == [(0,)]
    assert waiting_wakeups() == 0


def test_many_jobs_of_one_transaction_send_one_wake_up():
    with unit_of_work(SYSTEM) as session:
        for _ in range(20):
            dispatch(session, f"{PREFIX}.nothing")
    assert waiting_wakeups() == 1


def test_an_unfinished_job_with_the_same_unique_key_is_returned():
    first, second = (send("note", options={"unique_key": "k"}) for _ in range(2))
    other = send("note_for_vendor", A, {"unique_key": "k"})
    assert (first.created, second, other.created) == (True, JobRef(first.id, created=False), True)
    run_until_idle(["default"], timeout_seconds=10)
    assert send("note", options={"unique_key": "k"}).created


def test_a_vendors_task_needs_its_vendor_and_runs_as_it(query):
    with pytest.raises(MissingTenantError):
        send("note_for_vendor")
    ref = send("note_for_vendor", A)
    run_until_idle(["default"], timeout_seconds=10)
    assert job(query, ref.id).result == {"vendor_id": str(A), "role": "wizamart_tenant", "setting": str(A)}


def test_a_tenant_can_neither_make_nor_cancel_a_foreign_job(query):
    with pytest.raises(ProgrammingError, match="row-level security"), unit_of_work(TenantScope(A)) as session:
        dispatch(session, f"{PREFIX}.note_for_vendor", vendor_id=B)
    ref = send("note_for_vendor", B)
    with pytest.raises(ledger.JobNotFoundError), unit_of_work(TenantScope(A)) as session:
        ledger.cancel(session, ref.id)
    assert job(query, ref.id).state == "queued"


def test_unknown_tasks_and_large_arguments_are_refused():
    with pytest.raises(UnknownTaskError):
        send("no_such_task")
    with pytest.raises(TypeError):
        send("note", number=[1, 2])


def test_vendors_take_turns_then_priority_then_age(query):
    with unit_of_work(SYSTEM) as session:
        for vendor_id, number, priority in [(A, n, 0) for n in range(30)] + [
            (A, 99, 5),
            (B, 100, 0),
            (C, 200, 0),
        ]:
            dispatch(
                session,
                f"{PREFIX}.note_for_vendor",
                kwargs={"number": number},
                vendor_id=vendor_id,
                priority=priority,
            )
    run_until_idle(["default"], timeout_seconds=20)
    done = [row.number for row in query("SELECT number FROM ledger_test_effects ORDER BY ctid")]
    assert done[:3] == [99, 100, 200]
    assert done[3:] == list(range(30))


def test_one_ordering_key_is_strict_also_over_a_failure(query):
    first = send("break_down", options={"ordering_key": "o"})
    others = [send("note", options={"ordering_key": "o"}, number=number) for number in (10, 11, 12)]
    free = send("note", number=1)
    run_slice("default")
    assert [job(query, ref.id).state for ref in (first, *others, free)] == ["queued"] * 4 + ["succeeded"]
    assert {job(query, ref.id).waiting_reason for ref in others} == {"order"}
    run_until_idle(["default"], timeout_seconds=20)
    assert job(query, first.id).state == "failed"
    assert [row[0] for row in query("SELECT number FROM ledger_test_effects ORDER BY ctid")] == [
        1,
        10,
        11,
        12,
    ]


def test_two_workers_never_run_one_ordering_key_at_once(query):
    with unit_of_work(SYSTEM) as session:
        for number in range(60):
            dispatch(session, f"{PREFIX}.note", kwargs={"number": number}, ordering_key=f"k{number % 3}")
    threads = [
        threading.Thread(target=run_until_idle, args=(["default"],), kwargs={"timeout_seconds": 20})
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    relay.release_waiting()
    run_until_idle(["default"], timeout_seconds=20)
    done = [row[0] for row in query("SELECT number FROM ledger_test_effects ORDER BY ctid")]
    assert sorted(done) == list(range(60))
    spans = query(
        "SELECT j.ordering_key, r.started_at, r.ended_at FROM job_runs r JOIN jobs j ON j.id = r.job_id"
    )
    for key in ("k0", "k1", "k2"):
        mine = sorted((row.started_at, row.ended_at) for row in spans if row.ordering_key == key)
        assert all(former[1] <= later[0] for former, later in pairwise(mine))


def test_failures_are_tried_again_then_visible_then_replayed(query):
    ref = send("break_down")
    run_slice("default")
    row = job(query, ref.id)
    assert (row.state, row.attempts, row.finished_at) == ("queued", 1, None)
    run_until_idle(["default"], timeout_seconds=10)
    row = job(query, ref.id)
    assert (row.state, row.attempts, row.error_code) == ("failed", 2, "tasks.RuntimeError")
    assert "hunter2" not in row.error_message
    assert len(row.error_digest) == 12
    assert query("SELECT * FROM ledger_test_effects") == []
    assert [row.outcome for row in query("SELECT outcome FROM job_runs ORDER BY token")] == [
        "retried",
        "failed",
    ]
    with unit_of_work(SYSTEM) as session:
        assert ledger.replay(session, ref.id) == "default"
    assert (job(query, ref.id).state, job(query, ref.id).attempts) == ("queued", 0)


def test_a_refusal_is_final(query):
    ref = send("refuse")
    run_until_idle(["default"], timeout_seconds=10)
    row = job(query, ref.id)
    assert (row.state, row.attempts, row.error_code, row.error_message) == (
        "failed",
        1,
        "core.conflict",
        "Not now.",
    )


def test_an_error_that_says_later_is_tried_later(query):
    ref = send("find_nobody")
    run_slice("default")
    assert (job(query, ref.id).state, job(query, ref.id).error_code) == ("queued", "core.unavailable")


def test_replay_waits_for_an_equal_job():
    with unit_of_work(SYSTEM) as session:
        first = dispatch(session, f"{PREFIX}.note", unique_key="k")
        ledger.cancel(session, first.id)
        dispatch(session, f"{PREFIX}.note", unique_key="k")
        with pytest.raises(JobStateError, match="equal job"):
            ledger.replay(session, first.id)


def test_cancel_before_during_and_after(query):
    queued = send("note")
    with unit_of_work(SYSTEM) as session:
        assert ledger.cancel(session, queued.id) == "cancelled"
        with pytest.raises(JobStateError):
            ledger.cancel(session, queued.id)
    running = send("count_slowly", total=5)
    (claimed,) = claim("default", 1, "test:1")
    with unit_of_work(SYSTEM) as session:
        assert ledger.cancel(session, running.id) == "running"
    with pytest.raises(task_base.JobCancelledError):
        task_base.execute(claimed)
    assert query("SELECT number FROM ledger_test_effects") == [(0,)]  # the chunk before the checkpoint stays
    with unit_of_work(SYSTEM) as session:
        ledger.mark_cancelled(session, claimed)
    assert [job(query, ref.id).state for ref in (queued, running)] == ["cancelled", "cancelled"]


def test_a_stale_run_can_write_nothing(query):
    ref = send("count_slowly", total=3)
    (stale,) = claim("default", 1, "test:1")
    with unit_of_work(SYSTEM) as session:
        assert ledger.lose(session, stale) == "queued"
    (current,) = claim("default", 1, "test:2")
    assert current.token == stale.token + 1
    with pytest.raises(StaleRunError):
        task_base.execute(stale)
    assert query("SELECT * FROM ledger_test_effects") == []
    task_base.execute(current)
    with pytest.raises(StaleRunError), unit_of_work(SYSTEM) as session:
        ledger.complete(session, stale, None)
    assert job(query, ref.id).state == "succeeded"


def test_dry_runs_reports_and_time_limits(query):
    dry, told, hung = send("try_dry"), send("report_twice"), send("hang")
    run_until_idle(["default"], timeout_seconds=10)
    assert job(query, dry.id).result == {"mode": "dry"}
    assert (job(query, told.id).progress_done, job(query, told.id).phase) == (2, "half")
    assert job(query, hung.id).error_code == "tasks.TimeLimitError"
    assert [row.job_id for row in query("SELECT job_id FROM ledger_test_effects")] == [told.id]


def test_delay_becomes_a_job(query):
    ref = tasks.note_for_vendor.delay(str(A), number=4)
    row = job(query, ref.id)
    assert (row.vendor_id, row.args, row.state) == (A, {"number": 4}, "queued")
    with pytest.raises(MissingTenantError):
        tasks.note_for_vendor.delay(vendor_id=None)
    with pytest.raises(TypeError):
        tasks.note.delay(wrong=1)
    with pytest.raises(ZeroDivisionError):
        roll_back(lambda session: tasks.note.apply_async(session=session))
    assert query("SELECT count(*) FROM jobs") == [(1,)]


def test_a_broker_that_is_down_harms_nobody_and_the_relay_makes_up(query, broker, broker_at):
    broker_at("redis+socket:///nonexistent/socket")
    started = time.monotonic()
    assert all(send("note").created for _ in range(10))
    assert time.monotonic() - started < 5
    broker_at(broker)
    assert waiting_wakeups() == 0
    assert relay.relay() == relay.MAX_OUTSTANDING
    assert relay.relay() == 0
    assert waiting_wakeups() == relay.MAX_OUTSTANDING


def test_jobs_of_a_module_that_is_off_wait_and_come_back(query, framework):
    framework(module_is_on=lambda _code, vendor_id: vendor_id != A)
    off, on = send("note_for_vendor", A), send("note_for_vendor", B)
    run_until_idle(["default"], timeout_seconds=10)
    assert (job(query, off.id).waiting_reason, job(query, on.id).state) == ("module off", "succeeded")
    relay.release_waiting()
    assert job(query, off.id).waiting_reason == "module off"
    framework()
    relay.release_waiting()
    run_until_idle(["default"], timeout_seconds=10)
    assert job(query, off.id).state == "succeeded"
    late = send("note_for_vendor", A)
    query(
        "UPDATE jobs SET waiting_reason = 'module off', created_at = now() - interval '31 days' WHERE id = :i",
        i=late.id,
    )
    framework(module_is_on=lambda *_: False)
    relay.release_waiting()
    assert (job(query, late.id).state, job(query, late.id).error_code) == ("failed", "tasks.module_off")


def test_unique_ids_of_foreign_vendors_do_not_collide():
    assert {send("note_for_vendor", uuid4(), {"unique_key": "k"}).created for _ in range(3)} == {True}


def test_what_a_slow_batch_has_not_begun_goes_back_to_the_queue(query):
    slow = send("count_slowly", total=3, seconds=0.4)
    rest = [send("note", number=number) for number in range(5)]
    batch = claim("default", 8, "test:1")
    assert [claimed.attempt for claimed in batch] == [1] * 6
    runner._run_batch(batch)
    assert job(query, slow.id).state == "succeeded"
    assert {(job(query, ref.id).state, job(query, ref.id).attempts) for ref in rest} == {("queued", 0)}
    run_until_idle(["default"], timeout_seconds=10)
    assert query("SELECT count(*) FROM jobs WHERE state = 'succeeded' AND attempts = 1") == [(6,)]
