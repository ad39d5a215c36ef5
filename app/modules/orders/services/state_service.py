"""Which status of an order follows which, and the record of everything that happens to one."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.orders.contracts import By
from app.modules.orders.enums import HeldFor, LineKind, OrderStatus
from app.modules.orders.exceptions import (
    BuyerBlockedError,
    OrderHeldError,
    OrderNotFoundError,
    OrderStateError,
)
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.models.trail import OrderHistory

TRANSITIONS: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: frozenset({OrderStatus.PROCESSING, OrderStatus.CANCELLED}),
    OrderStatus.PROCESSING: frozenset(
        {OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED, OrderStatus.CANCELLED}
    ),
    OrderStatus.PARTIALLY_SHIPPED: frozenset({OrderStatus.SHIPPED}),
    OrderStatus.SHIPPED: frozenset({OrderStatus.DELIVERED, OrderStatus.REFUNDED}),
    OrderStatus.DELIVERED: frozenset({OrderStatus.REFUNDED}),
    OrderStatus.CANCELLED: frozenset({OrderStatus.REFUNDED}),
    OrderStatus.REFUNDED: frozenset(),
}
_STAMPS = {
    OrderStatus.PROCESSING: "confirmed_at",
    OrderStatus.SHIPPED: "shipped_at",
    OrderStatus.DELIVERED: "delivered_at",
    OrderStatus.CANCELLED: "cancelled_at",
}


def lock_order(session: Session, order_id: UUID) -> Order:
    """The order as it is now and stays until the transaction ends. Raises OrderNotFoundError."""
    statement = select(Order).where(Order.id == order_id).with_for_update()
    order = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if order is None:
        raise OrderNotFoundError
    return order


def lines_of(session: Session, order_id: UUID) -> list[OrderLine]:
    """The lines of an order in their order, as they are now."""
    statement = select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def goods_of(lines: Iterable[OrderLine]) -> list[OrderLine]:
    """The lines that are things, not shipping."""
    return [line for line in lines if line.kind == LineKind.PRODUCT]


def open_quantity(line: OrderLine) -> int:
    """How many of a line are neither cancelled nor shipped."""
    return line.quantity - line.cancelled_quantity - line.shipped_quantity


def check_status(order: Order, action: str, *allowed: OrderStatus) -> None:
    """Raise OrderStateError unless the order is in one of the statuses."""
    if order.status not in allowed:
        raise OrderStateError(
            f"{action} of an order that is {order.status}.", status=order.status, action=action
        )


def check_free(order: Order) -> None:
    """Raise OrderHeldError while the plan holds the order, BuyerBlockedError while its buyer does."""
    if order.held_for == HeldFor.BUYER:
        raise BuyerBlockedError
    if order.held_for is not None:
        raise OrderHeldError(number=order.number)


def move(session: Session, order: Order, to: OrderStatus, by: By, **data: Any) -> None:
    """Put the order into another status, with its time and its row of history. Raises OrderStateError."""
    former = OrderStatus(order.status)
    if to not in TRANSITIONS[former]:
        raise OrderStateError(f"{former} is not followed by {to}.", status=former, action=to)
    order.status = to
    if to in _STAMPS:
        setattr(order, _STAMPS[to], clock.now())
    _add(session, order, to, by, (former, to), data)


def note(session: Session, order: Order, kind: str, by: By, **data: Any) -> None:
    """Record something that leaves the status as it is. ``data`` holds ids, codes and amounts, nothing of a person."""
    _add(session, order, kind, by, (None, None), data)


def _add(
    session: Session,
    order: Order,
    kind: str,
    by: By,
    statuses: tuple[OrderStatus | None, OrderStatus | None],
    data: dict[str, Any],
) -> None:
    session.add(
        OrderHistory(
            vendor_id=order.vendor_id,
            order_id=order.id,
            kind=kind,
            from_status=statuses[0],
            to_status=statuses[1],
            source=by.source,
            user_id=by.user_id,
            data=data,
        )
    )


def settle(session: Session, order: Order, goods: Iterable[OrderLine], by: By, **data: Any) -> None:
    """Move the order to the status that its lines have reached, if that is another."""
    listed = list(goods)
    waiting = sum(map(open_quantity, listed))
    shipped = sum(line.shipped_quantity for line in listed)
    reached = OrderStatus(order.status)
    if not waiting:
        reached = OrderStatus.SHIPPED if shipped else OrderStatus.CANCELLED
    elif shipped:
        reached = OrderStatus.PARTIALLY_SHIPPED
    if reached != order.status:
        move(session, order, reached, by, **data)
