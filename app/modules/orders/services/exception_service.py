"""Lines that wait: put right by hand, for all orders at once, or by themselves when the catalogue has changed."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id
from app.modules.catalog.contracts import OrderedProduct
from app.modules.catalog.facade import find_ordered
from app.modules.events import publish
from app.modules.orders.contracts import BY_TASK, STOCK, By
from app.modules.orders.enums import ExceptionKind, ExceptionStatus
from app.modules.orders.events import ExceptionOpened
from app.modules.orders.exceptions import ExceptionNotFoundError, OrderInputError
from app.modules.orders.models.exception import OrderException, ProductMatch
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.services.match_service import match_lines
from app.modules.orders.services.price_service import retax
from app.modules.orders.services.state_service import lock_order, note, open_quantity

_LANGUAGE = "fr"  # only SKU and numbers of the product are used
_MAX_AT_ONCE = 500
FORMER = ("sku", "image_link", "tax_class", "tax_rate_bp", "tax_category")
"""What choosing a product changes of a line, and undoing that puts back."""


def resolve_exception(
    session: Session, exception_id: UUID, product_id: UUID, by: By, *, is_remembered: bool = False
) -> int:
    """Say which product a line means; returns how many lines that freed.

    ``is_remembered``: also for every other line that waits for the same GTIN or SKU, and for all that come. Raises
    ExceptionNotFoundError, OrderInputError for a product that the vendor does not have.
    """
    chosen = get_open(session, exception_id)
    product = next(iter(find_ordered(session, language=_LANGUAGE, ids=[product_id])), None)
    if product is None:
        raise OrderInputError("product_id", "unknown_product")
    rows: Sequence[OrderException] = [chosen]
    if is_remembered and chosen.match_kind and chosen.match_value:
        key = (chosen.match_kind, chosen.match_value)
        remember_match(session, chosen.vendor_id, key, product.id, by)
        rows = _pending(
            session,
            OrderException.match_kind == chosen.match_kind,
            OrderException.match_value == chosen.match_value,
            OrderException.kind != ExceptionKind.OUT_OF_STOCK,
        )
    return sum(_put_right(session, row.id, product, by) for row in rows)


def ignore_exception(session: Session, exception_id: UUID, by: By) -> Order:
    """Let a line be sent as it is: no stock moves for it."""
    order, row = lock_exception(session, exception_id)
    if row.status != ExceptionStatus.PENDING:
        raise ExceptionNotFoundError
    _close(session, order, row, ExceptionStatus.IGNORED, by)
    return order


def retry_exceptions(session: Session, condition: ColumnElement[bool] | None = None, by: By = BY_TASK) -> int:
    """Look again whether lines that wait have a product and stock now; returns how many were freed.

    ``condition`` says which exceptions; without it all of the vendor's, the oldest first and so many at most. A task
    leaves those to people whose answer was taken back.
    """
    conditions = [] if condition is None else [condition]
    if by == BY_TASK:
        is_short = OrderException.kind == ExceptionKind.OUT_OF_STOCK
        conditions.append(or_(is_short, OrderException.undone_at.is_(None)))
    rows = _pending(session, *conditions)
    lines = {
        line.id: line
        for line in session.scalars(select(OrderLine).where(OrderLine.id.in_([row.line_id for row in rows])))
    }
    asked = [row for row in rows if row.kind != ExceptionKind.OUT_OF_STOCK]
    matches = match_lines(session, [lines[row.line_id] for row in asked], _LANGUAGE)
    found = {row.id: match.product for row, match in zip(asked, matches, strict=True)}
    freed = 0
    for row in rows:
        product = found.get(row.id)
        if product is not None:
            freed += _put_right(session, row.id, product, by)
        elif row.kind == ExceptionKind.OUT_OF_STOCK:
            freed += _reserve_again(session, row.id, by)
    return freed


def retry_exception(session: Session, exception_id: UUID, by: By) -> int:
    """The same for one exception. Raises ExceptionNotFoundError."""
    row = get_open(session, exception_id)
    return retry_exceptions(session, OrderException.id == row.id, by)


def retry_for_product(session: Session, product_id: UUID) -> int:
    """The same for the lines that a product, which has changed, may be meant by."""
    product = next(iter(find_ordered(session, language=_LANGUAGE, ids=[product_id])), None)
    if product is None:
        return 0
    named = [value for value in (product.sku, product.gtin) if value]
    is_candidate = OrderException.candidates.contains([{"product_id": str(product.id)}])
    return retry_exceptions(session, or_(OrderException.match_value.in_(named), is_candidate))


def vendors_with_exceptions(session: Session) -> list[UUID]:
    """The vendors that have lines which wait; for the operator's scope."""
    waiting = select(OrderException.vendor_id).where(OrderException.status == ExceptionStatus.PENDING)
    return list(session.scalars(waiting.distinct()))


def close_for_lines(session: Session, order: Order, line_ids: Collection[UUID], by: By) -> None:
    """Close what is open of lines that will not be sent."""
    for row in _pending(session, OrderException.line_id.in_(line_ids)):
        _close(session, order, row, ExceptionStatus.RESOLVED, by)


