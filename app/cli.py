"""``wizamart``: one command for everything; mounts the commands of the framework, the ledger and the modules."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import OperationalError

from app import VERSION
from app.core import celery_config
from app.core.config import get_settings
from app.core.errors import AppError, ConfigurationError, UnavailableError
from app.core.keys import get_keys, new_keys, to_environment
from app.core.logging import configure_logging
from app.modules import cli as framework
from app.modules.api.cli import api_app
from app.modules.base import load
from app.modules.clock_cli import clock_app
from app.modules.gates_cli import why_app
from app.modules.modules_cli import modules_app
from app.modules.platform import running_platform
from app.modules.registry import modules
from app.modules.texts import load_texts

EXIT_FAILED, EXIT_USAGE, EXIT_NOT_CONFIGURED, EXIT_DEPENDENCY_DOWN, EXIT_INTERRUPTED = 1, 2, 3, 4, 130

# By name: proofs and benchmarks start the application, so they stand outside of it.
_PROOFS = "app.testing.cli:prove_app"
_BENCHMARKS = "app.testing.bench.cli:bench_app"
_SANDBOX = "sandbox.cli:run_sandbox"

cli = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
keys_app = typer.Typer(help="Keys of an installation.", no_args_is_help=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(VERSION)
        raise typer.Exit


@cli.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr.")] = False,
) -> None:
    """Wizamart: modular, multi-tenant commerce platform."""
    settings = get_settings()
    configure_logging(settings if verbose else settings.model_copy(update={"log_level": "WARNING"}), "cli")
    load_texts()


@cli.command()
def up(
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Demo tenants and products.")] = True,
    port: Annotated[
        int | None, typer.Option(help="Where the web pages are served; the next free one from 8000.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the embedded servers' data.")] = None,
) -> None:
    """Start everything: servers, migrations, demo data, web, workers, beat. Ctrl-C stops it.

    Example: wizamart up --demo
    """
    from app.up import run_platform

    raise typer.Exit(run_platform(demo=demo, port=port, data_dir=data))


@cli.command()
def serve(
    host: Annotated[str, typer.Option(envvar="WIZAMART_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="WIZAMART_PORT")] = 8000,
    processes: Annotated[int, typer.Option(help="How many web processes.")] = 1,
) -> None:
    """Serve the web pages only.

    Example: wizamart serve --host 0.0.0.0 --processes 2
    """
    import uvicorn

    with _serving():
        uvicorn.run(
            "app.main:create_app",
            factory=True,
            host=host,
            port=port,
            workers=processes,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
        )


@cli.command()
def worker(
    queues: Annotated[str, typer.Option(help="Comma separated.")] = "default,long_running,scheduled",
    concurrency: Annotated[int, typer.Option(help="How many child processes.")] = 2,
    name: Annotated[str, typer.Option(help="Name of this worker, unique on the host.")] = "worker",
) -> None:
    """Run background work of some queues.

    Example: wizamart worker --queues long_running --name long
    """
    import warnings

    from app.worker import app

    # Celery warns against root; it reads JSON wake-ups only, which carry nothing to run.
    warnings.filterwarnings("ignore", module="celery.platforms")
    arguments = ["-Q", queues, "-c", str(concurrency), "-n", f"{name}@%h"]
    with _serving():
        _require_broker()
        app.start(["--quiet", "worker", *arguments, "--without-gossip", "--without-mingle"])


@cli.command()
def beat() -> None:
    """Make schedule ticks, relay waiting work, bring back lost work. Any number may run.

    Example: wizamart beat
    """
    from app.worker import app

    with _serving():
        _require_broker()
        app.start(["--quiet", "beat"])


@contextmanager
def _serving() -> Iterator[None]:
    """The servers of the platform, and its keys: what every process of it needs before it starts."""
    with running_platform():
        get_keys(get_settings())
        yield


def _require_broker() -> None:
    if not get_settings().broker_url:
        raise ConfigurationError(
            "Workers and beat need a broker. Set WIZAMART_BROKER_URL, e.g. redis://host:6379/0 or amqp://user:…@host//."
        )


@keys_app.command("new")
def make_keys() -> None:
    """Print fresh keys as environment variables.

    Example: wizamart keys new
    """
    for name, value in to_environment(new_keys()).items():
        typer.echo(f"{name}={value}")


def mount_commands() -> None:
    """Mount the commands of framework, ledger and modules."""
    assert celery_config.celery_app  # its import connects this process with the ledger
    from app.tasks import cli as ledger

    cli.command()(framework.migrate)
    cli.command()(framework.health)
    cli.command("sandbox")(load(_SANDBOX))
    for name, group in (
        ("modules", modules_app),
        ("api", api_app),
        ("why", why_app),
        ("clock", clock_app),
        ("db", framework.db_app),
        ("seed", framework.seed_app),
        ("keys", keys_app),
        ("prove", load(_PROOFS)),
        ("bench", load(_BENCHMARKS)),
    ):
        cli.add_typer(group, name=name)
    for name, group in (
        ("jobs", ledger.jobs_app),
        ("tasks", ledger.tasks_app),
        ("schedule", ledger.schedule_app),
    ):
        group.callback()(_on_a_platform)
        cli.add_typer(group, name=name)
    for module in modules().values():
        if module.commands:
            for name, group in load(module.commands).items():
                cli.add_typer(group, name=name)


def _on_a_platform(ctx: typer.Context) -> None:
    if not {"--help", "-h"} & set(sys.argv):
        ctx.with_resource(running_platform())


def main() -> None:
    """Entry point: runs a command and turns errors into exit codes and one clear line."""
    try:
        mount_commands()
        cli()
    except AppError as error:
        if os.environ.get("WIZAMART_TRACEBACK"):
            raise
        _stop(_exit_code(error), f"{error.detail} ({error.code})")
    except OperationalError as error:
        _stop(EXIT_DEPENDENCY_DOWN, f"The database does not answer: {str(error.orig).strip()}")
    except KeyboardInterrupt:
        _stop(EXIT_INTERRUPTED, "Interrupted.")


def _exit_code(error: AppError) -> int:
    if isinstance(error, ConfigurationError):
        return EXIT_NOT_CONFIGURED
    return EXIT_DEPENDENCY_DOWN if isinstance(error, UnavailableError) else EXIT_FAILED


def _stop(code: int, text: str) -> None:
    typer.echo(text, err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
