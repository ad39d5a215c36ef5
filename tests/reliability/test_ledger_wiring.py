"""What the framework makes of the definitions, and the commands."""

import json
from uuid import uuid4

import pytest
from celery.schedules import crontab
from typer.testing import CliRunner

from app.core.database import SYSTEM, unit_of_work
from app.modules import task_base, tasks
from app.modules.base import ModuleClass, ModuleDefinition, ScheduledTask
from app.modules.registry import order_modules
from app.tasks import cli
from app.tasks.dispatcher import dispatch
from app.tasks.errors import JobNotFoundError
from tests.reliability import ledger_tasks as _tasks  # noqa: F401  registers them

PREFIX = "tests.reliability.ledger_tasks"


@pytest.fixture
def one_module(monkeypatch):
    """Installs a module with one schedule and one route."""
    definition = ModuleDefinition(
        code="probe",
        name="Probe",
        module_class=ModuleClass.CORE,
        tasks_path="tests.reliability.ledger_tasks",
        scheduled_tasks=[ScheduledTask("probe.note", f"{PREFIX}.note", {"minute": 5, "hour": 0}, args=(3,))],
        task_queues={f"{PREFIX}.*": "scheduled"},
    )
    monkeypatch.setattr(tasks, "modules", lambda: order_modules([definition]))


@pytest.mark.usefixtures("one_module")
def test_discovery_routes_and_schedule_come_from_the_definitions():
    assert tasks.discover_module_tasks() == [PREFIX]
    assert tasks.task_routes() == {f"{PREFIX}.*": {"queue": "scheduled"}}
    assert (tasks.queue_of(f"{PREFIX}.note"), tasks.queue_of("app.other.task")) == ("scheduled", "default")
    assert tasks.build_beat_schedule() == {
        "probe.note": {
            "task": f"{PREFIX}.note",
            "schedule": crontab(minute=5, hour=0),
            "args": (3,),
            "kwargs": {},
            "options": {"queue": "scheduled"},
        }
    }
    (schedule,) = task_base.schedules()
    assert (schedule.cron, schedule.kwargs) == ("5 0 * * *", {"number": 3})


@pytest.fixture
def command(ledger_db):
    """Runs a command; its standard output as JSON where it is, and the result."""

    def run(app, *words):
        return CliRunner().invoke(app, words, catch_exceptions=True)

    return run


@pytest.mark.reliability
def test_commands_for_jobs(command):
    with unit_of_work(SYSTEM) as session:
        ref = dispatch(session, f"{PREFIX}.note", kwargs={"number": 1})
    (listed,) = json.loads(command(cli.jobs_app, "list", "--json", "--state", "queued").stdout)
    assert (listed["id"], listed["task"]) == (str(ref.id), f"{PREFIX}.note")
    cancelled = command(cli.jobs_app, "cancel", str(ref.id))
    assert (cancelled.exit_code, cancelled.stdout, cancelled.stderr) == (0, "", "Cancelled.\n")
    assert command(cli.jobs_app, "retry", str(ref.id)).exit_code == 0
    shown = json.loads(command(cli.jobs_app, "show", str(ref.id), "--json").stdout)
    assert (shown["state"], shown["runs"]) == ("queued", [])
    assert "queued" in command(cli.jobs_app, "show", str(ref.id)).stdout
    assert isinstance(command(cli.jobs_app, "show", str(uuid4())).exception, JobNotFoundError)


@pytest.mark.reliability
def test_commands_for_tasks_and_schedules(command, query):
    done = command(cli.tasks_app, "run", f"{PREFIX}.note", "--args", '{"number": 9}', "--here", "--json")
    assert (done.exit_code, json.loads(done.stdout)[0]["state"]) == (0, "succeeded")
    assert query("SELECT number FROM ledger_test_effects") == [(9,)]
    assert command(cli.tasks_app, "run", f"{PREFIX}.refuse", "--here").exit_code == 1
    assert command(cli.tasks_app, "run", f"{PREFIX}.note", "--args", "[").exit_code == 2
    known = [row["task"] for row in json.loads(command(cli.tasks_app, "list", "--json").stdout)]
    assert f"{PREFIX}.note" in known
    schedules = json.loads(command(cli.schedule_app, "list", "--json").stdout)
    due = json.loads(command(cli.schedule_app, "next", "-n", "3", "--json").stdout)
    assert [row["due_at"] for row in due] == sorted(row["due_at"] for row in due)
    assert {row["schedule"] for row in due} <= {row["schedule"] for row in schedules}
