"""What lists of orders are narrowed by, the vendor's and the operator's."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.orders.enums import HeldFor, OrderStatus
from app.modules.orders.models.order import Order
from app.modules.pages import PageContext

_LATEST = 1000
STATUS_TONES: Mapping[str, str] = {
    OrderStatus.PENDING: "warning",
    OrderStatus.PROCESSING: "info",
    OrderStatus.PARTIALLY_SHIPPED: "info",
    OrderStatus.SHIPPED: "success",
    OrderStatus.DELIVERED: "success",
    OrderStatus.CANCELLED: "neutral",
    OrderStatus.REFUNDED: "neutral",
}


def needs(values: Sequence[str]) -> ColumnElement[bool]:
    """Orders that wait for one of these: an exception to be put right, a larger plan, a word about a blocked
    buyer, a late answer, or a payment."""
    conditions = {
        "exception": Order.pending_exceptions > 0,
        "plan": Order.held_for == HeldFor.PLAN,
        "buyer": Order.held_for == HeldFor.BUYER,
        "late": (Order.status == OrderStatus.PENDING) & (Order.confirm_before < clock.now()),
        "payment": Order.paid_at.is_(None) & (Order.status != OrderStatus.CANCELLED),
    }
    return or_(false(), *(conditions[value] for value in values if value in conditions))


def channel_options(ctx: PageContext) -> list[tuple[str, str]]:
    """The channels that the latest orders came by, as they are called."""
    latest = select(Order.channel).order_by(Order.placed_at.desc(), Order.id.desc()).limit(_LATEST).subquery()
    found = ctx.session.scalars(select(latest.c.channel).distinct().order_by(latest.c.channel))
    return [(name, name) for name in found]


def placed_since(chosen: Sequence[str]) -> ColumnElement[bool]:
    """Placed on that day (UTC) or later."""
    return Order.placed_at >= _day(chosen[0], 0)


def placed_until(chosen: Sequence[str]) -> ColumnElement[bool]:
    """Placed on that day (UTC) or earlier."""
    return Order.placed_at < _day(chosen[0], 1)


def waiting_ids(session: Session, status: OrderStatus, limit: int) -> list[UUID]:
    """Orders of one status, the oldest first."""
    statement = (
        select(Order.id).where(Order.status == status).order_by(Order.placed_at, Order.id).limit(limit)
    )
    return list(session.scalars(statement))


def _day(text: str, later_days: int) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=later_days)
