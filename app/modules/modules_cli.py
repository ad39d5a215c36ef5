"""``wizamart modules``: what there is, what holds it apart, and what is installed and on."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from app.core.console import print_json, print_rows
from app.core.database import SYSTEM, unit_of_work
from app.core.errors import NotFoundError
from app.core.observability import HealthStatus
from app.core.storage import Usage
from app.modules import install as installing
from app.modules import lifecycle, migrations, overview
from app.modules.base import ModuleDefinition
from app.modules.platform import owner_url, running_platform
from app.modules.registry import get_module, modules, requirements
from app.modules.scaffold.cli import new_module, write_docs
from app.modules.task_base import task_names

modules_app = typer.Typer(help="The modules.", no_args_is_help=True)
modules_app.command("new")(new_module)
modules_app.command("docs")(write_docs)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]
OfPlatform = Annotated[
    str | None, typer.Option("--platform", help="A platform's code; all when none is named.")
]
_BY = "command line"


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
    """All modules in dependency order, and what the database knows of them.

    Example: wizamart modules list --json
    """
    known = _look_at(list(modules()))
    found = [_summary(module) | _status(known, code) for code, module in modules().items()]
    print_rows(found if as_json else [_row(module) for module in found], as_json)
    if known is None:
        typer.echo("There is no database yet. Start one: wizamart up", err=True)
        return
    on = sum(bool(module["platforms"]) for module in found)
    next_step = " Next: wizamart migrate" if known.pending else ""
    typer.echo(f"{len(found)} modules, {on} on, {known.pending} migrations pending.{next_step}", err=True)


def _look_at(codes: list[str]) -> overview.Overview | None:
    if not overview.has_database():
        return None
    with running_platform(migrate=False):
        return overview.look_at(codes)


def _status(known: overview.Overview | None, code: str) -> dict[str, Any]:
    if known is None:
        return dict.fromkeys(("state", "platforms", "pending", "health"))
    status = known.modules[code]
    found = status.health
    health = {"status": str(found.status), "summary": found.summary} if found else None
    lists = {"platforms": list(status.on), "pending": list(status.pending)}
    return {"state": status.state, **lists, "health": health}


def _row(module: dict[str, Any]) -> dict[str, Any]:
    health = module["health"]
    is_well = not health or health["status"] == HealthStatus.OK
    return {
        "name": module["code"],
        "tier": module["class"],
        "state": module["state"],
        "version": module["version"],
        "depends_on": module["requires"] or None,
        "tasks": len(module["tasks"]),
        "pending": len(module["pending"] or ()) or None,
        "health": health and (health["status"] if is_well else f"{health['status']}: {health['summary']}"),
    }


@modules_app.command("show")
def show_module(code: str, as_json: Json = False) -> None:
    """One module with all it declares, and what the database knows of it.

    Example: wizamart modules show tenancy
    """
    module = get_module(code)
    migrations.load_models()
    details = (
        _summary(module)
        | _status(_look_at([code]), code)
        | {
            "description": module.description,
            "tables": [table.name for table in migrations.tables_of(code)],
            "permissions": [permission.code for permission in module.permissions],
            "schedules": {entry.name: entry.schedule for entry in module.scheduled_tasks},
            "publishes": list(module.publishes),
            "handles": dict(module.handlers),
            "providers": dict(module.providers),
        }
    )
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


@modules_app.command("enable")
def enable(code: str, platform: OfPlatform = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Switch a module on, and first what it requires. Every running process follows within seconds.

    Example: wizamart modules enable marketplace --platform demo
    """
    _switch(code, platform, dry_run=dry_run, as_json=as_json, is_on=True)


