"""``wizamart prove modules``."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from app.core.config import changed_environment
from app.core.console import print_json
from app.core.embedded import running_servers


def modules(
    flips: Annotated[int, typer.Option(min=1, help="How often a module is switched off and on.")] = 50,
    steps: Annotated[int, typer.Option(min=1, help="How many random installs and uninstalls.")] = 40,
    seed: Annotated[int, typer.Option(help="Chooses the modules and their order.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Flip a module under load, then install and uninstall at random. Exit code 1 when a request breaks, work is
    lost, or an uninstalled module leaves anything in the schema.

    Example: wizamart prove modules --flips 50 --json
    """
    from app.testing.database import Templates, connect_app, scratch_keys
    from app.testing.modules_proof import flips_are_proved, prove_flips
    from app.testing.uninstall import prove_uninstall

    folder = Path(tempfile.mkdtemp(prefix="wizamart-prove-"))
    try:
        with (
            running_servers(folder, durable=False) as servers,
            scratch_keys(),
            changed_environment({"WIZAMART_BROKER_URL": servers.broker_url}),
        ):
            templates = Templates(servers.admin_url)
            templates.build()
            with templates.clone("demo") as database, connect_app(database):
                figures = prove_flips(database, folder, flips)
            with templates.clone("demo") as database, connect_app(database):
                removal = prove_uninstall(templates, database, steps=steps, seed=seed)
            templates.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        print_json({"flips": figures, "uninstall": removal})
    else:
        for name, value in {**figures, **removal}.items():
            typer.echo(f"{name:24} {value}")
    raise typer.Exit(0 if flips_are_proved(figures) and not removal["schema_differences"] else 1)
