"""Giving money back, and goods that come back. Neither cancels anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.modules.customers.facade import record_order
from app.modules.events import publish
from app.modules.orders.contracts import STOCK, By, RefundOf, RefundTerms
from app.modules.orders.enums import OrderStatus
from app.modules.orders.events import OrderRefunded, UnitsReturned
from app.modules.orders.exceptions import OrderInputError, QuantityError
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.models.refund import Refund, RefundLine
from app.modules.orders.services.exception_service import ignored_lines
from app.modules.orders.services.line_amounts import refund_cents, refund_vat, spent_cents
from app.modules.orders.services.state_service import TRANSITIONS, lines_of, lock_order, move, note

_MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class _Part:
    line: OrderLine
    quantity: int
    gross_cents: int
    vat_cents: int


def refund(session: Session, order_id: UUID, lines: Sequence[RefundOf], terms: RefundTerms, by: By) -> Refund:
    """Give money back for parts of an order, shipping included; all of it together never exceeds what was ordered.

    ``terms.is_restocked`` also puts the goods back into stock, which must have been sent. An order that is shipped,
    delivered or cancelled is refunded once everything was given back. Raises QuantityError, OrderInputError.
    """
    reason = terms.reason.strip()
    if not 0 < len(reason) <= _MAX_REASON:
        raise OrderInputError("reason", "reason", most=_MAX_REASON)
    order = lock_order(session, order_id)
    parts = _parts(lines_of(session, order_id), lines)
    row = _write(session, order, parts, terms, by)
    spent = 0
    for part in parts:
        paid = spent_cents(part.line)
        part.line.refunded_quantity += part.quantity
        part.line.refunded_cents += part.gross_cents
        spent += spent_cents(part.line) - paid
    order.refunded_cents += row.gross_cents
    if terms.is_restocked:
        _put_back(session, order, row.number, [(part.line, part.quantity) for part in parts if part.quantity])
    if order.customer_id is not None and spent:
        record_order(session, order.customer_id, orders=0, spent_cents=spent, at=order.placed_at)
    note(session, order, "refunded_part", by, refund_id=str(row.id), gross_cents=row.gross_cents)
    is_all = order.refunded_cents == order.total_cents
    if is_all and OrderStatus.REFUNDED in TRANSITIONS[OrderStatus(order.status)]:
        move(session, order, OrderStatus.REFUNDED, by)
    event = OrderRefunded(order.id, row.id)
    publish(session, event, vendor_id=order.vendor_id, aggregate=str(order.id))
    return row


def receive_return(session: Session, order_id: UUID, lines: Sequence[tuple[UUID, int]], by: By) -> Order:
    """Take goods back that were sent, and put them into stock; money goes back by a refund. Raises QuantityError."""
    order = lock_order(session, order_id)
    by_id = {line.id: line for line in lines_of(session, order_id)}
    chosen = [(by_id[line_id], quantity) for line_id, quantity in lines if line_id in by_id and quantity]
    if not chosen:
        raise OrderInputError("lines", "nothing_returned")
    _put_back(session, order, order.number, chosen)
    said = [{"line_id": str(line.id), "quantity": quantity} for line, quantity in chosen]
    note(session, order, "returned", by, lines=said)
    return order


def _parts(lines: Sequence[OrderLine], wanted: Sequence[RefundOf]) -> list[_Part]:
    by_id = {line.id: line for line in lines}
    parts: list[_Part] = []
    for place, one in enumerate(wanted):
        line = by_id.get(one.line_id)
        if line is None or any(one.line_id == part.line.id for part in parts):
            raise OrderInputError(f"lines/{place}/line_id", "unknown_line")
        left = line.quantity - line.refunded_quantity
        if not 0 <= one.quantity <= left:
            raise QuantityError(sku=line.sku or line.title, left=left)
        gross = refund_cents(line, one.quantity) if one.gross_cents is None else one.gross_cents
        if not 0 <= gross <= line.gross_cents - line.refunded_cents:
            most = line.gross_cents - line.refunded_cents
            raise OrderInputError(f"lines/{place}/gross_cents", "refund_amount", most=most)
        if gross or one.quantity:
            parts.append(_Part(line, one.quantity, gross, refund_vat(line, gross)))
    if not sum(part.gross_cents for part in parts):
        raise OrderInputError("lines", "nothing_to_refund")
    return parts


def _write(session: Session, order: Order, parts: Sequence[_Part], terms: RefundTerms, by: By) -> Refund:
    made = session.scalar(select(func.count()).where(Refund.order_id == order.id)) or 0
    row = Refund(
        vendor_id=order.vendor_id,
        order_id=order.id,
        number=f"{order.number}-R{made + 1}",
        reason=terms.reason.strip(),
        method=terms.method,
        is_restocked=terms.is_restocked,
        gross_cents=sum(part.gross_cents for part in parts),
        vat_cents=sum(part.vat_cents for part in parts),
        source=by.source,
        user_id=by.user_id,
    )
    session.add(row)
    session.flush()
    session.add_all(
        RefundLine(
            vendor_id=order.vendor_id,
            refund_id=row.id,
            line_id=part.line.id,
            quantity=part.quantity,
            gross_cents=part.gross_cents,
            vat_cents=part.vat_cents,
        )
        for part in parts
    )
    return row


def _put_back(
    session: Session, order: Order, reference: str, chosen: Sequence[tuple[OrderLine, int]]
) -> None:
    """Raises QuantityError for more than was sent and has not come back."""
    for line, quantity in chosen:
        left = line.shipped_quantity - line.returned_quantity
        if not 0 < quantity <= left:
            raise QuantityError(sku=line.sku or line.title, left=left)
        line.returned_quantity += quantity
    stock = STOCK.find_for(order.vendor_id)
    unmoved = ignored_lines(session, order.id)
    returned = [
        (line.id, line.product_id, quantity)
        for line, quantity in chosen
        if line.product_id and line.id not in unmoved
    ]
    if stock is not None and returned:
        stock.restock(session, order.id, reference, returned)
    publish(session, UnitsReturned(order.id), vendor_id=order.vendor_id, aggregate=str(order.id))
