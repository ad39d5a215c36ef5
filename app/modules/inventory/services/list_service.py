"""The rows of lists, for pages and programs."""

from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, func, not_, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.modules.catalog import facade as catalog
from app.modules.inventory.models.level import Level, Movement, Warehouse
from app.modules.inventory.models.planning import (
    IncomingStock,
    StockAlert,
    StockCount,
    StockCountLine,
    StockRule,
)
from app.modules.inventory.services.rule_service import kept_back_of, low_level_of
from app.modules.tenancy import facade as tenancy

SKU, MOVEMENT_SKU = catalog.sku_of(Level.product_id), catalog.sku_of(Movement.product_id)
FREE = Level.on_hand - Level.reserved
VENDORS = tenancy.vendor_names()
_STALE = timedelta(days=90)


def _products(state: str) -> Any:
    """Ids of the tracked products that are out, or low but not out: one look at all places, for filters."""
    own, everybody = aliased(StockRule), aliased(StockRule)
    usual = select(everybody.low_stock_level).where(
        everybody.product_id.is_(None), everybody.channel.is_(None)
    )
    free = func.sum(FREE)
    is_low = and_(free > 0, free <= func.coalesce(func.max(own.low_stock_level), usual.scalar_subquery()))
    return (
        select(Level.product_id)
        .outerjoin(own, and_(own.product_id == Level.product_id, own.channel.is_(None)))
        .group_by(Level.product_id)
        .having(free <= 0 if state == "out" else is_low)
    )


def states(chosen: Sequence[str], product_id: Any) -> ColumnElement[bool]:
    """Products in one of the states out, low and ok, over all places."""
    out, low = product_id.in_(_products("out")), product_id.in_(_products("low"))
    found = {"out": out, "low": low, "ok": and_(not_(low), not_(out))}
    return or_(*(found[one] for one in chosen if one in found))


def _state_of(product_id: Any) -> Any:
    """The same of the products of a page."""
    one = aliased(Level)
    total = select(func.sum(one.on_hand - one.reserved)).where(one.product_id == product_id)
    free = total.correlate_except(one).scalar_subquery()
    return case((free <= 0, "out"), (free <= low_level_of(product_id), "low"), else_="ok")


def select_levels(_session: Session, language: str) -> Any:
    """Every place of every tracked product."""
    return select(
        Level.id,
        Level.product_id,
        SKU.label("sku"),
        func.coalesce(catalog.title_of(Level.product_id, language), SKU).label("title"),
        Warehouse.code.label("warehouse"),
        Level.warehouse_id,
        Level.bin_location,
        Level.on_hand,
        Level.reserved,
        FREE.label("available"),
        low_level_of(Level.product_id).label("low_stock_level"),
        kept_back_of(Level.product_id).label("kept_back"),
        _state_of(Level.product_id).label("state"),
        Level.updated_at,
    ).join(Warehouse, Warehouse.id == Level.warehouse_id)


def matching_levels(words: str) -> ColumnElement[bool]:
    """Of products that the words find, or at a place with that name."""
    place = Level.bin_location.istartswith(words, autoescape=True)
    return or_(catalog.is_found(Level.product_id, words), and_(place, Level.bin_location != ""))


def places_to_count(
    session: Session,
    language: str,
    words: str,
    warehouse_id: UUID | None,
    *,
    after: UUID | None = None,
    limit: int,
) -> Sequence[Any]:
    """The first places that the words find, in the order of a walk through the warehouses; those after a place."""
    statement = select_levels(session, language)
    if words:
        statement = statement.where(matching_levels(words))
    if warehouse_id is not None:
        statement = statement.where(Level.warehouse_id == warehouse_id)
    order = (Warehouse.priority, Warehouse.code, Level.bin_location, SKU, Level.id)
    last = (
        session.execute(
            select(*order).join(Warehouse, Warehouse.id == Level.warehouse_id).where(Level.id == after)
        ).one_or_none()
        if after
        else None
    )
    if last is not None:
        statement = statement.where(tuple_(*order) > tuple_(*last))
    return session.execute(statement.order_by(*order).limit(limit)).all()


def places_of(session: Session, level_ids: Sequence[UUID]) -> dict[UUID, tuple[str, str, str]]:
    """SKU, warehouse and bin location of places, by id."""
    statement = select(Level.id, SKU, Warehouse.code, Level.bin_location)
    found = statement.join(Warehouse, Warehouse.id == Level.warehouse_id).where(Level.id.in_(level_ids))
    return {key: (sku, code, place) for key, sku, code, place in session.execute(found)}


