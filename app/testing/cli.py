"""``wizamart prove``: proofs that run on scratch servers of their own and leave nothing behind.

The commands stand beside all others of ``wizamart``, so a proof is imported only when it is run.
"""

import time
from typing import Annotated

import typer

from app.core.console import print_json
from app.testing.billing_cli import billing
from app.testing.delivery_cli import delivery
from app.testing.letzshop_cli import letzshop
from app.testing.limits_cli import limits
from app.testing.modules_cli import modules as prove_modules
from app.testing.stock_cli import stock

prove_app = typer.Typer(help="Proofs, each on scratch servers of its own.", no_args_is_help=True)
prove_app.command("delivery")(delivery)
prove_app.command("modules")(prove_modules)
prove_app.command("limits")(limits)
prove_app.command("billing")(billing)
prove_app.command("stock")(stock)
prove_app.command("letzshop")(letzshop)


@prove_app.command("isolation")
def isolation(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Try to reach another tenant's data through every table, route and task. Exit code 1 when anything leaks.

    Example: wizamart prove isolation --json
    """
    from app.testing.isolation_proof import is_proved, prove_isolation, scratch

    started = time.monotonic()
    with scratch() as templates:
        figures = prove_isolation(templates)
    figures["seconds"] = round(time.monotonic() - started, 1)
    if as_json:
        print_json(figures)
    else:
        for name, value in figures.items():
            typer.echo(f"{name:20} {value}")
    raise typer.Exit(0 if is_proved(figures) else 1)
