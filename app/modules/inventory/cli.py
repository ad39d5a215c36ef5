"""``wizamart inventory`` and ``wizamart why stock``."""

from typing import Annotated, Any

import typer

from app.core.console import print_json
from app.core.database import TenantScope, unit_of_work
from app.modules.catalog import facade as catalog
from app.modules.gates_cli import why_app
from app.modules.inventory.services import check_service, explain_service
from app.modules.tenancy import facade as tenancy

EXIT_DIFFERENT = 1

inventory_app = typer.Typer(help="The stock of vendors.", no_args_is_help=True)
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Vendor = Annotated[str, typer.Option("--vendor", help="The vendor's code.")]


@inventory_app.callback()
def _group() -> None:
    """The stock of vendors."""


@inventory_app.command("check")
def check(
    vendor: _Vendor,
    is_repairing: Annotated[
        bool, typer.Option("--repair", help="Make the counters what the ledger says.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Compare a vendor's counters with the ledger and with what orders hold. Exit code 1 when they differ.

    Example: wizamart inventory check --vendor MOSELLE
    """
    from app.modules.platform import running_platform

    with running_platform(demo=True):
        found = tenancy.get_vendor(vendor)
        with unit_of_work(TenantScope(found.id, found.company_id)) as session:
            if is_repairing:
                before = check_service.repair(session)
            different = check_service.list_differences(session)
            if not is_repairing:
                before = different
            rows = [_row(session, one) for one in before]
    if as_json:
        print_json({"differences": rows, "left": len(different)})
    else:
        for row in rows:
            typer.echo(
                f"{row['sku']} {row['warehouse']} {row['bin_location']}: on hand {row['on_hand']}, reserved "
                f"{row['reserved']}; the ledger says {row['ledger_on_hand']} and {row['ledger_reserved']}, orders "
                f"hold {row['held']}"
            )
        typer.echo(
            f"{len(rows)} places differ, {len(different)} still do." if rows else "Counters and ledger agree."
        )
    raise typer.Exit(EXIT_DIFFERENT if different else 0)


def _row(session: Any, one: check_service.Difference) -> dict[str, Any]:
    product = catalog.get_product(session, one.product_id, language="en")
    names = ("warehouse", "bin_location", "on_hand", "reserved", "ledger_on_hand", "ledger_reserved", "held")
    return {"sku": product.summary.sku, **{name: getattr(one, name) for name in names}}


@why_app.command("stock")
def why_stock(
    sku: Annotated[str, typer.Argument(help="The product's SKU.")], vendor: _Vendor, as_json: _Json = False
) -> None:
    """Say how a product's stock came about: the ledger line by line, and who holds what.

    Example: wizamart why stock MOS-011 --vendor MOSELLE
    """
    from app.modules.platform import running_platform

    with running_platform(demo=True):
        found = tenancy.get_vendor(vendor)
        with unit_of_work(TenantScope(found.id, found.company_id)) as session:
            told = explain_service.explain(session, sku)
    if as_json:
        print_json(told)
        return
    for line in explain_service.as_text(told):
        typer.echo(line)


groups = {"inventory": inventory_app}
