"""``wizamart sandbox``: the stand-ins for outside services, as a process of their own."""

import os
from pathlib import Path
from typing import Annotated

import typer

_PORT = 8400


def run_sandbox(
    port: Annotated[int, typer.Option(help="Where it listens.")] = _PORT,
    host: Annotated[str, typer.Option(help="On which address; it has no passwords.")] = "127.0.0.1",
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder that keeps its state; without one it is lost at the end.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Address under which others reach it, if it is another one.")
    ] = None,
    seed: Annotated[
        str, typer.Option(help="The same seed and calls give the same identifiers.")
    ] = "wizamart",
    webhook: Annotated[
        str | None,
        typer.Option(help="The only address that gets events, signed with PAYMENTS_STRIPE_WEBHOOK_SECRET."),
    ] = None,
) -> None:
    """Run the stand-ins for Stripe and Letzshop.

    Example: wizamart sandbox --port 8400
    """
    from sandbox.app import server

    running, account = server(host=host, port=port, data_dir=data_dir, seed=seed, url=url)
    if webhook:
        from sandbox.control import set_only_webhook

        set_only_webhook(
            account, webhook, os.environ.get("PAYMENTS_STRIPE_WEBHOOK_SECRET") or "whsec_sandbox"
        )
    typer.echo(
        f"The stand-ins for Stripe and Letzshop listen on {url or f'http://{host}:{port}'} (no money moves)."
    )
    running.run()
