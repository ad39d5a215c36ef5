"""``wizamart prove stock``."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated

import typer

from app.core.console import print_json


def stock(
    processes: Annotated[int, typer.Option(min=2, max=64, help="How many buy and sell at once.")] = 16,
    operations: Annotated[int, typer.Option(min=100, help="How many things they do.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Chooses what each of them does.")] = 1,
    least_ratio: Annotated[
        float, typer.Option(min=0, max=1, help="Operations for each plain UPDATE of the same time, at least.")
    ] = 0.5,
    is_broken: Annotated[
        bool, typer.Option("--break", help="Without the guard: the proof has to notice.")
    ] = False,
    is_here: Annotated[
        bool,
        typer.Option("--here", help="On this installation's demo data, which keeps the proof's products."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let shops, marketplaces and people fight for the same goods. Exit code 1 when something is sold twice, figures do
    not add up, or it takes more than twice the time of a plain guarded UPDATE (``--least-ratio``).

    Example: wizamart prove stock --processes 16 --operations 100000 --seed 1 --json
    """
    from app.testing.stock_proof import prove_stock, stock_is_proved

    started = time.monotonic()
    with nullcontext() if is_here else _demo():
        figures = prove_stock(processes=processes, operations=operations, seed=seed, is_broken=is_broken)
    figures["seconds"] = round(time.monotonic() - started, 1)
    if as_json:
        print_json(figures)
    else:
        for name, value in figures.items():
            typer.echo(f"{name:24} {value}")
    raise typer.Exit(0 if stock_is_proved(figures, least_ratio=least_ratio) else 1)


@contextmanager
def _demo() -> Iterator[None]:
    """Servers and demo data of their own, for the block."""
    from app.testing.database import connect_app, scratch_keys
    from app.testing.isolation_proof import scratch

    with scratch() as templates, templates.clone("demo") as database, scratch_keys(), connect_app(database):
        yield