def ignored_lines(session: Session, order_id: UUID) -> set[UUID]:
    """The lines of an order that are sent without a movement of stock."""
    statement = select(OrderException.line_id).where(
        OrderException.order_id == order_id, OrderException.status == ExceptionStatus.IGNORED
    )
    return set(session.scalars(statement))


def remember_match(session: Session, vendor_id: UUID, key: tuple[str, str], product_id: UUID, by: By) -> None:
    """Take a GTIN or SKU (kind and value) for a product from now on."""
    now = clock.now()
    values = {"product_id": product_id, "user_id": by.user_id, "updated_at": now}
    insertion = upsert(ProductMatch).values(
        id=new_id(), vendor_id=vendor_id, kind=key[0], value=key[1], created_at=now, version=1, **values
    )
    keys = [ProductMatch.vendor_id, ProductMatch.kind, ProductMatch.value]
    changed = {**values, "version": ProductMatch.version + 1}
    session.execute(insertion.on_conflict_do_update(index_elements=keys, set_=changed))


def forget_match(session: Session, match_id: UUID) -> None:
    """No longer take a GTIN or SKU for what somebody once said. Nothing happens to orders."""
    row = session.get(ProductMatch, match_id)
    if row is None:
        raise ExceptionNotFoundError
    session.delete(row)


def _put_right(session: Session, exception_id: UUID, product: OrderedProduct, by: By) -> int:
    """Give the line its product, VAT and stock; 0 where somebody was quicker."""
    order, row = lock_exception(session, exception_id)
    if row.status != ExceptionStatus.PENDING:
        return 0
    line = session.get_one(OrderLine, row.line_id)
    row.former = {name: getattr(line, name) for name in FORMER}
    line.product_id, line.image_link = product.id, product.image_link
    line.sku = line.sku or product.sku
    retax(session, order, line, product)
    row.product_id = product.id
    _close(session, order, row, ExceptionStatus.RESOLVED, by)
    short = _reserve(session, order, line)
    if short is not None:
        _reopen(session, order, line, short, by)
        return 0
    return 1


def _reserve_again(session: Session, exception_id: UUID, by: By) -> int:
    order, row = lock_exception(session, exception_id)
    line = session.get_one(OrderLine, row.line_id)
    if row.status != ExceptionStatus.PENDING:
        return 0
    short = _reserve(session, order, line)
    if short is not None:
        row.available = short
        return 0
    _close(session, order, row, ExceptionStatus.RESOLVED, by)
    return 1


def _reserve(session: Session, order: Order, line: OrderLine) -> int | None:
    """Reserve what is still to be sent of a line; returns what there is where that is too little, else None."""
    stock = STOCK.find_for(order.vendor_id)
    if stock is None or line.product_id is None or not open_quantity(line):
        return None
    short = stock.reserve(session, order.id, order.number, [(line.id, line.product_id, open_quantity(line))])
    return short.get(line.product_id)


def _reopen(session: Session, order: Order, line: OrderLine, available: int, by: By) -> None:
    session.flush()
    row = OrderException(
        id=new_id(),
        vendor_id=order.vendor_id,
        order_id=order.id,
        line_id=line.id,
        kind=ExceptionKind.OUT_OF_STOCK,
        candidates=[],
        available=available,
    )
    session.add(row)
    order.pending_exceptions += 1
    note(session, order, "exception_opened", by, line_id=str(line.id), exception=row.kind)
    event = ExceptionOpened(order.id, row.id)
    publish(session, event, vendor_id=order.vendor_id, aggregate=str(order.id))


def _close(session: Session, order: Order, row: OrderException, status: ExceptionStatus, by: By) -> None:
    row.status, row.resolved_at, row.user_id = status, clock.now(), by.user_id
    order.pending_exceptions -= 1
    said = {"line_id": str(row.line_id), "exception": row.kind}
    if row.product_id:
        said["product_id"] = str(row.product_id)
    note(session, order, f"exception_{status}", by, **said)
    session.flush()


def _pending(session: Session, *conditions: ColumnElement[bool]) -> Sequence[OrderException]:
    """In the order in which orders are locked, so that nobody waits for each other in a circle."""
    statement = (
        select(OrderException)
        .where(OrderException.status == ExceptionStatus.PENDING, *conditions)
        .order_by(OrderException.order_id, OrderException.id)
        .limit(_MAX_AT_ONCE)
    )
    return session.scalars(statement).all()


def get_open(session: Session, exception_id: UUID) -> OrderException:
    """An exception that waits for an answer. Raises ExceptionNotFoundError."""
    row = session.get(OrderException, exception_id)
    if row is None or row.status != ExceptionStatus.PENDING:
        raise ExceptionNotFoundError
    return row


def lock_exception(session: Session, exception_id: UUID) -> tuple[Order, OrderException]:
    """An exception with its order, as both are now and stay. Raises ExceptionNotFoundError."""
    row = session.get(OrderException, exception_id)
    if row is None:
        raise ExceptionNotFoundError
    order = lock_order(session, row.order_id)
    session.refresh(row)
    return order, row
