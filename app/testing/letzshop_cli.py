"""``wizamart prove letzshop``."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from app.core.console import print_json


def letzshop(
    orders: Annotated[int, typer.Option(min=10, help="Orders that buyers place.")] = 5000,
    seed: Annotated[int, typer.Option(help="Chooses what everybody does and what breaks.")] = 1,
    kills: Annotated[int, typer.Option(min=0, help="How often a worker dies at work.")] = 8,
    is_broken: Annotated[
        bool, typer.Option("--break", help="Never try again what did not work: the proof has to notice.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Trade through the stand-in for Letzshop, with answers that fail, come late, twice or in another order, keys that
    change and workers killed. Exit code 1 unless both sides say the same at the end, and nothing was told twice.

    Example: wizamart prove letzshop --orders 5000 --seed 1 --json
    """
    from app.testing.letzshop.proof import Plan, is_proved, prove_letzshop

    folder = Path(tempfile.mkdtemp(prefix="wizamart-prove-"))
    try:
        figures = prove_letzshop(folder, Plan(orders, seed, kills, is_broken))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        print_json(figures)
    else:
        for name, value in figures.items():
            typer.echo(f"{name:16} {value}")
    raise typer.Exit(0 if is_proved(figures) else 1)
