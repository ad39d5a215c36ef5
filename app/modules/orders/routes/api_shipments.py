"""Shipments in the API."""

from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, key_of
from app.modules.api.answers import shown
from app.modules.orders.contracts import NewParcel
from app.modules.orders.models.shipment import Shipment
from app.modules.orders.schemas.acts import (
    ParcelGiven,
    ParcelsGiven,
    ParcelShown,
    ShipmentGiven,
    ShipmentLineShown,
    ShipmentList,
    ShipmentShown,
)
from app.modules.orders.services import order_reads, shipment_service
from app.modules.orders.services.api_answers import by_key, quantities
from app.modules.orders.services.order_reads import LINE_PREFIX, PREFIX, SHIPMENT_PREFIX, ShipmentView

router = ApiRouter()
_VIEW, _SHIP = "orders.orders.view", "orders.orders.ship"
_SHIPMENT = "/shipments/{shipment_id}"


@router.both("GET", "/orders/{order_id}/shipments", permission=_VIEW)
def shipments_list(ctx: ApiContext, order_id: str) -> ShipmentList:
    """List the shipments of an order."""
    order = order_reads.get_order(ctx.session, key_of(PREFIX, order_id))
    return ShipmentList(data=[_shown(one) for one in order_reads.list_shipments(ctx.session, order.id)])


@router.vendor("POST", "/orders/{order_id}/shipments", permission=_SHIP, status=201)
def shipments_create(ctx: ApiContext, order_id: str, given: ShipmentGiven) -> ShipmentShown:
    """Send goods of an order, or prepare that."""
    act = shipment_service.ship if given.is_shipped else shipment_service.prepare_shipment
    lines, parcels = quantities(given.lines), _parcels(given.parcels)
    return _view(ctx, act(ctx.session, key_of(PREFIX, order_id), lines, parcels, by_key(ctx)))


@router.both("GET", _SHIPMENT, permission=_VIEW)
def shipments_get(ctx: ApiContext, shipment_id: str) -> ShipmentShown:
    """Get a shipment."""
    return _view(ctx, order_reads.get_shipment(ctx.session, key_of(SHIPMENT_PREFIX, shipment_id)))


@router.vendor("POST", f"{_SHIPMENT}/ship", permission=_SHIP)
def shipments_ship(ctx: ApiContext, shipment_id: str) -> ShipmentShown:
    """Say that a prepared shipment is on its way. That cannot be undone."""
    key = key_of(SHIPMENT_PREFIX, shipment_id)
    return _view(ctx, shipment_service.mark_shipped(ctx.session, key, by_key(ctx)))


@router.vendor("POST", f"{_SHIPMENT}/deliver", permission=_SHIP)
def shipments_deliver(ctx: ApiContext, shipment_id: str) -> ShipmentShown:
    """Say that a shipment has arrived."""
    key = key_of(SHIPMENT_PREFIX, shipment_id)
    return _view(ctx, shipment_service.mark_delivered(ctx.session, key, by_key(ctx)))


@router.vendor("POST", f"{_SHIPMENT}/cancel", permission=_SHIP)
def shipments_cancel(ctx: ApiContext, shipment_id: str) -> ShipmentShown:
    """Put the goods of a prepared shipment back."""
    key = key_of(SHIPMENT_PREFIX, shipment_id)
    return _view(ctx, shipment_service.cancel_shipment(ctx.session, key, by_key(ctx)))


@router.vendor("PUT", f"{_SHIPMENT}/parcels", permission=_SHIP)
def shipments_parcels(ctx: ApiContext, shipment_id: str, given: ParcelsGiven) -> ShipmentShown:
    """Replace the parcels of a shipment."""
    key = key_of(SHIPMENT_PREFIX, shipment_id)
    return _view(ctx, shipment_service.set_parcels(ctx.session, key, _parcels(given.parcels), by_key(ctx)))


def _parcels(given: list[ParcelGiven]) -> list[NewParcel]:
    return [NewParcel(one.carrier_code, one.tracking_number) for one in given]


def _view(ctx: ApiContext, shipment: Shipment) -> ShipmentShown:
    ctx.session.flush()
    return _shown(order_reads.view_shipments(ctx.session, [shipment])[0])


def _shown(view: ShipmentView) -> ShipmentShown:
    lines = [
        ShipmentLineShown(line_id=to_public(LINE_PREFIX, line_id), quantity=quantity)
        for line_id, quantity in view.quantities.items()
    ]
    return shown(
        ShipmentShown,
        view.shipment,
        SHIPMENT_PREFIX,
        order_id=to_public(PREFIX, view.shipment.order_id),
        lines=lines,
        parcels=[
            ParcelShown(
                carrier_code=one.carrier_code,
                carrier_name=one.carrier_name,
                tracking_number=one.tracking_number,
                tracking_link=one.tracking_link,
            )
            for one in view.parcels
        ],
    )
