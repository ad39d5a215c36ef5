"""Packing slips and pick lists, made for paper: one order a page, nothing of the application around it."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response

from app.core.ids import from_public
from app.modules.orders.contracts import STOCK
from app.modules.orders.enums import LineKind, OrderStatus
from app.modules.orders.services import order_list_service, order_reads
from app.modules.orders.services.order_page_service import country_name
from app.modules.orders.services.order_reads import PREFIX
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")
MOST_ORDERS = 100


@router.page("orders.vendor.print")
def print_orders(
    ctx: PageContext,
    kind: Literal["slip", "pick"] = "slip",
    order: Annotated[Sequence[str], Query()] = (),
) -> Response:
    """The orders named, or all that are to be sent, the oldest first."""
    named = [key for key in (from_public(PREFIX, text) for text in order[:MOST_ORDERS]) if key]
    ids = named if order else order_list_service.waiting_ids(ctx.session, OrderStatus.PROCESSING, MOST_ORDERS)
    views = [order_reads.get_order_view(ctx.session, key) for key in ids]
    places = _places(ctx, ids)
    return ctx.render(
        f"orders/print/{kind}.html",
        title=ctx.t(f"orders.print.{kind}"),
        slips=[_slip(ctx, view, places) for view in views],
        most=MOST_ORDERS,
    )


def _places(ctx: PageContext, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Where the goods of each line lie, as far as somebody knows."""
    stock = STOCK.find_for(ctx.vendor.id)
    found: dict[UUID, list[str]] = {}
    for _, line_id, warehouse, bin_location, quantity in stock.places(ctx.session, ids) if stock else ():
        place = " ".join(filter(None, (warehouse, bin_location)))
        found.setdefault(line_id, []).append(f"{quantity} × {place}")
    return found


def _slip(ctx: PageContext, view: order_reads.OrderView, places: dict[UUID, list[str]]) -> dict[str, Any]:
    order = view.order
    rows = [
        {
            "line": line,
            "quantity": view.remaining.get(line.id, 0) or line.quantity - line.cancelled_quantity,
            "places": places.get(line.id, []),
        }
        for line in view.lines
        if line.kind == LineKind.PRODUCT
    ]
    address = view.shipping_address
    return {
        "order": order,
        "rows": [row for row in rows if row["quantity"]],
        "address": address.lines() if address else [],
        "country": country_name(ctx, address.country) if address else "",
    }
