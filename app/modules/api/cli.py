"""``wizamart api``: the committed description of the API, and what a change of it would break."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

api_app = typer.Typer(help="The JSON API's description.", no_args_is_help=True)
SCHEMA_FILE = Path(__file__).parents[3] / "docs" / "api" / "openapi.json"


@api_app.command("schema")
def schema(
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the committed file is up to date.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where to write it.")] = SCHEMA_FILE,
) -> None:
    """Write the OpenAPI description of all operations. Exit code 1 with --check when the file is another.

    Example: wizamart api schema --check
    """
    from app.modules.api.schema import schema_text

    text = schema_text()
    if not check:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(text)
        typer.echo(f"Written: {out}")
    elif not out.is_file() or out.read_bytes() != text:
        typer.echo(f"{out} is not up to date. Run: wizamart api schema", err=True)
        raise typer.Exit(1)


@api_app.command("diff")
def diff(
    old: Annotated[Path, typer.Argument(help="The description of a former release.", exists=True)],
) -> None:
    """Say what would break programs written for an older description. Exit code 1 when something would.

    Example: wizamart api diff docs/api/openapi.json
    """
    from app.modules.api.changes import breaking_changes
    from app.modules.api.schema import build_schema

    found = breaking_changes(orjson.loads(old.read_bytes()), build_schema())
    for line in found:
        typer.echo(line)
    if found:
        raise typer.Exit(1)
    typer.echo("Nothing breaks.", err=True)
