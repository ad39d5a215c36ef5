"""Taking an answer to an exception back, while nothing of the line was sent or billed."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.orders.contracts import STOCK, By
from app.modules.orders.enums import ExceptionStatus, OrderStatus
from app.modules.orders.exceptions import OrderStateError
from app.modules.orders.models.document import Document
from app.modules.orders.models.exception import OrderException, ProductMatch
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.services.exception_service import close_for_lines, lock_exception
from app.modules.orders.services.order_reads import matching
from app.modules.orders.services.price_service import set_tax
from app.modules.orders.services.shipment_service import prepared_quantities
from app.modules.orders.services.state_service import note, open_quantity

_SHOWN = 20
_OPEN = (OrderStatus.PENDING, OrderStatus.PROCESSING)


@dataclass(frozen=True, slots=True)
class Answered:
    """An exception that was answered and can be asked again. ``sku``: of the product that was chosen."""

    exception: OrderException
    title: str
    sku: str | None
    order_id: UUID
    order_number: str


def undo_answer(session: Session, exception_id: UUID, by: By) -> Order:
    """Open an exception again: the line is without product and stock as before, and the memory of the answer goes.

    A confirmed order is not sent until it is answered anew. Raises OrderStateError once something of the line was sent
    or put aside for that, the order was invoiced, or there was no answer but time.
    """
    order, row = lock_exception(session, exception_id)
    line = session.get_one(OrderLine, row.line_id)
    _check(session, order, row, line)
    close_for_lines(session, order, [line.id], by)  # what came of the answer, such as too little stock
    if row.status == ExceptionStatus.RESOLVED:
        _take_product(session, order, row, line)
    row.status, row.resolved_at, row.user_id, row.undone_at = ExceptionStatus.PENDING, None, None, clock.now()
    order.pending_exceptions += 1
    note(session, order, "exception_undone", by, line_id=str(line.id), exception=row.kind)
    session.flush()
    return order


def list_answered(session: Session, query: str = "") -> Sequence[Answered]:
    """The last answers that can still be taken back; ``query``: words of the orders they are in."""
    statement = (
        select(OrderException, OrderLine.title, OrderLine.sku, Order.id, Order.number)
        .join(OrderLine, OrderLine.id == OrderException.line_id)
        .join(Order, Order.id == OrderException.order_id)
        .where(Order.status.in_(_OPEN), OrderLine.shipped_quantity == 0)
        .where(OrderLine.cancelled_quantity < OrderLine.quantity)
        .where(
            (OrderException.status == ExceptionStatus.IGNORED)
            | (OrderException.status == ExceptionStatus.RESOLVED) & OrderException.former.is_not(None)
        )
        .where(~exists().where(Document.order_id == Order.id, Document.status == "issued"))
        .order_by(OrderException.resolved_at.desc())
        .limit(_SHOWN)
    )
    if query.strip():
        statement = statement.where(matching(query))
    return [
        Answered(row, title, sku if row.product_id else None, order_id, number)
        for row, title, sku, order_id, number in session.execute(statement)
    ]


def _check(session: Session, order: Order, row: OrderException, line: OrderLine) -> None:
    is_answered = row.status == ExceptionStatus.IGNORED or (
        row.status == ExceptionStatus.RESOLVED and row.former is not None
    )
    is_whole = line.shipped_quantity == 0 and open_quantity(line) > 0
    if not (order.status in _OPEN and is_answered and is_whole):
        raise OrderStateError("Too late to undo.", status=order.status, action="undo")
    if prepared_quantities(session, order.id).get(line.id):
        raise OrderStateError("A shipment is prepared.", status="prepared", action="undo")
    invoiced = select(Document.id).where(Document.order_id == order.id, Document.status == "issued").limit(1)
    if session.scalar(invoiced) is not None:
        raise OrderStateError("The order is invoiced.", status="invoiced", action="undo")


def _take_product(session: Session, order: Order, row: OrderException, line: OrderLine) -> None:
    assert row.former is not None
    stock = STOCK.find_for(order.vendor_id)
    if stock is not None:
        stock.release(session, order.id, [(line.id, open_quantity(line))])
    session.execute(
        delete(ProductMatch).where(
            ProductMatch.kind == row.match_kind,
            ProductMatch.value == row.match_value,
            ProductMatch.product_id == row.product_id,
        )
    )
    former = row.former
    set_tax(order, line, former["tax_class"], former["tax_rate_bp"], former["tax_category"])
    line.product_id, line.sku, line.image_link = None, former["sku"], former["image_link"]
    row.product_id, row.former = None, None
