"""Deliveries that are expected, and their arrival."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import to_public
from app.modules.audit import record_audit
from app.modules.inventory.contracts import Cause, Change, Expected, Place
from app.modules.inventory.enums import MovementKind, Reason
from app.modules.inventory.exceptions import DeliveryClosedError, IncomingNotFoundError
from app.modules.inventory.models.planning import IncomingStock
from app.modules.inventory.services import level_service

INCOMING_PREFIX = "inc"


def create_incoming(session: Session, vendor_id: UUID, place: Place, expected: Expected) -> IncomingStock:
    """Expect units of a product in a warehouse."""
    made = IncomingStock(
        vendor_id=vendor_id,
        product_id=place.product_id,
        warehouse_id=place.warehouse_id,
        quantity=expected.quantity,
        expected_on=expected.expected_on,
        supplier=expected.supplier,
        note=expected.note,
    )
    session.add(made)
    session.flush()
    _note(session, made, "created", quantity=expected.quantity)
    return made


def get_incoming(session: Session, incoming_id: UUID) -> IncomingStock:
    """One delivery, locked until the transaction ends. Raises IncomingNotFoundError."""
    found = session.scalar(select(IncomingStock).where(IncomingStock.id == incoming_id).with_for_update())
    if found is None:
        raise IncomingNotFoundError
    return found


def receive(
    session: Session,
    incoming: IncomingStock,
    quantity: int,
    *,
    bin_location: str = "",
    user_id: UUID | None = None,
    is_last: bool = False,
) -> None:
    """So many units have arrived; with ``is_last`` the rest is no longer expected. Raises DeliveryClosedError, also
    for more than were expected."""
    if incoming.closed_at is not None or quantity > incoming.quantity - incoming.received:
        raise DeliveryClosedError(left=incoming.quantity - incoming.received)
    if quantity:
        place = Place(incoming.product_id, incoming.warehouse_id, bin_location)
        cause = Cause(
            MovementKind.RECEIVE,
            Reason.RECEIVED,
            note=incoming.supplier,
            user_id=user_id,
            reference_type="incoming",
            reference_id=incoming.id,
        )
        level_service.apply_changes(session, [Change(place, quantity)], cause)
    incoming.received += quantity
    if is_last or incoming.received == incoming.quantity:
        incoming.closed_at = clock.now()
    session.flush()
    _note(session, incoming, "received", quantity=quantity)


def _note(session: Session, incoming: IncomingStock, act: str, **details: object) -> None:
    record_audit(
        session,
        f"inventory.incoming_{act}",
        vendor_id=incoming.vendor_id,
        target=to_public(INCOMING_PREFIX, incoming.id),
        **details,
    )
