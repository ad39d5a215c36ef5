"""Quick jobs that have nothing to commit are completed together, and each as if it were alone."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from celery import shared_task
from prometheus_client import REGISTRY
from sqlalchemy import event

from app.core.database import SYSTEM, engine, unit_of_work
from app.modules import task_base
from app.modules.task_base import ModuleTask
from app.tasks import ledger, runner
from app.tasks.beat import beat_once
from app.tasks.claim import claim
from app.tasks.dispatcher import dispatch
from app.tasks.ledger import JobRef, Success
from app.tasks.runner import run_until_idle
from tests.reliability import ledger_tasks as _tasks  # noqa: F401  registers them

pytestmark = [pytest.mark.reliability, pytest.mark.usefixtures("ledger_db")]
OURS, COMMON = "tests.reliability.test_batch_completion", "tests.reliability.ledger_tasks"
_MINUTE = 60.0
_gate = threading.Event()

if "WIZAMART_TEST_KEEPS_SUCCESSES" in os.environ:  # a worker of these tests, on a machine of any speed
    task_base._QUICK_SECONDS = runner._KEEP_SECONDS = _MINUTE


@shared_task(base=ModuleTask, bind=True, scope="platform")
def leave_a_line(self: ModuleTask, path: str) -> None:
    with Path(path).open("a", encoding="ascii") as file:
        file.write(f"{self.job.id}\n")


@shared_task(base=ModuleTask, bind=True, scope="platform")
def die_at_first(self: ModuleTask) -> None:
    if self.job.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=1)
def return_what_cannot_be_stored(_self: ModuleTask) -> str:
    return "\x00"


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=1)
def return_no_json(_self: ModuleTask) -> object:
    return object()


@shared_task(base=ModuleTask, bind=True, scope="platform")
def wait_at_the_gate(_self: ModuleTask) -> None:
    assert _gate.wait(_MINUTE)


@shared_task(base=ModuleTask, bind=True, scope="platform")
def only_report(self: ModuleTask) -> None:
    self.report(1, 1)


@shared_task(base=ModuleTask, bind=True, scope="platform")
def only_checkpoint(self: ModuleTask) -> None:
    self.checkpoint("there", 1)


@pytest.fixture(autouse=True)
def _every_job_is_quick(monkeypatch):
    monkeypatch.setattr(task_base, "_QUICK_SECONDS", _MINUTE)


@pytest.fixture
def kept_until_the_end(monkeypatch):
    """No timer: successes are written at the end of the batch."""
    monkeypatch.setattr(runner, "_KEEP_SECONDS", _MINUTE)


def send(*tasks: str, **options) -> list[JobRef]:
    with unit_of_work(SYSTEM) as session:
        return [dispatch(session, task, **options) for task in tasks]


def states(query) -> list[str]:
    return [row.state for row in query("SELECT state FROM jobs ORDER BY sequence")]


def lost_of(task: str) -> float:
    return REGISTRY.get_sample_value("wizamart_jobs_finished_total", {"task": task, "state": "lost"}) or 0.0


@contextmanager
def completions_counted() -> Iterator[list[str]]:
    """The statements within the block that complete jobs."""
    found: list[str] = []

    def note(_connection, _cursor, statement, *_):
        if "UPDATE jobs SET state = 'succeeded'" in statement:
            found.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine(), "before_cursor_execute", note)


@pytest.mark.usefixtures("kept_until_the_end")
def test_a_batch_of_quick_jobs_is_completed_by_one_statement(query):
    send(*[f"{COMMON}.nothing"] * 8)
    with completions_counted() as statements:
        assert run_until_idle(["default"], timeout_seconds=20)
    assert len(statements) == 1
    rows = query("SELECT * FROM jobs JOIN job_runs ON job_runs.job_id = jobs.id")
    assert {(row.state, row.attempts, row.outcome) for row in rows} == {("succeeded", 1, "succeeded")}
    assert len(rows) == 8
    assert all(row.finished_at >= row.created_at for row in rows)


@pytest.mark.usefixtures("kept_until_the_end")
def test_a_stale_run_among_them_is_refused_and_counted(query):
    _, second, _ = send(*[f"{COMMON}.nothing"] * 3)
    batch = claim("default", 8, "test:1")
    (stale,) = (job for job in batch if job.id == second.id)
    with unit_of_work(SYSTEM) as session:
        ledger.lose(session, stale)
    before = lost_of(f"{COMMON}.nothing")
    runner._run_batch(batch)
    assert states(query) == ["succeeded", "queued", "succeeded"]
    assert lost_of(f"{COMMON}.nothing") == before + 1
    # Neither may a run whose job another one has by now.
    (current,) = claim("default", 8, "test:2")
    runner._run_batch([stale])
    assert states(query) == ["succeeded", "running", "succeeded"]
    runner._run_batch([current])
    outcomes = query("SELECT outcome FROM job_runs WHERE job_id = :id ORDER BY token", id=second.id)
    assert (states(query), outcomes) == (["succeeded"] * 3, [("lost",), ("succeeded",)])


@pytest.mark.usefixtures("kept_until_the_end")
@pytest.mark.parametrize(
    "failing", [f"{COMMON}.refuse", f"{OURS}.return_what_cannot_be_stored", f"{OURS}.return_no_json"]
)
def test_a_job_that_fails_does_not_touch_the_others(query, failing):
    send(f"{COMMON}.nothing", failing, f"{COMMON}.nothing")
    runner._run_batch(claim("default", 8, "test:1"))
    assert states(query) == ["succeeded", "failed", "succeeded"]
    runs = query(
        "SELECT outcome FROM job_runs JOIN jobs ON jobs.id = job_id WHERE ended_at IS NOT NULL ORDER BY sequence"
    )
    assert [run.outcome for run in runs] == ["succeeded", "failed", "succeeded"]


def test_a_slow_job_does_not_hold_back_the_quick_ones(query, eventually):
    _gate.clear()
    send(f"{COMMON}.nothing", f"{COMMON}.nothing", f"{OURS}.wait_at_the_gate")
    batch = claim("default", 8, "test:1")
    thread = threading.Thread(target=runner._run_batch, args=(batch,))
    thread.start()
    try:
        eventually(lambda: states(query) == ["succeeded", "succeeded", "running"])
    finally:
        _gate.set()
        thread.join()
    assert states(query) == ["succeeded"] * 3


@pytest.mark.parametrize(
    ("task", "options"),
    [
        (f"{COMMON}.note", {}),
        (f"{COMMON}.nothing", {"ordering_key": "o"}),
        (f"{OURS}.only_report", {}),
        (f"{OURS}.only_checkpoint", {}),
    ],
)
def test_a_job_with_effects_or_an_order_completes_itself(query, task, options):
    send(task, **options)
    (job,) = claim("default", 1, "test:1")
    assert left_by(job) == []
    assert states(query) == ["succeeded"]


def test_a_job_that_is_not_quick_completes_itself(query, monkeypatch):
    send(f"{COMMON}.nothing", f"{COMMON}.nothing")
    quick, slow = claim("default", 2, "test:1")
    assert [success.job for success in left_by(quick)] == [quick]
    monkeypatch.setattr(task_base, "_QUICK_SECONDS", 0.0)
    assert left_by(slow) == []
    assert states(query) == ["running", "succeeded"]


def left_by(job) -> list[Success]:
    """What a run leaves for its runner to complete."""
    left: list[Success] = []
    marker = ledger.left_successes.set(left)
    try:
        task_base.execute(job)
    finally:
        ledger.left_successes.reset(marker)
    return left


def test_a_run_ends_when_its_task_did(query):
    send(f"{COMMON}.nothing")
    (job,) = claim("default", 1, "test:1")
    success = Success.of(job, {"a": 1})
    with unit_of_work(SYSTEM) as session:
        assert ledger.complete_together(session, [replace(success, ended=success.ended - 100)]) == {job.id}
    (row,) = query(
        "SELECT result, finished_at, extract(epoch FROM clock_timestamp() - ended_at) AS ago, outcome "
        "FROM jobs JOIN job_runs ON job_id = id"
    )
    assert (row.result, row.finished_at, row.outcome) == ({"a": 1}, success.finished_at, "succeeded")
    assert 100 <= row.ago < 160


def test_killed_before_they_are_written_they_run_again(
    query, worker_process, eventually, tmp_path, monkeypatch
):
    lines = tmp_path / "lines"
    refs = send(*[f"{OURS}.leave_a_line"] * 3, kwargs={"path": str(lines)}) + send(f"{OURS}.die_at_first")
    monkeypatch.setenv("WIZAMART_TEST_KEEPS_SUCCESSES", "1")
    options = ("--pool", "solo", "--include", OURS)
    first = worker_process(*options)
    first.wait(timeout=60)
    assert states(query) == ["running"] * 4
    query("UPDATE job_runs SET leased_until = clock_timestamp() - interval '1 s'")
    worker_process(*options)

    def are_done():
        beat_once()
        return {tuple(row) for row in query(ended, ids=[ref.id for ref in refs])} == {("succeeded", 2)}

    ended = "SELECT state, attempts FROM jobs WHERE id = ANY(:ids)"
    eventually(are_done, 60)
    assert sorted(lines.read_text().split()) == sorted([str(ref.id) for ref in refs[:3]] * 2)
    runs = query(
        "SELECT outcome, count(*) FROM job_runs WHERE job_id = ANY(:ids) GROUP BY 1",
        ids=[ref.id for ref in refs],
    )
    assert dict(map(tuple, runs)) == {"lost": 4, "succeeded": 4}
