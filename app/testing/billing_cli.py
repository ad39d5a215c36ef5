"""``wizamart prove billing``."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from app.core.console import print_json


def billing(
    subscriptions: Annotated[int, typer.Option(min=1, help="Vendors with a year of their own.")] = 1000,
    months: Annotated[int, typer.Option(min=1, max=60, help="Months of thirty days.")] = 12,
    seed: Annotated[int, typer.Option(help="Chooses what vendors do and what befalls them.")] = 1,
    kills: Annotated[int, typer.Option(min=0, help="How often a worker dies at work.")] = 8,
    is_twice: Annotated[
        bool, typer.Option("--twice", help="Play it twice: the same seed gives the same end.")
    ] = False,
    is_broken: Annotated[
        bool, typer.Option("--break", help="Never compare with Stripe: the proof has to notice.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Play a year of subscriptions against the stand-in for Stripe, with messages doubled, reordered and lost and
    workers killed. Exit code 1 unless both sides say the same at the end, to the cent.

    Example: wizamart prove billing --subscriptions 1000 --months 12 --seed 7 --json
    """
    from app.testing.billing.proof import Plan, is_proved

    plan = Plan(subscriptions, months, seed, kills, is_broken)
    figures = _play(plan)
    is_good = is_proved(figures)
    if is_twice:
        again = _play(plan)
        figures |= {"second_seconds": again["seconds"], "second_digest": again["digest"]}
        is_good = is_good and is_proved(again) and again["digest"] == figures["digest"]
    if as_json:
        print_json(figures)
    else:
        for name, value in figures.items():
            typer.echo(f"{name:22} {value}")
    raise typer.Exit(0 if is_good else 1)


def _play(plan: Any) -> dict[str, Any]:
    from app.testing.billing.proof import prove_billing

    folder = Path(tempfile.mkdtemp(prefix="wizamart-prove-"))
    try:
        return prove_billing(folder, plan)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
