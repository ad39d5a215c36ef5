"""Open exceptions as people work on them: what one answer puts right stands together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.modules.orders.enums import ExceptionStatus
from app.modules.orders.models.exception import OrderException
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.services import order_reads

MOST_GROUPS = 50
_MOST_ORDERS = 5


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order of a group: its number, and until when it is to be confirmed."""

    order_id: UUID
    number: str
    confirm_before: datetime | None


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that wait for the same answer. ``first`` is the exception that the answer is given to."""

    first: OrderException
    line: OrderLine
    currency: str
    count: int
    orders: tuple[Waiting, ...]

    @property
    def candidates(self) -> Sequence[dict[str, Any]]:
        """What it could be, each with the reason."""
        return self.first.candidates


def list_groups(
    session: Session, query: str = "", condition: ColumnElement[bool] | None = None
) -> list[Group]:
    """The groups with the most urgent first, at most ``MOST_GROUPS``. ``query``: words of the orders they are in."""
    key = func.coalesce(
        OrderException.match_value, func.cast(OrderException.id, OrderException.match_value.type)
    )
    grouped = (
        select(
            func.count().label("lines"),
            func.array_agg(OrderException.id).label("ids"),
            func.min(Order.confirm_before).label("deadline"),
            func.min(OrderException.created_at).label("since"),
        )
        .join(Order, Order.id == OrderException.order_id)
        .where(OrderException.status == ExceptionStatus.PENDING)
        .group_by(OrderException.kind, OrderException.match_kind, key)
        .order_by(func.min(Order.confirm_before).nulls_last(), func.min(OrderException.created_at))
        .limit(MOST_GROUPS)
    )
    if query.strip():
        grouped = grouped.where(order_reads.matching(query))
    if condition is not None:
        grouped = grouped.where(condition)
    rows = session.execute(grouped).all()
    firsts = {row.ids[0]: row for row in rows}
    details = {
        row.OrderException.id: row
        for row in session.execute(
            select(OrderException, OrderLine, Order.currency)
            .join(OrderLine, OrderLine.id == OrderException.line_id)
            .join(Order, Order.id == OrderException.order_id)
            .where(OrderException.id.in_(firsts))
        )
    }
    waiting = _orders(session, [key for row in rows for key in row.ids[:_MOST_ORDERS]])
    return [
        Group(
            details[first].OrderException,
            details[first].OrderLine,
            details[first].currency,
            row.lines,
            tuple(waiting[one] for one in row.ids[:_MOST_ORDERS] if one in waiting),
        )
        for first, row in firsts.items()
    ]


def _orders(session: Session, exception_ids: Sequence[UUID]) -> dict[UUID, Waiting]:
    found = session.execute(
        select(OrderException.id, Order.id, Order.number, Order.confirm_before)
        .join(Order, Order.id == OrderException.order_id)
        .where(OrderException.id.in_(exception_ids))
    )
    return {row[0]: Waiting(row[1], row[2], row[3]) for row in found}


def same_answer(session: Session, exception_id: UUID) -> list[UUID]:
    """An open exception and those that the same answer puts right."""
    one = session.get(OrderException, exception_id)
    if one is None or one.match_value is None:
        return [exception_id]
    return list(
        session.scalars(
            select(OrderException.id)
            .where(
                OrderException.status == ExceptionStatus.PENDING,
                OrderException.kind == one.kind,
                OrderException.match_kind == one.match_kind,
                OrderException.match_value == one.match_value,
            )
            .order_by(OrderException.order_id, OrderException.id)
            .limit(500)
        )
    )