def select_movements(_session: Session, language: str) -> Any:
    """The lines of the ledger."""
    return select(
        Movement.id,
        Movement.product_id,
        Movement.at,
        MOVEMENT_SKU.label("sku"),
        catalog.title_of(Movement.product_id, language).label("title"),
        Warehouse.code.label("warehouse"),
        Movement.bin_location,
        Movement.kind,
        Movement.reason,
        Movement.on_hand_change,
        Movement.on_hand_after,
        Movement.reserved_change,
        Movement.reserved_after,
        (Movement.on_hand_after - Movement.reserved_after).label("available_after"),
        Movement.reference_type,
        Movement.reference_id,
        Movement.reference_label,
        Movement.note,
        Movement.user_id,
        Movement.sequence,
    ).join(Warehouse, Warehouse.id == Movement.warehouse_id)


def with_names(session: Session, rows: Sequence[Any]) -> Sequence[Any]:
    """Lines of the ledger with ``who``: the name of the person behind each."""
    names = tenancy.user_names(session, {row.user_id for row in rows if row.user_id})
    return [SimpleNamespace(**row._mapping, who=names.get(row.user_id)) for row in rows]


def select_counts(_session: Session, _language: str) -> Any:
    """Stock counts with the number of their lines."""
    lines = (
        select(func.count())
        .where(StockCountLine.count_id == StockCount.id)
        .correlate(StockCount)
        .scalar_subquery()
    )
    return select(
        StockCount.id,
        StockCount.name,
        StockCount.status,
        StockCount.created_at,
        StockCount.applied_at,
        lines.label("lines"),
    )


def select_incoming(_session: Session, language: str) -> Any:
    """Deliveries."""
    state = case((IncomingStock.closed_at.is_not(None), "closed"), else_="expected")
    return select(
        IncomingStock.id,
        catalog.sku_of(IncomingStock.product_id).label("sku"),
        catalog.title_of(IncomingStock.product_id, language).label("title"),
        Warehouse.code.label("warehouse"),
        IncomingStock.quantity,
        IncomingStock.received,
        (IncomingStock.quantity - IncomingStock.received).label("left"),
        IncomingStock.expected_on,
        IncomingStock.supplier,
        state.label("state"),
    ).join(Warehouse, Warehouse.id == IncomingStock.warehouse_id)


def select_warehouses(_session: Session, _language: str) -> Any:
    """Warehouses with what lies in them."""

    def of(column: Any) -> ScalarSelect[int]:
        found = select(func.coalesce(func.sum(column), 0)).where(Level.warehouse_id == Warehouse.id)
        return found.correlate(Warehouse).scalar_subquery()

    return select(
        Warehouse.id,
        Warehouse.code,
        Warehouse.name,
        Warehouse.priority,
        Warehouse.is_default,
        of(Level.on_hand).label("on_hand"),
        of(Level.reserved).label("reserved"),
        case((Warehouse.archived_at.is_not(None), "archived"), else_="used").label("state"),
    )


def select_vendors(_session: Session, _language: str) -> Any:
    """For the operator: each vendor's stock in a line. What is off would be a fault: it should be nought."""

    def of(model: Any, what: Any, *conditions: Any) -> ScalarSelect[Any]:
        found = select(what).where(model.vendor_id == VENDORS.c.id, *conditions)
        return found.correlate(VENDORS).scalar_subquery()

    products = of(Level, func.count(Level.product_id.distinct()))
    return select(
        VENDORS.c.id,
        VENDORS.c.code,
        VENDORS.c.name,
        products.label("products"),
        of(Level, func.coalesce(func.sum(Level.on_hand), 0)).label("on_hand"),
        of(Level, func.coalesce(func.sum(Level.reserved), 0)).label("reserved"),
        of(StockAlert, func.count(StockAlert.product_id)).label("low"),
        of(
            Level, func.count(), or_(Level.on_hand < 0, Level.reserved < 0, Level.reserved > Level.on_hand)
        ).label("wrong"),
        of(Level, func.count(), Level.updated_at < func.now() - _STALE).label("stale"),
        of(Level, func.max(Level.updated_at)).label("changed_at"),
    ).where(
        or_(
            select(Level.id).where(Level.vendor_id == VENDORS.c.id).correlate(VENDORS).exists(),
            select(StockRule.id).where(StockRule.vendor_id == VENDORS.c.id).correlate(VENDORS).exists(),
        )
    )


def count_low(session: Session) -> int:
    """How many tracked products are low or out."""
    counts = [select(func.count()).select_from(_products(state).subquery()) for state in ("low", "out")]
    return sum(session.scalar(count) or 0 for count in counts)


def product_places(session: Session, product_id: UUID) -> Sequence[Any]:
    """Where a product lies, in the order in which orders take it."""
    statement = select_levels(session, "en").where(Level.product_id == product_id)
    return session.execute(statement.order_by(Warehouse.priority, Warehouse.code, Level.bin_location)).all()


def recent_movements(session: Session, product_id: UUID, *, limit: int) -> Sequence[Any]:
    """The last lines of a product's ledger."""
    statement = select_movements(session, "en").where(Movement.product_id == product_id)
    rows = session.execute(statement.order_by(Movement.at.desc(), Movement.id.desc()).limit(limit)).all()
    return with_names(session, rows)