@modules_app.command("disable")
def disable(code: str, platform: OfPlatform = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Switch a module off. Its data stays, its work waits. Refuses while an enabled module requires it.

    Example: wizamart modules disable marketplace --platform demo
    """
    _switch(code, platform, dry_run=dry_run, as_json=as_json, is_on=False)


def _switch(code: str, platform: str | None, *, dry_run: bool, as_json: bool, is_on: bool) -> None:
    get_module(code)
    changes: dict[str, list[str]] = {}
    with running_platform(), unit_of_work(SYSTEM) as session:
        known = dict(sorted(lifecycle.PLATFORMS.one()(session).items()))
        if not known or (platform is not None and platform not in known):
            raise NotFoundError(
                f"There is no platform{f' {platform!r}' if platform else ''}. Known: {', '.join(known) or 'none'}."
            )
        for name in [platform] if platform else known:
            if dry_run:
                would = lifecycle.would_enable if is_on else lifecycle.would_disable
                changes[name] = would(session, known[name], code)
            else:
                act = lifecycle.enable if is_on else lifecycle.disable
                changes[name] = act(session, known[name], code, by=_BY)
    word = "on" if is_on else "off"
    if as_json:
        print_json({"module": code, "switched": word, "dry_run": dry_run, "platforms": changes})
    for name, codes in changes.items():
        typer.echo(f"{name}: {_said(code, codes, word, dry_run=dry_run)}", err=as_json)


def _said(code: str, codes: list[str], word: str, *, dry_run: bool) -> str:
    if not codes:
        return f"{code} is {word} already."
    pulled_in = [other for other in codes if other != code]
    required = f"; before it, because it is required: {', '.join(pulled_in)}" if pulled_in else ""
    main = code if code in codes else f"{code} is {word} already"
    return f"{main} {'would be' if dry_run else 'is now'} {word}{required}."


@modules_app.command("install")
def install(code: str, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Make the tables of a module, and first of what it requires. Brings back one that was uninstalled.

    Example: wizamart modules install marketplace
    """
    get_module(code)
    with running_platform(), migrations.owner_connection(owner_url()) as connection:
        codes = (
            installing.would_install(connection, code)
            if dry_run
            else installing.install(connection, code, by=_BY)
        )
    if as_json:
        print_json({"module": code, "installed": codes, "dry_run": dry_run})
    said = (
        f"{'Would install' if dry_run else 'Installed'}: {', '.join(codes)}." if codes else "It is installed."
    )
    typer.echo(f"{said} Switch it on: wizamart modules enable {code}", err=as_json)


@modules_app.command("uninstall")
def uninstall(
    code: str,
    purge: Annotated[
        bool | None, typer.Option("--purge/--keep-data", help="Whether its tables, rows and files go too.")
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take a module out, keeping its data or with every trace of it. It must be off everywhere.

    Example: wizamart modules uninstall marketplace --purge --dry-run
    """
    get_module(code)
    if purge is None:
        raise typer.BadParameter("Say what becomes of its data: --keep-data or --purge.")
    with running_platform():
        with migrations.owner_connection(owner_url()) as connection:
            removed = (
                installing.would_uninstall(connection, code, purge=purge)
                if dry_run
                else installing.uninstall(connection, code, purge=purge, by=_BY)
            )
        files = _files(code, dry_run=dry_run) if purge else Usage(0, 0)
    rows = [asdict(each) for each in removed]
    total = {"rows": sum(each.rows for each in removed), "bytes": sum(each.bytes for each in removed)}
    if as_json:
        facts = {"module": code, "purged": purge, "dry_run": dry_run, **total}
        print_json({**facts, "tables": rows, "files": asdict(files)})
    elif rows:
        print_rows(rows, as_json=False)
    verb = "would be uninstalled" if dry_run else "is uninstalled"
    data = f"with {total['rows']} rows ({total['bytes']} bytes) and {files.files} files ({files.bytes} bytes)"
    typer.echo(f"Module {code} {verb}, {data if purge else 'and its data kept'}.", err=True)


def _files(code: str, *, dry_run: bool) -> Usage:
    return installing.stored_files(code) if dry_run else installing.delete_stored_files(code)
