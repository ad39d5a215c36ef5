"""``wizamart order-folder``: connect a vendor to its folder, and look into it."""

from typing import Annotated

import typer

from app.core.console import print_json
from app.core.database import TenantScope, unit_of_work
from app.core.errors import ConfigurationError
from app.modules.marketplace import facade as marketplace
from app.modules.order_folder.adapters.order_csv import CODE
from app.modules.order_folder.services.order_folder_service import OrderFolderChannel, folder_of
from app.modules.state import require_enabled
from app.modules.tenancy import facade as tenancy

order_folder_app = typer.Typer(help="Orders as files in a folder.", no_args_is_help=True)
groups = {"order-folder": order_folder_app}

_Vendor = Annotated[str, typer.Argument(help="The vendor's code.")]


@order_folder_app.callback()
def _order_folder_group() -> None:
    """Orders as files in a folder."""


@order_folder_app.command("connect")
def connect(vendor: _Vendor) -> None:
    """Connect a vendor to its folder; from then on a worker looks into it every few minutes.

    Example: wizamart order-folder connect MOSELLE
    """
    from app.modules.platform import running_platform

    with running_platform():
        found = tenancy.get_vendor(vendor)
        require_enabled("order-folder", found.id)
        with unit_of_work(TenantScope(found.id, found.company_id)) as session:
            connection_id = marketplace.connect(session, found.id, CODE)
            folder = marketplace.get_options(session, connection_id).get("folder", "")
        channel = _channel(found.code, folder)
        outcome = channel.check()
    typer.echo(f"{found.code} is connected: {folder_of(found.code, folder)}: {outcome.outcome}", err=True)


@order_folder_app.command("show")
def show(
    vendor: _Vendor,
    folder: Annotated[str, typer.Option(help="Folder within the vendor's, if it uses one.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the orders in a vendor's folder that wait for an answer.

    Example: wizamart order-folder show MOSELLE --json
    """
    channel = _channel(vendor, folder)
    cursor, rows = None, []
    while True:
        page = channel.read_open(cursor)
        rows += [
            {"order": order.external_id, "units": len(order.units), "fault": order.fault}
            for order in page.orders
        ]
        cursor = page.cursor
        if cursor is None:
            break
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['order']:24} {row['units']:5} {row['fault'] or ''}")


def _channel(vendor_code: str, folder: str) -> OrderFolderChannel:
    path = folder_of(vendor_code, folder)
    if path is None:
        raise ConfigurationError(
            "ORDER_FOLDER_ROOT is not set: name the folder that holds the vendors' folders."
        )
    return OrderFolderChannel(path)
