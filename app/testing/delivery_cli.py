"""``wizamart prove delivery``."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from app.core.console import print_json
from app.testing.delivery.brokers import Program


def delivery(
    jobs: Annotated[int, typer.Option(min=1, help="At least so many jobs are made and done.")] = 2000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of six faults each.")] = 6,
    seed: Annotated[int, typer.Option(help="Chooses the faults and their order.")] = 1,
    outage: Annotated[float, typer.Option(min=1, help="Seconds for which the broker is gone.")] = 10.0,
    broker: Annotated[Program, typer.Option(help="Which broker is started, to be killed.")] = Program.VALKEY,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Kill, stop and cut off workers, beats, broker and database; exit code 1 unless each job had its effect once.

    The proof kills and empties the broker, so it starts one of its own: the embedded Valkey, or the program of Debian's
    package redis-server or rabbitmq-server.

    Example: wizamart prove delivery --jobs 10000 --broker rabbitmq --json
    """
    from app.testing.delivery.figures import is_proved
    from app.testing.delivery.proof import prove_delivery

    folder = Path(tempfile.mkdtemp(prefix="wizamart-prove-"))
    try:
        figures = prove_delivery(folder, broker, jobs=jobs, rounds=rounds, seed=seed, outage_seconds=outage)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        print_json(figures)
    else:
        for name, value in figures.items():
            typer.echo(f"{name:24} {value}")
    raise typer.Exit(0 if is_proved(figures) else 1)
