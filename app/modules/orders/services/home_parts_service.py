"""What orders put on home pages, on a customer's page and into a record's history."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.i18n import format_money, ntranslate
from app.core.ids import from_public, to_public
from app.modules.core.contracts import Tile, WorkItem
from app.modules.orders.enums import HeldFor, OrderStatus
from app.modules.orders.models.order import Order
from app.modules.orders.models.trail import OrderHistory
from app.modules.orders.services import order_reads, withdrawal_service
from app.modules.pagekit.details import Block, Fact
from app.modules.pagekit.points import TimelineEntry
from app.modules.pages import PageContext
from app.modules.tenancy.facade import user_names

_VIEW = "orders.orders.view"
_SHOWN = 10
_SAID = ("number", "reason", "sku")


def worklist(ctx: PageContext, session: Session) -> Sequence[WorkItem]:
    """What is to be confirmed, sent or put right; for the operator what waits over all vendors."""
    if _VIEW not in ctx.who.permissions:
        return ()
    is_pending = Order.status == OrderStatus.PENDING
    to_send = Order.status.in_([OrderStatus.PROCESSING, OrderStatus.PARTIALLY_SHIPPED])
    counts = session.execute(
        select(
            func.count().filter(is_pending).label("to_confirm"),
            func.count().filter(is_pending & (Order.confirm_before < clock.now())).label("late"),
            func.count().filter(to_send).label("to_ship"),
            func.count().filter(Order.pending_exceptions > 0).label("exceptions"),
            func.count().filter(Order.held_for == HeldFor.PLAN).label("held"),
            func.count().filter(Order.held_for == HeldFor.BUYER).label("blocked"),
        ).where(is_pending | to_send | (Order.pending_exceptions > 0) | Order.held_for.is_not(None))
    ).one()
    found = []
    for name, query, tone in (
        ("late", {"status": "pending"}, "danger"),
        ("to_confirm", {"status": "pending"}, "warning"),
        ("exceptions", {"needs": "exception"}, "warning"),
        ("held", {"needs": "plan"}, "danger"),
        ("blocked", {"needs": "buyer"}, "warning"),
        ("to_ship", {"status": "processing"}, "info"),
    ):
        count = getattr(counts, name)
        if count:
            text = ntranslate(ctx.language, f"orders.worklist.{name}", count)
            found.append(WorkItem(text, count, ctx.url(f"orders.{ctx.area}.orders", **query), tone))
    if ctx.area == "vendor" and (count := withdrawal_service.count_waiting(session)):
        text = ntranslate(ctx.language, "orders.worklist.withdrawals", count)
        found.append(WorkItem(text, count, ctx.url("orders.vendor.withdrawals", view="waiting"), "warning"))
    return found


def tiles(ctx: PageContext, session: Session) -> Sequence[Tile]:
    """Orders of today and of the last thirty days."""
    if _VIEW not in ctx.who.permissions:
        return ()
    today = clock.now() - timedelta(days=1)
    month = clock.now() - timedelta(days=30)
    row = session.execute(
        select(
            func.count().filter(Order.placed_at >= today).label("today"), func.count().label("month")
        ).where(Order.placed_at >= month)
    ).one()
    url = ctx.url(f"orders.{ctx.area}.orders")
    return (
        Tile(ctx.t("orders.tiles.today"), row.today, url),
        Tile(ctx.t("orders.tiles.month"), row.month, url),
    )


def blocks(ctx: PageContext, page_id: str, record_id: UUID) -> Sequence[Block]:
    """A customer's latest orders, on the customer's page."""
    if page_id != "customers.vendor.customer" or _VIEW not in ctx.who.permissions:
        return ()
    rows = ctx.session.execute(
        order_reads.select_orders()
        .where(Order.customer_id == record_id)
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(_SHOWN)
    )
    facts = [
        Fact(
            row.number,
            f"{format_money(ctx.language, row.total_cents, row.currency)} · {ctx.t(f'orders.status.{row.status}')}",
            url=ctx.url("orders.vendor.order", order_id=to_public(order_reads.PREFIX, row.id)),
        )
        for row in rows
    ]
    return (Block("orders", ctx.t("orders.pages.orders"), facts, order=10),) if facts else ()


def history(ctx: PageContext, target: str, limit: int) -> Sequence[TimelineEntry]:
    """What happened to an order, for its page."""
    key = from_public(order_reads.PREFIX, target)
    if key is None:
        return ()
    rows = ctx.session.scalars(
        select(OrderHistory).where(OrderHistory.order_id == key).order_by(OrderHistory.id.desc()).limit(limit)
    ).all()
    names = user_names(ctx.session, {row.user_id for row in rows if row.user_id})
    return [
        TimelineEntry(
            row.at,
            names.get(row.user_id) if row.user_id else ctx.t(f"orders.sources.{row.source}"),
            f"orders.history.{row.kind}",
            {ctx.t(f"orders.history.{name}"): row.data[name] for name in _SAID if row.data.get(name)},
        )
        for row in rows
    ]
