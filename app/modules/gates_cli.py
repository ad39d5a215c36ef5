"""``wizamart why``: which gate keeps somebody out, and how it is opened."""

from dataclasses import asdict
from typing import Annotated

import typer

from app.core.console import print_json, print_rows
from app.modules.platform import running_platform
from app.modules.texts import load_texts
from app.modules.why import explain

why_app = typer.Typer(help="Why something is as it is.", no_args_is_help=True)


@why_app.callback()
def _group() -> None:
    """Why something is as it is."""


@why_app.command("denied")
def why_denied(
    user: Annotated[str, typer.Argument(help="An e-mail address.")],
    route: Annotated[str, typer.Argument(help="A page's id, or the path of a page or action.")],
    vendor: Annotated[str | None, typer.Option(help="A vendor's code, where the path has none.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Which gate keeps somebody out of a page: account, subscription, module, menu or permission.

    Example: wizamart why denied owner@minett.example /vendor/MINETT/products/new
    """
    with running_platform(migrate=False):
        load_texts()
        found = explain(user, route, vendor)
    closed = next((gate for gate in found if not gate.is_open), None)
    if as_json:
        print_json(
            {
                "user": user,
                "route": route,
                "is_denied": closed is not None,
                "closed_by": closed and closed.name,
                "gates": [asdict(gate) for gate in found],
            }
        )
        return
    rows = [
        {"gate": gate.name, "state": "open" if gate.is_open else "closed", "why": gate.why} for gate in found
    ]
    print_rows(rows, as_json=False)
    typer.echo(f"To open it: {closed.how}" if closed else "Nothing keeps them out.", err=True)
