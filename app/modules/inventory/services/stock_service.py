"""What orders hold of the stock: reserved, given back, shipped, returned.

Plain types only: this answers the question of a module that it does not know.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.inventory.contracts import Wanted
from app.modules.inventory.models.level import Level, Reservation, Warehouse
from app.modules.inventory.services import stock_sql
from app.modules.inventory.services.change_service import Told, note_changes, vendor_of

Units = Sequence[tuple[UUID, int]]


class Stock:
    """Implements ``orders.stock_reservation``, in the scope of the vendor.

    A product is tracked once something is known of it at some place; the others are neither reserved nor short.
    """

    @staticmethod
    def reserve(
        session: Session,
        order_id: UUID,
        reference: str,
        wanted: Wanted,
        *,
        waits: bool = True,
        user_id: UUID | None = None,
    ) -> dict[UUID, int]:
        """Hold (line, product, units) for an order, all or nothing. Gives what is free of each product of which there
        is too little; nothing, when all is held. A line that is held already stays as it is.

        ``waits``: an order that is short is kept, and gets the stock that comes; else it is refused the quick way.
        """
        lines: dict[UUID, tuple[UUID, int]] = {}
        for line_id, product_id, quantity in wanted:
            if quantity > 0:
                lines[line_id] = (product_id, quantity)
        if not lines:
            return {}
        values = {
            "vendor_id": vendor_of(session),
            "order_id": order_id,
            "reference": reference,
            "lines": stock_sql.array(lines),
            "products": stock_sql.array(product_id for product_id, _ in lines.values()),
            "quantities": stock_sql.array(quantity for _, quantity in lines.values()),
            "waits": waits,
            "user_id": user_id,
            "now": clock.now(),
        }
        rows = stock_sql.run(session, stock_sql.RESERVE, values).all()
        note_changes(session, [Told.of(row) for row in rows if not row.is_short], is_more=False)
        return {row.product_id: row.available for row in rows if row.is_short}

    @staticmethod
    def release(
        session: Session, order_id: UUID, lines: Units | None = None, *, user_id: UUID | None = None
    ) -> None:
        """Give back so many units of these lines, or all that the order still holds."""
        _act(session, stock_sql.RELEASE, order_id, None, lines, user_id)

    @staticmethod
    def fulfil(
        session: Session, order_id: UUID, reference: str, shipped: Units, *, user_id: UUID | None = None
    ) -> None:
        """Take so many units of these lines off the shelf, as far as they are held."""
        _act(session, stock_sql.FULFIL, order_id, reference, shipped, user_id)

    @staticmethod
    def restock(
        session: Session, order_id: UUID, reference: str, returned: Wanted, *, user_id: UUID | None = None
    ) -> None:
        """Put so many units of these lines back to where they were taken from, as far as they were."""
        units = [(line_id, quantity) for line_id, _, quantity in returned]
        _act(session, stock_sql.RESTOCK, order_id, reference, units, user_id)

    @staticmethod
    def available(session: Session, product_ids: Sequence[UUID]) -> dict[UUID, int]:
        """What can still be promised of each product that is tracked."""
        found = (
            select(Level.product_id, func.sum(Level.on_hand - Level.reserved))
            .where(Level.product_id.in_(product_ids))
            .group_by(Level.product_id)
        )
        return {product_id: int(free) for product_id, free in session.execute(found)}

    @staticmethod
    def places(session: Session, order_ids: Sequence[UUID]) -> list[tuple[UUID, UUID, str, str, int]]:
        """Where what orders still hold lies: order, line, code of the warehouse, bin, units; in the order of a walk
        through the warehouses."""
        held = Reservation.quantity - Reservation.fulfilled - Reservation.released
        found = (
            select(Reservation.order_id, Reservation.line_id, Warehouse.code, Reservation.bin_location, held)
            .join(Warehouse, Warehouse.id == Reservation.warehouse_id)
            .where(Reservation.order_id.in_(order_ids), held > 0)
            .order_by(Warehouse.priority, Warehouse.code, Reservation.bin_location, Reservation.id)
        )
        return [row.tuple() for row in session.execute(found)]


def _act(
    session: Session,
    statement: str,
    order_id: UUID,
    reference: str | None,
    lines: Units | None,
    user_id: UUID | None,
) -> None:
    units: dict[UUID, int] = defaultdict(int)
    for line_id, quantity in lines or ():
        units[line_id] += max(quantity, 0)
    values: dict[str, Any] = {
        "vendor_id": vendor_of(session),
        "order_id": order_id,
        "reference": reference,
        "lines": stock_sql.array(units),
        "quantities": stock_sql.array(units.values()),
        "is_all": lines is None,
        "user_id": user_id,
        "now": clock.now(),
    }
    is_more = statement is not stock_sql.FULFIL
    note_changes(session, map(Told.of, stock_sql.run(session, statement, values)), is_more=is_more)
