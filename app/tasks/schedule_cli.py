"""``wizamart schedule``: what runs by the clock, and what the operator decides about it."""

from typing import Annotated

import typer

from app.core.console import print_rows
from app.core.database import SYSTEM, unit_of_work
from app.tasks import schedules, ticks
from app.tasks.ports import framework

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
Name = Annotated[str, typer.Argument(help="The schedule's name.")]

schedule_app = typer.Typer(help="What runs by the clock.", no_args_is_help=True)

_BY = "command line"


@schedule_app.command("list")
def list_schedules(as_json: AsJson = False) -> None:
    """All schedules and when each is due next (UTC).

    Example: wizamart schedule list
    """
    with unit_of_work(SYSTEM) as session:
        known = schedules.states(session)
    rows = []
    for entry in framework().schedules():
        state = known.get(entry.name)
        cron = (state and state.cron) or entry.cron
        is_paused = state is not None and state.is_paused
        rows.append(
            {
                "schedule": entry.name,
                "cron": cron,
                "task": entry.task,
                "catch_up": entry.catch_up,
                "overlap": entry.overlap,
                "is_paused": is_paused,
                "is_changed": cron != entry.cron,
                "next": None if is_paused else next(iter(ticks.next_times(cron, 1)), None),
            }
        )
    print_rows(rows, as_json)


@schedule_app.command("next")
def next_ticks(
    count: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many.")] = 10, as_json: AsJson = False
) -> None:
    """What is due next, over all schedules that are not paused.

    Example: wizamart schedule next -n 20
    """
    with unit_of_work(SYSTEM) as session:
        known = schedules.states(session)
    due = [
        {"due_at": moment, "schedule": entry.name}
        for entry in framework().schedules()
        if (state := known.get(entry.name)) is None or not state.is_paused
        for moment in ticks.next_times((state and state.cron) or entry.cron, count)
    ]
    print_rows(sorted(due, key=lambda row: (row["due_at"], row["schedule"]))[:count], as_json)


@schedule_app.command()
def pause(name: Name) -> None:
    """Let nothing fall due until `resume`.

    Example: wizamart schedule pause tenancy.delete_ended_sessions
    """
    with unit_of_work(SYSTEM) as session:
        schedules.pause(session, name, by=_BY)
    typer.echo("Paused.", err=True)


@schedule_app.command()
def resume(name: Name) -> None:
    """Go on from now; what fell due meanwhile is not made up for.

    Example: wizamart schedule resume tenancy.delete_ended_sessions
    """
    with unit_of_work(SYSTEM) as session:
        schedules.resume(session, name, by=_BY)
    typer.echo("Resumed.", err=True)


@schedule_app.command()
def change(
    name: Name,
    cron: Annotated[str | None, typer.Option(help="Five fields, UTC; without it: as declared.")] = None,
) -> None:
    """Run it at other times than its module declares.

    Example: wizamart schedule change tenancy.delete_ended_sessions --cron "30 3 * * *"
    """
    with unit_of_work(SYSTEM) as session:
        schedules.change(session, name, cron, by=_BY)
    typer.echo("Changed.", err=True)


@schedule_app.command()
def run(name: Name, as_json: AsJson = False) -> None:
    """Make its job now, paused or not; a worker runs it.

    Example: wizamart schedule run tenancy.delete_ended_sessions
    """
    with unit_of_work(SYSTEM) as session:
        job = schedules.run_now(session, name, by=_BY)
    print_rows([{"id": job.id, "created": job.created}], as_json)
