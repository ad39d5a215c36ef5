"""Commands of the framework: migrate, db, seed, health."""

from dataclasses import asdict
from typing import Annotated

import typer
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.core import roles
from app.core.config import get_settings
from app.core.console import print_json, print_rows
from app.core.database import psycopg_url
from app.core.errors import ConfigurationError
from app.core.observability import HealthStatus
from app.modules import install, migrations, setup
from app.modules.platform import owner_url, running_platform

db_app = typer.Typer(help="The database.", no_args_is_help=True)
seed_app = typer.Typer(help="Data to try the platform with.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@db_app.command("init")
def init_database(
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the SQL for a DBA instead of running it.")
    ] = False,
    admin_url: Annotated[
        str | None, typer.Option(help="A superuser's URL of the database; the owner's by default.")
    ] = None,
    owner_password: Annotated[
        str | None, typer.Option(envvar="WIZAMART_OWNER_PASSWORD", show_envvar=True)
    ] = None,
    login_password: Annotated[
        str | None, typer.Option(envvar="WIZAMART_LOGIN_PASSWORD", show_envvar=True)
    ] = None,
) -> None:
    """Make roles, extensions and rights, once per database. Safe to repeat.

    Example: wizamart db init --sql
    """
    if sql:
        statements = [*roles.role_statements(None, None), *roles.database_statements(setup.DATABASE)]
        typer.echo(";\n".join(statements) + ";")
        return
    admin = create_engine(psycopg_url(admin_url or owner_url()), poolclass=NullPool)
    autocommit = admin.execution_options(isolation_level="AUTOCOMMIT")
    setup.initialise_server(autocommit, owner_password=owner_password, login_password=login_password)
    setup.initialise_database(admin)
    typer.echo("Roles, extensions and rights are in place. Next: wizamart migrate", err=True)


def migrate(
    module: Annotated[str | None, typer.Argument(help="One owner: tasks, framework or a module.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Print what would run.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit code 1 when something is pending.")] = False,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL from nothing to the heads.")] = False,
    as_json: Json = False,
) -> None:
    """Bring the tables to the state of the code, each module's own history in dependency order.

    Example: wizamart migrate --plan
    """
    if sql:
        typer.echo(migrations.migration_sql(module))
        return
    with running_platform(migrate=False), migrations.owner_connection(owner_url()) as connection:
        waiting = migrations.pending(connection, module)
        if not (plan or check):
            migrations.migrate(connection, module)
            for added in install.enable_requirements(connection) if module is None else ():
                typer.echo(str(added), err=True)
    if as_json:
        print_json([asdict(item) for item in waiting])
    for item in waiting:
        typer.echo(f"{item.owner}: {', '.join(item.revisions)}", err=as_json)
    if not waiting:
        typer.echo("Nothing is pending.", err=True)
    raise typer.Exit(1 if check and waiting else 0)


@seed_app.command("demo")
def seed_demo(as_json: Json = False) -> None:
    """Demo tenants and products. A second call changes nothing.

    Example: wizamart seed demo
    """
    if get_settings().env == "production":
        raise ConfigurationError(
            "Demo accounts have public passwords and are not made with WIZAMART_ENV=production."
        )
    with running_platform():
        logins = setup.seed_demo()
    print_rows([asdict(login) for login in logins], as_json)


def health(as_json: Json = False) -> None:
    """Ask every check of the platform and the modules. Exit code 1 when one fails.

    Example: wizamart health
    """
    from app.modules.observability import platform_health

    with running_platform():
        status, results = platform_health()
    if as_json:
        print_json(
            {name: {"status": result.status, "summary": result.summary} for name, result in results.items()}
        )
    else:
        for name, result in results.items():
            typer.echo(f"[{result.status}] {name}: {result.summary}")
    raise typer.Exit(1 if status is HealthStatus.FAILED else 0)
