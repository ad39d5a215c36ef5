"""Commands of the framework: modules, migrate, db, seed, health, prove."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.core import roles
from app.core.config import get_settings
from app.core.console import print_json, print_rows
from app.core.database import psycopg_url
from app.core.errors import ConfigurationError
from app.core.observability import HealthStatus
from app.modules import migrations, setup
from app.modules.base import ModuleDefinition
from app.modules.platform import owner_url, running_platform
from app.modules.registry import get_module, modules, requirements
from app.modules.task_base import task_names

modules_app = typer.Typer(help="The installed modules.", no_args_is_help=True)
db_app = typer.Typer(help="The database.", no_args_is_help=True)
seed_app = typer.Typer(help="Data to try the platform with.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _summary(module: ModuleDefinition) -> dict[str, Any]:
    return {
        "code": module.code,
        "name": module.name,
        "class": str(module.module_class),
        "version": module.version,
        "requires": list(requirements(module, modules())),
        "tasks": _task_names(module),
        "pages": [page.id for page in module.pages],
    }


def _task_names(module: ModuleDefinition) -> list[str]:
    return [name for name in task_names() if name.startswith(f"{module.package}.")]


@modules_app.command("list")
def list_modules(as_json: Json = False) -> None:
    """All modules in dependency order.

    Example: wizamart modules list --json
    """
    found = [_summary(module) for module in modules().values()]
    if not as_json:
        for module in found:
            module["tasks"], module["pages"] = len(module["tasks"]), len(module["pages"])
    print_rows(found, as_json)


@modules_app.command("show")
def show_module(code: str, as_json: Json = False) -> None:
    """One module with all it declares.

    Example: wizamart modules show tenancy
    """
    module = get_module(code)
    migrations.load_models()
    details = _summary(module) | {
        "description": module.description,
        "tables": [table.name for table in migrations.tables_of(code)],
        "permissions": [permission.code for permission in module.permissions],
        "schedules": {entry.name: entry.schedule for entry in module.scheduled_tasks},
        "publishes": list(module.publishes),
        "handles": dict(module.handlers),
        "providers": dict(module.providers),
    }
    if as_json:
        print_json(details)
        return
    for name, value in details.items():
        typer.echo(f"{name:12} {', '.join(map(str, value)) if isinstance(value, list) else value}")


@modules_app.command("graph")
def graph(
    as_json: Json = False, dot: Annotated[bool, typer.Option("--dot", help="Print Graphviz.")] = False
) -> None:
    """Which module stands on which.

    Example: wizamart modules graph --dot
    """
    edges = {code: list(requirements(module, modules())) for code, module in modules().items()}
    if as_json:
        print_json(edges)
    elif dot:
        lines = [f'  "{code}" -> "{required}";' for code, requires in edges.items() for required in requires]
        typer.echo("\n".join(["digraph modules {", *lines, "}"]))
    else:
        for code, requires in edges.items():
            typer.echo(f"{code} -> {', '.join(requires) or '(nothing)'}")


@modules_app.command("verify")
def verify(
    codes: Annotated[
        list[str] | None, typer.Argument(help="Modules to check; all when none is named.")
    ] = None,
    output: Annotated[Literal["text", "json", "sarif"], typer.Option("--format")] = "text",
    as_json: Json = False,
) -> None:
    """Check the rules that hold the modules apart. Exit code 1 when there is a finding.

    Example: wizamart modules verify --format json
    """
    from app.modules.verify import format_findings, run_verify

    findings = run_verify(codes or None)
    typer.echo(format_findings(findings, "json" if as_json else output))
    raise typer.Exit(1 if findings else 0)


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
