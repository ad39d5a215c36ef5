"""What commands print: data on stdout, as JSON or as a table; talk goes to stderr."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

_PIPE_WIDTH = 500  # a pipe has no width of its own; cells must not be folded there


def print_json(value: Any) -> None:
    """One JSON value on one line; dates, ids and paths as text."""
    typer.echo(orjson.dumps(value, default=str).decode())


def print_rows(rows: Sequence[Mapping[Any, Any]], as_json: bool) -> None:
    """Rows with the same keys: a JSON array, or a table with the keys as its head. Nothing is shown as "-"."""
    if as_json:
        print_json([dict(row) for row in rows])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0] if rows else ():
        table.add_column(name.replace("_", " ").upper(), overflow="fold")
    for row in rows:
        table.add_row(*("-" if value is None else _cell(value) for value in row.values()))
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    console.print(table)


def _cell(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
