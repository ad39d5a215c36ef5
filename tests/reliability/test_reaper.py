"""The reaper frees what a lost worker's process still holds in the database."""

import hashlib
import os
import signal
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from app.core.database import SYSTEM, engine, make_engine, session_name, unit_of_work
from app.tasks.beat import beat_once
from app.tasks.claim import claim
from app.tasks.dispatcher import dispatch
from tests.reliability import ledger_tasks as _tasks  # noqa: F401  registers them

pytestmark = [pytest.mark.reliability, pytest.mark.usefixtures("ledger_db")]
PREFIX = "tests.reliability.ledger_tasks"
IN_TRANSACTION = text(
    "SELECT pid FROM pg_stat_activity WHERE application_name = :name AND xact_start IS NOT NULL "
    "AND datname = current_database()"
)
LEASE_IS_OVER = "UPDATE job_runs SET leased_until = clock_timestamp() WHERE ended_at IS NULL"


def send(task, **kwargs):
    with unit_of_work(SYSTEM) as session:
        return dispatch(session, f"{PREFIX}.{task}", kwargs=kwargs)


def test_a_run_that_froze_at_once_holds_no_locks(query, worker_process, eventually):
    worker = worker_process()
    ref = send("freeze")
    eventually(lambda: query("SELECT 1 FROM job_runs") != [])
    name = query("SELECT worker FROM job_runs")[0].worker
    eventually(lambda: stopped(worker.pid))
    assert query("SELECT backend_pid FROM job_runs") == [(None,)]  # it could not say where it works
    assert len(at_work(name)) == 1
    query(LEASE_IS_OVER)
    beat_once()
    eventually(lambda: at_work(name) == [])
    worker_process()
    eventually(lambda: query("SELECT number FROM ledger_test_effects") == [(2,)])
    os.kill(worker.pid, signal.SIGCONT)
    send("note", number=7)  # one for each of the two
    send("note", number=8)
    eventually(lambda: len(query("SELECT 1 FROM ledger_test_effects")) == 3)
    assert query("SELECT state, attempts FROM jobs WHERE id = :id", id=ref.id) == [("succeeded", 2)]
    assert query("SELECT number FROM ledger_test_effects ORDER BY 1") == [(2,), (7,), (8,)]


def at_work(process):
    with engine().connect() as connection:  # as the login role: the owner does not see what its sessions do
        return connection.execute(IN_TRANSACTION, {"name": session_name(process)}).all()


def stopped(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


def test_only_what_the_lost_process_had_begun_is_ended(query):
    send("note")
    claim("default", 1, "lost:1")
    with ExitStack() as stack:

        def connected(process):
            own = make_engine(
                engine().url.render_as_string(hide_password=False),
                connect_args={"application_name": session_name(process)},
            )
            stack.callback(own.dispose)
            connection = own.connect()
            stack.callback(connection.invalidate)
            return connection, connection.execute(text("SELECT pg_backend_pid()")).scalar_one()

        pids = {"at work": connected("lost:1")[1], "of another": connected("lost:11")[1]}
        idle, pids["idle"] = connected("lost:1")
        idle.rollback()
        query(LEASE_IS_OVER)
        pids["newer"] = connected("lost:1")[1]
        beat_once()
        alive = {row.pid for row in query("SELECT pid FROM pg_stat_activity")}
        assert {name for name, pid in pids.items() if pid not in alive} == {"at work"}
    assert query("SELECT state FROM jobs WHERE task <> 'wizamart.canary'") == [("queued",)]


def test_the_name_of_a_session_fits_and_tells_processes_apart():
    assert session_name("shop-1:42") == "wizamart:shop-1:42"
    with unit_of_work(SYSTEM) as session:
        mine = session.execute(text("SELECT current_setting('application_name')")).scalar_one()
    assert mine == session_name(f"{os.uname().nodename}:{os.getpid()}")
    names = {session_name(f"{'h' * 60}{number}:7") for number in range(100)}
    assert len(names) == 100
    assert max(len(name) for name in names) <= 63
    assert session_name("h" * 100) == "wizamart:" + hashlib.sha256(b"h" * 100).hexdigest()[:32]
