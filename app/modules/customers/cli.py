"""``wizamart customers``: files of customers; data on stdout, talk on stderr."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy.orm import Session

from app.core.console import print_json
from app.core.database import TenantScope, unit_of_work
from app.core.errors import ValidationFailedError
from app.core.i18n import FALLBACK, translate
from app.core.ids import to_public
from app.modules.customers.services import import_service
from app.modules.customers.services.import_rows import MAX_BYTES, read_customers
from app.modules.customers.services.import_service import IMPORT_PREFIX
from app.modules.tenancy import facade as tenancy

EXIT_FAILED, EXIT_PARTIAL = 1, 5
_SHOWN = 200

customers_app = typer.Typer(help="The customers of vendors.", no_args_is_help=True)
groups = {"customers": customers_app}


@customers_app.callback()
def _group() -> None:
    """The customers of vendors."""


@customers_app.command("import")
def import_customers(
    file: Annotated[Path, typer.Argument(help="A CSV file.", exists=True, dir_okay=False)],
    vendor: Annotated[str, typer.Option("--vendor", help="The vendor's code.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, but write no customer.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Take a file of customers over. Exit code 5: done, but some rows were refused.

    Example: wizamart customers import customers.csv --vendor MOSELLE --dry-run
    """
    from app.modules.platform import running_platform

    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    with running_platform(demo=True):
        found = tenancy.get_vendor(vendor)
        with unit_of_work(TenantScope(found.id, found.company_id)) as session:
            try:
                rows = read_customers(content)
            except ValidationFailedError as error:
                for problem in error.errors:
                    typer.echo(translate(FALLBACK, problem.message_key, **problem.params), err=True)
                raise typer.Exit(EXIT_FAILED) from None
            row = import_service.create_import(session, found.id, file.name, rows)
            refused = _refused(session, row.id)
            if dry_run:
                import_service.discard_import(session, row)
            else:
                import_service.apply_import(session, row)
            report = {
                "import": to_public(IMPORT_PREFIX, row.id),
                "is_dry_run": dry_run,
                "ignored": row.ignored,
            }
            report |= {name: getattr(row, name) for name in ("rows", "added", "changed", "refused")}
    if as_json:
        print_json(report | {"refused_rows": refused})
    else:
        for one in refused:
            typer.echo(f"line {one['line']}, {one['column'] or '-'}: {one['message']}")
        typer.echo(", ".join(f"{name} {report[name]}" for name in ("rows", "added", "changed", "refused")))
    if report["refused"]:
        raise typer.Exit(EXIT_PARTIAL)


def _refused(session: Session, import_id: UUID) -> list[dict[str, Any]]:
    return [
        {
            "line": one.line,
            "column": one.column_name,
            "fault": one.fault,
            "message": translate(FALLBACK, f"customers.import_faults.{one.fault}"),
        }
        for one in import_service.list_refused(session, import_id, limit=_SHOWN)
    ]
