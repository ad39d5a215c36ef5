"""``wizamart prove limits``."""

import time
from typing import Annotated

import typer

from app.core.config import changed_environment
from app.core.console import print_json


def limits(
    writers: Annotated[int, typer.Option(min=2, max=64, help="How many write at the same time.")] = 16,
    tries: Annotated[
        int, typer.Option(min=100, help="How often they try, half of them on each of two features.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="Chooses how much each try wants and which fail.")] = 1,
    is_broken: Annotated[
        bool, typer.Option("--break", help="Without the lock: the proof has to notice.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let parallel writers fight for what a plan allows. Exit code 1 when a limit is passed, room is left, or what
    passed is not what was counted.

    Example: wizamart prove limits --writers 16 --tries 10000 --json
    """
    from app.testing.database import connect_app, scratch_keys
    from app.testing.isolation_proof import scratch
    from app.testing.limits_proof import limits_are_proved, prove_limits

    started = time.monotonic()
    connections = {"WIZAMART_DATABASE_POOL_SIZE": str(writers + 2)}
    with (
        scratch() as templates,
        templates.clone("demo") as database,
        scratch_keys(),
        changed_environment(connections),
        connect_app(database),
    ):
        figures = prove_limits(writers=writers, tries=tries, seed=seed, is_broken=is_broken)
    figures["seconds"] = round(time.monotonic() - started, 1)
    if as_json:
        print_json(figures)
    else:
        for name, value in figures.items():
            typer.echo(f"{name:20} {value}")
    raise typer.Exit(0 if limits_are_proved(figures) else 1)
