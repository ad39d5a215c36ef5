"""``wizamart import``, ``export``, ``feeds`` and ``letzshop``: data on stdout, talk on stderr."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.console import print_json, print_rows
from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.core.ids import to_public
from app.core.storage import get_storage
from app.modules.marketplace import facade
from app.modules.marketplace.adapters.letzshop.client import LetzshopClient
from app.modules.marketplace.adapters.letzshop.schema import compare
from app.modules.marketplace.contracts import CheckOutcome, CheckReport, Finding
from app.modules.marketplace.enums import ErrorPolicy
from app.modules.marketplace.exceptions import ChannelNotConfiguredError
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.services import (
    connection_service,
    feed_edit_service,
    feed_service,
    import_service,
    letzshop_credentials_service,
    row_error_service,
)
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.import_service import ImportRequest, ImportWithJob
from app.modules.marketplace.services.letzshop_service import LETZSHOP
from app.modules.state import require_enabled
from app.modules.tenancy import facade as tenancy
from app.tasks.dispatcher import dispatch
from app.tasks.ledger import JobRef
from app.tasks.models import Job

EXIT_FAILED, EXIT_PARTIAL = 1, 5
_MAX_KEY = 10_000
_DIRECTORY_TASK = "app.modules.marketplace.tasks.letzshop.sync_vendor_directory"
_EXPORT_TASK = "app.modules.marketplace.tasks.export.export_vendor_products_to_folder"

import_app = typer.Typer(help="Bring data in.", no_args_is_help=True)
export_app = typer.Typer(help="Take data out.", no_args_is_help=True)
feeds_app = typer.Typer(help="Feeds of a vendor.", no_args_is_help=True)
letzshop_app = typer.Typer(help="The Letzshop marketplace.", no_args_is_help=True)
groups = {"import": import_app, "export": export_app, "feeds": feeds_app, "letzshop": letzshop_app}


class _Language(StrEnum):
    EN = "en"
    FR = "fr"
    DE = "de"
    LB = "lb"


_Vendor = Annotated[str, typer.Option("--vendor", help="The vendor's code.")]
_Lang = Annotated[_Language, typer.Option("--language", help="Language of the texts.")]
_Json = Annotated[bool, typer.Option("--json", help="The result as JSON.")]
_Code = Annotated[str, typer.Argument(help="The vendor's code.")]


@import_app.callback()
def _import_group() -> None:
    """Bring data in."""


@export_app.callback()
def _export_group() -> None:
    """Take data out."""


@feeds_app.callback()
def _feeds_group() -> None:
    """Feeds of a vendor."""


@letzshop_app.callback()
def _letzshop_group() -> None:
    """The Letzshop marketplace."""


@feeds_app.command("list")
def list_feeds(vendor: _Vendor, as_json: _Json = False) -> None:
    """Show the vendor's feeds in the order in which they are asked.

    Example: wizamart feeds list --vendor MOSELLE
    """
    from app.modules.platform import running_platform

    with running_platform(demo=True):
        found = tenancy.get_vendor(vendor)
        with unit_of_work(TenantScope(found.id, found.company_id)) as session:
            feeds = session.execute(feed_edit_service.select_feeds().order_by(Feed.position, Feed.id)).all()
    shown = [
        {
            "id": to_public(FEED_PREFIX, one.id),
            "name": one.name,
            "language": one.language,
            "format": one.format,
            "url": one.url,
            "every_hours": one.every_hours,
            "last_run": one.last_run_at.isoformat() if one.last_run_at else None,
            "outcome": one.outcome if one.last_run_at else None,
            "rows": one.rows,
        }
        for one in feeds
    ]
    if as_json:
        typer.echo(json.dumps(shown))
        return
    for feed in shown:
        typer.echo("\t".join(str(value) if value is not None else "-" for value in feed.values()))


@import_app.command("products")
def import_products(
    source: Annotated[str, typer.Argument(help="A CSV or TSV file, or the address of one.")],
    vendor: _Vendor,
    language: _Lang = _Language.FR,
    feed: Annotated[str | None, typer.Option(help="The feed's name; else the first of the language.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, but write nothing.")] = False,
    policy: Annotated[ErrorPolicy, typer.Option(help="What bad rows do.")] = ErrorPolicy.SKIP_BAD_ROWS,
    as_json: _Json = False,
) -> None:
    """Import a product feed. Exit code 5: done, but some rows failed; they are in the file ``errors_csv``.

    Example: wizamart import products feed.tsv --vendor MOSELLE --language fr
    """
    from app.modules.platform import running_platform

    request = _request(source, language, policy, dry_run)
    with running_platform(demo=True) as platform:
        found = tenancy.get_vendor(vendor)
        require_enabled("marketplace", found.id)
        scope = TenantScope(found.id, found.company_id)
        with unit_of_work(scope) as session:
            if feed is not None:
                request = replace(request, feed_id=_feed_named(session, feed))
            row = import_service.start_import(session, request)
        assert row.job_id is not None
        typer.echo(f"Importing {request.source_name} for {found.code} …", err=True)
        platform.work(row.job_id)
        with unit_of_work(scope) as session:
            done = import_service.get_import(session, row.id)
        report = _report(done, _failed_rows_file(scope, done, language))
    _print(report, as_json)
    if report["state"] != "succeeded":
        raise typer.Exit(EXIT_FAILED)
    if report["failed"]:
        raise typer.Exit(EXIT_PARTIAL)


@export_app.command("products")
def export_products(
    vendor: _Vendor,
    out: Annotated[Path, typer.Option(help="Folder for the file.", file_okay=False)],
    language: _Lang = _Language.FR,
    as_json: _Json = False,
) -> None:
    """Write the vendor's products as a feed for marketplaces; says how it differs from the file that was sent last.

    Example: wizamart export products --vendor MOSELLE --language fr --out feeds
    """
    from app.modules.platform import running_platform

    arguments = {"languages": language.value, "folder": str(out.resolve())}
    with running_platform(demo=True) as platform:
        found = tenancy.get_vendor(vendor)
        require_enabled("marketplace", found.id)
        with unit_of_work(TenantScope(found.id, found.company_id)) as session:
            job_id = dispatch(session, _EXPORT_TASK, kwargs=arguments, vendor_id=found.id).id
        typer.echo(f"Exporting the products of {found.code} …", err=True)
        job = platform.work(job_id)
    result = job.result or {"files": [], "rows": 0, "excluded": 0, "differences": {}}
    report = {"job": str(job_id), "state": job.state, "files": result["files"], "rows": result["rows"]}
    report |= {"excluded": result["excluded"], **result["differences"].get(language.value, {})}
    _print(report, as_json)
    if job.state != "succeeded":
        typer.echo(job.error_message or job.state, err=True)
        raise typer.Exit(EXIT_FAILED)


@letzshop_app.command("connect")
def connect_letzshop(
    vendor: _Code,
    key_file: Annotated[
        typer.FileText | None, typer.Option(help="File with the key, - for stdin; else it is asked for.")
    ] = None,
    shop: Annotated[str | None, typer.Option(help="Which shop, where the key may act for several.")] = None,
) -> None:
    """Connect a vendor, or give it a new key; the key is tested first.

    Example: wizamart letzshop connect MOSELLE --key-file key.txt
    """
    from app.modules.platform import running_platform

    typed = key_file.read(_MAX_KEY) if key_file else typer.prompt("Key", hide_input=True)
    with running_platform(demo=True):
        found = tenancy.get_vendor(vendor)
        require_enabled("marketplace", found.id)
        report = LETZSHOP.try_key(typed)
        if report.outcome in (CheckOutcome.OK, CheckOutcome.SCHEMA_DRIFT):
            with unit_of_work(TenantScope(found.id, found.company_id)) as session:
                connection_id = facade.connect(session, found.id, LETZSHOP.code)
                letzshop_credentials_service.store_key(session, connection_id, typed)
                letzshop_credentials_service.choose_shop(session, connection_id, shop)
    _say_check(report, as_json=False)


@letzshop_app.command("test")
def check_letzshop(vendor: _Code, as_json: _Json = False) -> None:
    """Test a vendor's connection. Exit code 1 where it cannot be used.

    Example: wizamart letzshop test MOSELLE
    """
    from app.modules.platform import running_platform

    with running_platform(demo=True):
        found = tenancy.get_vendor(vendor)
        scope = TenantScope(found.id, found.company_id)
        connection_id = _connection_of(scope)
        with unit_of_work(scope) as session:
            channel = LETZSHOP.open(session, connection_id)
        with closing(channel):
            report = channel.check()
    _say_check(report, as_json)


@letzshop_app.command("schema")
def check_schema(
    url: Annotated[str | None, typer.Option(help="Address of the API; else the configured one.")] = None,
    as_json: _Json = False,
) -> None:
    """Compare the API with what is asked of it: missing, deprecated and extra names. Exit code 1 if any is missing.

    Example: wizamart letzshop schema --url https://letzshop.lu/graphql
    """
    with LetzshopClient(url=url) as client:
        findings, _ = compare(client)
    print_rows([_shown(one) for one in findings], as_json)
    if any(one.kind == "missing" for one in findings):
        raise typer.Exit(EXIT_FAILED)


@letzshop_app.command("sync")
def sync_letzshop(vendor: _Code) -> None:
    """Read a vendor's open orders now.

    Example: wizamart letzshop sync MOSELLE
    """
    _work_for(vendor, facade.sync_now)


@letzshop_app.command("import-history")
def import_letzshop_history(vendor: _Code) -> None:
    """Read a vendor's orders of the past; once more is harmless.

    Example: wizamart letzshop import-history MOSELLE
    """
    _work_for(vendor, facade.import_history)


@letzshop_app.command("sync-directory")
def sync_directory() -> None:
    """Read Letzshop's directory of shops.

    Example: wizamart letzshop sync-directory
    """
    from app.modules.platform import running_platform

    with running_platform(demo=True) as platform:
        with unit_of_work(SYSTEM) as session:
            job_id = dispatch(session, _DIRECTORY_TASK).id
        _say_job(platform.work(job_id))


@letzshop_app.command("reseal")
def reseal_letzshop() -> None:
    """Seal all keys under the current encryption key, so that an older one can be removed.

    Example: wizamart letzshop reseal
    """
    from app.modules.platform import running_platform

    with running_platform(), unit_of_work(SYSTEM) as session:
        typer.echo(f"{letzshop_credentials_service.reseal_keys(session)} resealed.", err=True)


def _work_for(vendor: str, start: Callable[[Session, UUID], JobRef]) -> None:
    from app.modules.platform import running_platform

    with running_platform(demo=True) as platform:
        found = tenancy.get_vendor(vendor)
        scope = TenantScope(found.id, found.company_id)
        connection_id = _connection_of(scope)
        with unit_of_work(scope) as session:
            job_id = start(session, connection_id).id
        _say_job(platform.work(job_id))


def _connection_of(scope: TenantScope) -> UUID:
    with unit_of_work(scope) as session:
        found = connection_service.find_connection(session, LETZSHOP.code)
        if found is None:
            raise ChannelNotConfiguredError("The vendor is not connected. See: wizamart letzshop connect")
        return found.id


def _say_job(job: Job) -> None:
    print_json({"job": job.id, "state": job.state, **(job.result or {})})
    if job.state != "succeeded":
        typer.echo(job.error_message or job.state, err=True)
        raise typer.Exit(EXIT_FAILED)


def _say_check(report: CheckReport, as_json: bool) -> None:
    findings = [_shown(one) for one in report.findings]
    if as_json:
        print_json({"outcome": report.outcome, "detail": report.detail, "findings": findings})
    else:
        typer.echo(f"{report.outcome}: {report.detail}" if report.detail else report.outcome)
        print_rows(findings, as_json=False)
    if report.outcome is not CheckOutcome.OK:
        raise typer.Exit(EXIT_FAILED)


def _shown(finding: Finding) -> dict[str, str]:
    return {"kind": finding.kind, "name": finding.name, "detail": finding.detail}


def _feed_named(session: Session, name: str) -> UUID:
    feeds = {feed.name: feed.id for feed in feed_service.list_feeds(session)}
    if name not in feeds:
        known = ", ".join(feeds) or "none"
        raise typer.BadParameter(f"There is no feed {name}. There are: {known}.")
    return feeds[name]


def _request(source: str, language: _Language, policy: ErrorPolicy, is_dry_run: bool) -> ImportRequest:
    if source.startswith(("http://", "https://")):
        return ImportRequest(language, policy, is_dry_run, source_name=source, url=source)
    path = Path(source)
    if not path.is_file():
        raise typer.BadParameter(f"There is no file {source}.")
    return ImportRequest(language, policy, is_dry_run, source_name=path.name, content=path)


def _report(done: ImportWithJob, errors_csv: str | None) -> dict[str, Any]:
    row, job = done
    assert job is not None
    report: dict[str, Any] = {"job": str(job.id), "state": job.state}
    report |= {name: getattr(row, name) for name in ("rows", "created", "updated", "unchanged", "failed")}
    report |= {"encoding": row.encoding, "delimiter": row.delimiter, "seconds": row.seconds}
    report["errors_csv"] = errors_csv
    if row.problem:
        typer.echo(f"{row.problem['code']}: {row.problem['detail']}", err=True)
    elif job.error_message:
        typer.echo(job.error_message, err=True)
    return report


def _failed_rows_file(scope: TenantScope, done: ImportWithJob, language: _Language) -> str | None:
    row = done.row
    if not row.failed:
        return None
    storage, key = get_storage(get_settings()), _csv_key(row.vendor_id, row.id)
    with TemporaryFile(prefix="wizamart-rows-") as file:
        file.writelines(row_error_service.failed_rows_csv(scope, row.id, language=language))
        file.seek(0)
        storage.save(key, file)
    return str(storage.path(key))


def _csv_key(vendor_id: UUID, import_id: UUID) -> str:
    return f"marketplace/{vendor_id}/{import_id}-failed-rows.csv"


def _print(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report))
        return
    for name, value in report.items():
        if value is not None:
            typer.echo(f"{name}: {value!r}" if name == "delimiter" else f"{name}: {value}")
