"""Real workers: one vendor's burst starves no other, and a run that cannot be interrupted ends all the same."""

import time
from uuid import UUID

import psutil
import pytest

from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.tasks.beat import beat_once
from app.tasks.dispatcher import dispatch
from tests.reliability import ledger_tasks as _tasks  # noqa: F401  registers them

pytestmark = [pytest.mark.reliability, pytest.mark.usefixtures("ledger_db")]
PREFIX = "tests.reliability.ledger_tasks"
A, B = (UUID(int=number << 64) for number in (1, 2))
_BURST = """
    INSERT INTO jobs (id, vendor_id, module, task, queue, priority, run_after, args, state, attempts, max_attempts,
        token, created_at)
    SELECT gen_random_uuid(), :vendor, 'framework', :task, 'default', 0, now(),
        jsonb_build_object('seconds', cast(:seconds AS float)), 'queued', 0, 3, 0, now()
    FROM generate_series(1, 10000)
"""


def send(task, vendor_id=None, **kwargs):
    with unit_of_work(TenantScope(vendor_id) if vendor_id else SYSTEM) as session:
        return dispatch(session, f"{PREFIX}.{task}", kwargs=kwargs, vendor_id=vendor_id)


@pytest.mark.parametrize("seconds", [0.0, 0.4])
def test_a_vendor_starts_within_two_seconds_behind_another_ones_ten_thousand(
    query, worker_process, eventually, seconds
):
    query(_BURST, vendor=A, task=f"{PREFIX}.sleep_for_vendor", seconds=seconds)
    worker_process()
    send("sleep_for_vendor", A, seconds=seconds)
    eventually(lambda: query("SELECT 1 FROM jobs WHERE state = 'succeeded' LIMIT 1") != [])
    time.sleep(1.0)
    ref = send("sleep_for_vendor", B, seconds=0.0)
    waited = (
        "SELECT extract(epoch FROM started_at - created_at) AS s FROM jobs WHERE id = :id AND attempts > 0"
    )
    eventually(lambda: query(waited, id=ref.id) != [], 10)
    assert query(waited, id=ref.id)[0].s < 2.0
    assert query("SELECT count(*) > 1000 FROM jobs WHERE state = 'queued'") == [(True,)]


def test_a_run_stuck_in_c_code_is_ended_from_outside(query, worker_process, eventually, monkeypatch):
    monkeypatch.setenv("WIZAMART_TEST_WATCHDOG_SECONDS", "0.5")
    with unit_of_work(SYSTEM) as session:
        dispatch(session, f"{PREFIX}.hang_in_c")
        for number in range(3):  # claimed in the same batch, never begun
            dispatch(session, f"{PREFIX}.note", kwargs={"number": number})
    worker = worker_process("--pool", "prefork", "--concurrency", "1")
    eventually(lambda: query("SELECT 1 FROM job_runs") != [])
    (stuck,) = {int(row.worker.rpartition(":")[2]) for row in query("SELECT worker FROM job_runs")}
    assert stuck in [child.pid for child in psutil.Process(worker.pid).children()]
    time.sleep(2.0)  # now it is beyond its limit, and its lease no longer renewed
    expire = (
        "UPDATE job_runs SET leased_until = clock_timestamp() - interval '1 s' "
        "FROM jobs WHERE jobs.id = job_id AND ended_at IS NULL AND task LIKE :task"
    )
    query(expire, task="%hang_in_c")
    beat_once()
    eventually(lambda: not psutil.pid_exists(stuck), 10)
    query(expire, task="%note")  # nobody renews them now
    beat_once()
    assert query(f"SELECT state, error_code FROM jobs WHERE task = '{PREFIX}.hang_in_c'") == [
        ("failed", "tasks.worker_lost")
    ]
    eventually(lambda: len(query("SELECT 1 FROM ledger_test_effects")) == 3, 15)
    assert worker.poll() is None
