"""``wizamart jobs`` and ``tasks``: data on stdout, everything else on stderr."""

import json
import time
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import text

from app.core.console import print_json, print_rows
from app.core.database import SYSTEM, unit_of_work
from app.tasks import ledger
from app.tasks.dispatcher import dispatch
from app.tasks.errors import JobNotFoundError
from app.tasks.models import JobState
from app.tasks.ports import framework
from app.tasks.runner import run_until_idle
from app.tasks.schedule_cli import schedule_app
from app.tasks.wakeups import wake_after_commit

__all__ = ["jobs_app", "schedule_app", "tasks_app"]

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
JobId = Annotated[UUID, typer.Argument(help="The job's id.")]

jobs_app = typer.Typer(help="Background jobs.", no_args_is_help=True)
tasks_app = typer.Typer(help="What can be run as a job.", no_args_is_help=True)

_LIST = text(
    """
    SELECT id, state, task, queue, vendor_id, attempts, progress_done, progress_total, waiting_reason, error_code,
           date_trunc('second', created_at) AS created_at
    FROM jobs WHERE cast(:state AS text) IS NULL OR state = :state ORDER BY id DESC LIMIT :count
    """
)
_SHOW = text("SELECT * FROM jobs WHERE id = :id")
_RUNS = text("SELECT * FROM job_runs WHERE job_id = :id ORDER BY token")
_POLL_SECONDS = 0.2


@jobs_app.command("list")
def list_jobs(
    state: Annotated[JobState | None, typer.Option(help="Only jobs in this state.")] = None,
    count: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The newest jobs.

    Example: wizamart jobs list --state failed
    """
    with unit_of_work(SYSTEM) as session:
        found = session.execute(_LIST, {"state": state, "count": count}).mappings().all()
    print_rows(found, as_json)


@jobs_app.command("show")
def show_job(job_id: JobId, as_json: AsJson = False) -> None:
    """One job with all its runs.

    Example: wizamart jobs show 0199…
    """
    with unit_of_work(SYSTEM) as session:
        job = session.execute(_SHOW, {"id": job_id}).mappings().one_or_none()
        runs = session.execute(_RUNS, {"id": job_id}).mappings().all()
    if job is None:
        raise JobNotFoundError
    if as_json:
        print_json({**job, "runs": [dict(run) for run in runs]})
        return
    for name, value in job.items():
        if value is not None:
            typer.echo(f"{name:20} {value}")
    print_rows(runs, as_json=False)


@jobs_app.command("cancel")
def cancel_job(job_id: JobId) -> None:
    """Cancel a queued job; ask a running one to stop.

    Example: wizamart jobs cancel 0199…
    """
    with unit_of_work(SYSTEM) as session:
        state = ledger.cancel(session, job_id)
    typer.echo("Cancelled." if state == JobState.CANCELLED else "Asked to stop.", err=True)


@jobs_app.command("retry")
def retry_job(job_id: JobId) -> None:
    """Queue a failed or cancelled job again; it goes on from its checkpoint.

    Example: wizamart jobs retry 0199…
    """
    with unit_of_work(SYSTEM) as session:
        wake_after_commit(session, ledger.replay(session, job_id))
    typer.echo("Queued.", err=True)


@tasks_app.command("list")
def list_tasks(as_json: AsJson = False) -> None:
    """All tasks with their queue, and whether they need a vendor.

    Example: wizamart tasks list
    """
    found = [framework().find_task(name) for name in framework().task_names()]
    print_rows([{"task": task.name, "queue": task.queue, "scope": task.scope} for task in found], as_json)


@tasks_app.command("run")
def run_task(
    name: Annotated[str, typer.Argument(help="Full name of the task.")],
    args: Annotated[str, typer.Option(help="Arguments, a JSON object.")] = "{}",
    vendor: Annotated[UUID | None, typer.Option(help="For which vendor.")] = None,
    here: Annotated[
        bool, typer.Option("--here", help="Run it in this process and wait for its end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a job of a task; a worker runs it.

    Example: wizamart tasks run app.modules.tenancy.tasks.sessions.delete_ended_sessions --here
    """
    try:
        arguments = json.loads(args)
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--args") from None
    if not isinstance(arguments, dict):
        raise typer.BadParameter("not a JSON object", param_hint="--args")
    with unit_of_work(SYSTEM) as session:
        job = dispatch(session, name, kwargs=arguments, vendor_id=vendor, cause="user")
    state = _run_here(framework().find_task(name).queue, job.id) if here else JobState.QUEUED.value
    print_rows([{"id": job.id, "state": state}], as_json)
    if here and state != JobState.SUCCEEDED:
        raise typer.Exit(1)


def _run_here(queue: str, job_id: UUID) -> str:
    end = time.monotonic() + 3600
    while time.monotonic() < end:
        run_until_idle([queue], timeout_seconds=1)
        with unit_of_work(SYSTEM) as session:
            state = str(session.execute(_SHOW, {"id": job_id}).mappings().one()["state"])
        if state not in (JobState.QUEUED, JobState.RUNNING):
            break
        time.sleep(_POLL_SECONDS)
    return state
