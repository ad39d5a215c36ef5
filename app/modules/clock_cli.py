"""``wizamart clock``: the business clock, which can be moved where no real business is done."""

from typing import Annotated

import typer

from app.core import clock
from app.core.config import get_settings
from app.core.console import print_rows
from app.modules import clock_moves, state
from app.modules.platform import running_platform

clock_app = typer.Typer(help="The business clock.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@clock_app.command("show")
def show_clock(as_json: Json = False) -> None:
    """What time it is for trials, invoices and schedules, and how far that is from the machine's clock.

    Example: wizamart clock show
    """
    with running_platform(migrate=False):
        state.refresh()
        _print(as_json)


@clock_app.command("advance")
def advance_clock(
    span: Annotated[str, typer.Argument(help="How far: 32d, 12h, 90m, 1d12h.")], as_json: Json = False
) -> None:
    """Move business time on, day by day: what falls due on the way happens, here and at the stand-ins.

    Example: wizamart clock advance 32d
    """
    clock_moves.require_movable(get_settings())
    wanted = clock_moves.parse_span(span)
    with running_platform(migrate=False):
        for _ in clock_moves.advance(wanted, get_settings()):
            typer.echo(f"{clock.now():%Y-%m-%d %H:%M} UTC", err=True)
        _print(as_json)


@clock_app.command("reset")
def reset_clock(as_json: Json = False) -> None:
    """Business time is the machine's time again. What happened meanwhile stays.

    Example: wizamart clock reset
    """
    clock_moves.require_movable(get_settings())
    with running_platform(migrate=False):
        clock_moves.reset(get_settings())
        _print(as_json)


def _print(as_json: bool) -> None:
    seconds = int(clock.offset().total_seconds())
    row = {"business_time": clock.now(), "system_time": clock.system_now(), "offset_seconds": seconds}
    print_rows([row], as_json)
