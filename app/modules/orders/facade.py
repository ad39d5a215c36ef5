"""What other modules may ask of orders. The session is in the vendor's scope; nothing is committed here."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.orders.contracts import By, NewParcel, OrderSummary, RefundOf, RefundTerms
from app.modules.orders.services import (
    cancel_service,
    decide_service,
    order_reads,
    payment_service,
    refund_service,
    shipment_service,
    unit_service,
)
from app.modules.orders.services.again_service import find_by_external, is_erased
from app.modules.orders.services.place_service import place_order
from app.modules.orders.services.shipment_service import parcels_of
from app.modules.orders.services.unit_service import line_units, units_of

__all__ = [
    "cancel",
    "cancel_units",
    "confirm_lines",
    "decide_units",
    "decline_lines",
    "find_by_external",
    "get_order",
    "is_erased",
    "line_units",
    "mark_paid",
    "parcels_of",
    "place_order",
    "refund",
    "return_units",
    "ship",
    "units_of",
]


def get_order(session: Session, order_id: UUID) -> OrderSummary:
    """An order as it is now. Raises OrderNotFoundError."""
    session.flush()
    return order_reads.get_summary(session, order_id)


def confirm_lines(
    session: Session, order_id: UUID, line_ids: Collection[UUID] | None, by: By
) -> OrderSummary:
    """Say yes to lines (None: all that are undecided). Raises PendingExceptionsError, OrderHeldError."""
    decide_service.confirm_lines(session, order_id, line_ids, by)
    return get_order(session, order_id)


def decline_lines(
    session: Session, order_id: UUID, line_ids: Collection[UUID] | None, reason: str, by: By
) -> OrderSummary:
    """Say no to lines and give their stock back. Raises OrderInputError without a reason."""
    decide_service.decline_lines(session, order_id, line_ids, reason, by)
    return get_order(session, order_id)


def decide_units(
    session: Session, order_id: UUID, decisions: Mapping[str, bool], reason: str, by: By
) -> OrderSummary:
    """Say yes or no to single units, by the channel's ids. A line is confirmed once all of it is decided; what of it
    is refused is cancelled with the reason. Raises PendingExceptionsError, OrderHeldError, OrderInputError,
    OrderStateError for a unit of which the other was said."""
    unit_service.decide_units(session, order_id, decisions, reason, by)
    return get_order(session, order_id)


def cancel_units(
    session: Session, order_id: UUID, unit_ids: Collection[str], reason: str, by: By
) -> OrderSummary:
    """Take single units out of an order that are not sent; raises as ``cancel``. Those that are out stay so."""
    unit_service.cancel_units(session, order_id, unit_ids, reason, by)
    return get_order(session, order_id)


def return_units(
    session: Session, order_id: UUID, unit_ids: Collection[str], reason: str, by: By
) -> OrderSummary:
    """Take single units back that were sent, into stock, or out of the order that were not. Those that are back stay
    so. Raises as ``cancel``."""
    unit_service.return_units(session, order_id, unit_ids, reason, by)
    return get_order(session, order_id)


def cancel(
    session: Session,
    order_id: UUID,
    reason: str,
    by: By,
    lines: Sequence[tuple[UUID, int]] | None = None,
) -> OrderSummary:
    """Take (line, quantity) out of an order, or all that is not sent. Raises QuantityError, OrderStateError."""
    cancel_service.cancel(session, order_id, reason, by, lines)
    return get_order(session, order_id)


def mark_paid(session: Session, order_id: UUID, method: str, by: By) -> OrderSummary:
    """Note how an order was paid. Raises OrderStateError when it was already."""
    payment_service.mark_paid(session, order_id, method, by)
    return get_order(session, order_id)


def ship(
    session: Session,
    order_id: UUID,
    lines: Sequence[tuple[UUID, int]] | None,
    parcels: Sequence[NewParcel],
    by: By,
) -> UUID:
    """Send (line, quantity), or all that remain; returns the shipment's id. Raises QuantityError, OrderStateError."""
    return shipment_service.ship(session, order_id, lines, parcels, by).id


def refund(session: Session, order_id: UUID, lines: Sequence[RefundOf], terms: RefundTerms, by: By) -> UUID:
    """Give money back; returns the refund's id. Raises QuantityError, OrderInputError."""
    return refund_service.refund(session, order_id, lines, terms, by).id
