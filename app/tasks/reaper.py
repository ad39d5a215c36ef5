"""The reaper: takes jobs away from workers that stopped renewing their leases."""

from typing import Any

import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import OperationalError

from app.core.database import engine, session_name
from app.tasks.claim import as_claimed
from app.tasks.errors import StaleRunError
from app.tasks.ledger import lose
from app.tasks.ports import ClaimedJob
from app.tasks.transactions import brief_work

log = structlog.get_logger(__name__)

_MAX_RUNS = 100

_LOST = text(
    """
    SELECT jobs.*, run.worker, run.backend_pid, run.leased_until FROM jobs JOIN job_runs run ON run.job_id = jobs.id
    WHERE run.ended_at IS NULL AND run.leased_until < clock_timestamp() AND run.token = jobs.token
    ORDER BY run.leased_until LIMIT :max_runs
    """
)

# Sessions of the lost worker's process: the one that the run noted, and those with a transaction from before the lease
# was over, for a run that froze before it could note anything. What a new process of that name began since then is not
# meant, nor is another session that has the process id by now.
_END_SESSIONS = text(
    """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name = :name AND usename = session_user AND datname = current_database()
    AND (pid = :pid OR xact_start < :leased_until)
    """
)


def reap() -> int:
    """End the database sessions of lost runs, then queue their jobs again or fail them at their limit.

    Returns how many. The session goes first: that frees the locks the run may hold, also on its own job.
    """
    with brief_work() as session:
        lost = session.execute(_LOST, {"max_runs": _MAX_RUNS}).all()
    for row in lost:
        _end_sessions(row)
        _take_away(as_claimed(row), row.worker)
    return len(lost)


def _end_sessions(run: Row[Any]) -> None:
    found = {"pid": run.backend_pid, "name": session_name(run.worker), "leased_until": run.leased_until}
    # As the login role: only the user that a session logged in as may end it.
    with engine().connect() as connection:
        connection.execute(_END_SESSIONS, found)


def _take_away(job: ClaimedJob, worker: str) -> None:
    try:
        with brief_work() as session:
            state = lose(session, job)
    except StaleRunError:
        return  # it ended in the meantime
    except OperationalError:
        log.exception("job_run_not_taken_away", job_id=str(job.id), worker=worker)  # locked: the next time
        return
    log.warning("job_run_lost", job_id=str(job.id), task=job.task, worker=worker, state=state)
