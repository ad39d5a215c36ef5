"""Labels for parcels, of the size that carriers use (A6): whom to, whom from, and the number as bars."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Response
from sqlalchemy import select

from app.core.ids import from_public
from app.modules.orders.adapters.barcode import bars_of
from app.modules.orders.enums import ShipmentStatus
from app.modules.orders.models.shipment import Shipment
from app.modules.orders.services import invoice_settings_service, order_reads
from app.modules.orders.services.order_page_service import country_name
from app.modules.orders.services.order_reads import SHIPMENT_PREFIX, ParcelView, ShipmentView
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")
MOST_SHIPMENTS = 100


@router.page("orders.vendor.labels")
def labels(ctx: PageContext, shipment: Annotated[Sequence[str], Query()] = ()) -> Response:
    """A label for each parcel of the shipments named, or of all that are packed, the oldest first."""
    statement = select(Shipment).order_by(Shipment.id).limit(MOST_SHIPMENTS)
    if shipment:
        named = [key for key in (from_public(SHIPMENT_PREFIX, text) for text in shipment) if key]
        statement = statement.where(Shipment.id.in_(named[:MOST_SHIPMENTS]))
    else:
        statement = statement.where(Shipment.status == ShipmentStatus.PREPARED)
    views = order_reads.view_shipments(ctx.session, ctx.session.scalars(statement).all())
    sender = _sender(ctx)
    return ctx.render(
        "orders/print/label.html",
        title=ctx.t("orders.pages.labels"),
        slips=[label for view in views for label in _labels(ctx, view, sender)],
        most=MOST_SHIPMENTS,
    )


def _sender(ctx: PageContext) -> list[str]:
    settings = invoice_settings_service.find_settings(ctx.session, ctx.vendor.id)
    if settings is None or not settings.line1:
        return [ctx.vendor.name]
    town = f"{settings.postcode} {settings.city}"
    country = country_name(ctx, settings.country)
    return [one for one in (ctx.vendor.name, settings.line1, settings.line2, town, country) if one]


def _labels(ctx: PageContext, view: ShipmentView, sender: Sequence[str]) -> list[dict[str, Any]]:
    order = order_reads.get_order_view(ctx.session, view.shipment.order_id)
    address = order.shipping_address or order.billing_address
    parcels: Sequence[ParcelView | None] = view.parcels or (None,)
    return [
        {
            "number": view.shipment.number,
            "order": order.order.external_number or order.order.number,
            "to": address.lines() if address else [order.buyer.name],
            "country": country_name(ctx, address.country) if address else "",
            "sender": sender,
            "carrier": parcel.carrier_name if parcel else "",
            "place": place,
            "parcels": len(parcels),
            **_bars(parcel.tracking_number if parcel and parcel.tracking_number else view.shipment.number),
        }
        for place, parcel in enumerate(parcels, 1)
    ]


def _bars(number: str) -> dict[str, Any]:
    try:
        width, bars = bars_of(number)
    except ValueError:  # a number that no scanner would read is printed only
        width, bars = 1, []
    return {"code": number, "width": width, "bars": bars}
