"""Sending goods: shipments are prepared, shipped and delivered; what is shipped cannot be taken back."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.events import publish
from app.modules.orders.contracts import STOCK, By, NewParcel
from app.modules.orders.enums import OrderStatus, ShipmentStatus
from app.modules.orders.events import ParcelsChanged, ShipmentShipped
from app.modules.orders.exceptions import (
    OrderInputError,
    OrderStateError,
    PendingExceptionsError,
    QuantityError,
    ShipmentNotFoundError,
)
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.models.shipment import Parcel, Shipment, ShipmentLine
from app.modules.orders.services.carrier_service import carrier_codes
from app.modules.orders.services.exception_service import ignored_lines
from app.modules.orders.services.state_service import (
    check_free,
    check_status,
    goods_of,
    lines_of,
    lock_order,
    move,
    note,
    open_quantity,
    settle,
)
from app.modules.orders.services.write_service import search_words, vector_of

_MAX_PARCELS, _MAX_TRACKING = 50, 100


def ship(
    session: Session,
    order_id: UUID,
    lines: Sequence[tuple[UUID, int]] | None,
    parcels: Sequence[NewParcel],
    by: By,
) -> Shipment:
    """Send so many of some lines, or all that remain (None), at once."""
    shipment = prepare_shipment(session, order_id, lines, parcels, by)
    return mark_shipped(session, shipment.id, by)


def prepare_shipment(
    session: Session,
    order_id: UUID,
    lines: Sequence[tuple[UUID, int]] | None,
    parcels: Sequence[NewParcel],
    by: By,
) -> Shipment:
    """Put goods aside for a shipment that can still be cancelled. Raises QuantityError for more than remain."""
    order = lock_order(session, order_id)
    check_status(order, "ship", OrderStatus.PROCESSING, OrderStatus.PARTIALLY_SHIPPED)
    check_free(order)
    if order.pending_exceptions:  # an answer was taken back after the order was confirmed
        raise PendingExceptionsError(count=order.pending_exceptions)
    chosen = _chosen(session, order, lines)
    made = session.scalar(select(func.count()).where(Shipment.order_id == order_id)) or 0
    shipment = Shipment(vendor_id=order.vendor_id, order_id=order.id, number=f"{order.number}-{made + 1}")
    session.add(shipment)
    session.flush()
    session.add_all(
        ShipmentLine(vendor_id=order.vendor_id, shipment_id=shipment.id, line_id=line.id, quantity=quantity)
        for line, quantity in chosen
    )
    note(session, order, "shipment_prepared", by, shipment_id=str(shipment.id), number=shipment.number)
    _write_parcels(session, order, shipment, parcels)
    return shipment


def mark_shipped(session: Session, shipment_id: UUID, by: By) -> Shipment:
    """Say that a prepared shipment is on its way: stock goes down for good. Raises OrderStateError for another."""
    order, shipment = _locked(session, shipment_id)
    check_free(order)
    _check_shipment(shipment, "ship", ShipmentStatus.PREPARED)
    quantities = shipment_quantities(session, [shipment.id])[shipment.id]
    goods = goods_of(lines_of(session, order.id))
    unmoved = ignored_lines(session, order.id)
    shipped = []
    for line in goods:
        quantity = quantities.get(line.id, 0)
        line.shipped_quantity += quantity
        if quantity and line.product_id and line.id not in unmoved:
            shipped.append((line.id, quantity))
    stock = STOCK.find_for(order.vendor_id)
    if stock is not None and shipped:
        stock.fulfil(session, order.id, shipment.number, shipped)
    shipment.status, shipment.shipped_at = ShipmentStatus.SHIPPED, clock.now()
    note(session, order, "shipment_shipped", by, shipment_id=str(shipment.id), number=shipment.number)
    settle(session, order, goods, by)
    event = ShipmentShipped(order.id, shipment.id)
    publish(session, event, vendor_id=order.vendor_id, aggregate=str(order.id))
    return shipment


def mark_delivered(session: Session, shipment_id: UUID, by: By) -> Shipment:
    """Say that a shipment has arrived; with the last one the order is delivered."""
    order, shipment = _locked(session, shipment_id)
    _check_shipment(shipment, "deliver", ShipmentStatus.SHIPPED)
    shipment.status, shipment.delivered_at = ShipmentStatus.DELIVERED, clock.now()
    note(session, order, "shipment_delivered", by, shipment_id=str(shipment.id), number=shipment.number)
    session.flush()
    under_way = select(Shipment.id).where(
        Shipment.order_id == order.id, Shipment.status == ShipmentStatus.SHIPPED
    )
    if order.status == OrderStatus.SHIPPED and session.scalars(under_way).first() is None:
        move(session, order, OrderStatus.DELIVERED, by)
    return shipment


def cancel_shipment(session: Session, shipment_id: UUID, by: By) -> Shipment:
    """Put the goods of a prepared shipment back. Raises OrderStateError once it is shipped."""
    order, shipment = _locked(session, shipment_id)
    _check_shipment(shipment, "cancel", ShipmentStatus.PREPARED)
    shipment.status = ShipmentStatus.CANCELLED
    note(session, order, "shipment_cancelled", by, shipment_id=str(shipment.id), number=shipment.number)
    return shipment


def set_parcels(session: Session, shipment_id: UUID, parcels: Sequence[NewParcel], by: By) -> Shipment:
    """Replace the parcels of a shipment that is not cancelled; also afterwards, when a number was mistyped."""
    order, shipment = _locked(session, shipment_id)
    _check_shipment(
        shipment, "track", ShipmentStatus.PREPARED, ShipmentStatus.SHIPPED, ShipmentStatus.DELIVERED
    )
    session.execute(delete(Parcel).where(Parcel.shipment_id == shipment.id))
    _write_parcels(session, order, shipment, parcels)
    note(session, order, "parcels_changed", by, shipment_id=str(shipment.id), parcels=len(parcels))
    if shipment.status != ShipmentStatus.PREPARED:
        event = ParcelsChanged(order.id, shipment.id)
        publish(session, event, vendor_id=order.vendor_id, aggregate=str(order.id))
    return shipment


def parcels_of(session: Session, shipment_id: UUID) -> list[NewParcel]:
    """The parcels of a shipment, in their order."""
    rows = session.scalars(select(Parcel).where(Parcel.shipment_id == shipment_id).order_by(Parcel.id))
    return [NewParcel(row.carrier_code, row.tracking_number) for row in rows]


def shipment_quantities(session: Session, shipment_ids: Collection[UUID]) -> dict[UUID, dict[UUID, int]]:
    """How many of each line are in each shipment."""
    found: dict[UUID, dict[UUID, int]] = {key: {} for key in shipment_ids}
    rows = session.scalars(select(ShipmentLine).where(ShipmentLine.shipment_id.in_(shipment_ids)))
    for row in rows:
        found[row.shipment_id][row.line_id] = row.quantity
    return found


def prepared_quantities(session: Session, order_id: UUID) -> Mapping[UUID, int]:
    """How many of each line of an order stand in shipments that are prepared and not yet sent."""
    statement = (
        select(ShipmentLine.line_id, func.sum(ShipmentLine.quantity))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.order_id == order_id, Shipment.status == ShipmentStatus.PREPARED)
        .group_by(ShipmentLine.line_id)
    )
    return {line_id: int(quantity) for line_id, quantity in session.execute(statement)}


def remaining(session: Session, order_id: UUID, goods: Sequence[OrderLine]) -> dict[UUID, int]:
    """How many of each line can be put into a shipment: neither cancelled, nor sent, nor prepared."""
    prepared = prepared_quantities(session, order_id)
    return {line.id: open_quantity(line) - prepared.get(line.id, 0) for line in goods}


def _chosen(
    session: Session, order: Order, lines: Sequence[tuple[UUID, int]] | None
) -> list[tuple[OrderLine, int]]:
    goods = goods_of(lines_of(session, order.id))
    left = remaining(session, order.id, goods)
    wanted = left if lines is None else dict(lines)
    by_id = {line.id: line for line in goods}
    chosen = []
    for line_id, quantity in wanted.items():
        if quantity < 0 or quantity > left.get(line_id, 0):
            sku = by_id[line_id].sku if line_id in by_id else None
            raise QuantityError(sku=sku or "", left=left.get(line_id, 0))
        if quantity:
            chosen.append((by_id[line_id], quantity))
    if not chosen:
        raise OrderInputError("lines", "nothing_to_ship")
    return chosen


def _locked(session: Session, shipment_id: UUID) -> tuple[Order, Shipment]:
    """The order first: everybody locks in this order."""
    shipment = session.get(Shipment, shipment_id)
    if shipment is None:
        raise ShipmentNotFoundError
    order = lock_order(session, shipment.order_id)
    session.refresh(shipment)
    return order, shipment


def _check_shipment(shipment: Shipment, action: str, *allowed: ShipmentStatus) -> None:
    if shipment.status not in allowed:
        raise OrderStateError(f"The shipment is {shipment.status}.", status=shipment.status, action=action)


def _write_parcels(session: Session, order: Order, shipment: Shipment, parcels: Sequence[NewParcel]) -> None:
    if len(parcels) > _MAX_PARCELS:
        raise OrderInputError("parcels", "parcels", most=_MAX_PARCELS)
    known = carrier_codes(session)
    for place, parcel in enumerate(parcels):
        if parcel.carrier_code not in known:
            raise OrderInputError(f"parcels/{place}/carrier_code", "carrier")
        number = (parcel.tracking_number or "").strip() or None
        if number and len(number) > _MAX_TRACKING:
            raise OrderInputError(f"parcels/{place}/tracking_number", "tracking", most=_MAX_TRACKING)
        session.add(
            Parcel(
                vendor_id=order.vendor_id,
                shipment_id=shipment.id,
                carrier_code=parcel.carrier_code,
                tracking_number=number,
            )
        )
    words = search_words(*(parcel.tracking_number for parcel in parcels))
    if words:
        order.search_vector = Order.search_vector.op("||")(vector_of(words))
