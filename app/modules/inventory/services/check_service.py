"""Comparing the counters with the ledger, and putting them right."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock

# A counter is the sum of its changes, and the last line of the ledger says the same. What is held open for orders is
# what is reserved.
_DIFFERENCES = """
    SELECT i.id, i.product_id, i.warehouse_id, w.code AS warehouse, i.bin_location, i.on_hand, i.reserved,
           coalesce(m.on_hand, 0)::bigint AS ledger_on_hand, coalesce(m.reserved, 0)::bigint AS ledger_reserved,
           coalesce(r.held, 0)::bigint AS held, i.version - 1 AS changes, coalesce(m.lines, 0) AS lines
    FROM inventory i
    JOIN warehouses w ON w.vendor_id = i.vendor_id AND w.id = i.warehouse_id
    LEFT JOIN (
        SELECT product_id, warehouse_id, bin_location, sum(on_hand_change) AS on_hand,
               sum(reserved_change) AS reserved, count(*) AS lines
        FROM stock_movements GROUP BY 1, 2, 3
    ) m USING (product_id, warehouse_id, bin_location)
    LEFT JOIN (
        SELECT product_id, warehouse_id, bin_location, sum(quantity - fulfilled - released) AS held
        FROM stock_reservations GROUP BY 1, 2, 3
    ) r USING (product_id, warehouse_id, bin_location)
    WHERE i.on_hand <> coalesce(m.on_hand, 0) OR i.reserved <> coalesce(m.reserved, 0)
       OR i.reserved <> coalesce(r.held, 0) OR i.version - 1 <> coalesce(m.lines, 0)
    ORDER BY i.product_id, i.id
"""
_FIND = text(_DIFFERENCES)
_LOCK = text("SELECT FROM inventory WHERE id = ANY (:ids) ORDER BY product_id, id FOR UPDATE")
_REPAIR = text(
    "UPDATE inventory SET on_hand = :on_hand, reserved = :reserved, version = :version, updated_at = :now "
    "WHERE id = :id"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A place whose counters are not what the ledger says. ``held``: what reservations of orders sum up to."""

    level_id: UUID
    product_id: UUID
    warehouse: str
    bin_location: str
    on_hand: int
    reserved: int
    ledger_on_hand: int
    ledger_reserved: int
    held: int
    lines: int
    changes: int

    @property
    def is_repairable(self) -> bool:
        """Whether ledger and reservations agree, so that the counters can follow them."""
        return self.ledger_reserved == self.held and 0 <= self.ledger_reserved <= self.ledger_on_hand


def list_differences(session: Session) -> list[Difference]:
    """The vendor's places whose counters, ledger and reservations do not agree."""
    return [
        Difference(
            row.id,
            row.product_id,
            row.warehouse,
            row.bin_location,
            row.on_hand,
            row.reserved,
            row.ledger_on_hand,
            row.ledger_reserved,
            row.held,
            row.lines,
            row.changes,
        )
        for row in session.execute(_FIND)
    ]


def repair(session: Session) -> list[Difference]:
    """Make the counters what the ledger says, where it agrees with the reservations; what was found before."""
    suspects = [one.level_id for one in list_differences(session)]
    if not suspects:
        return []
    session.execute(_LOCK, {"ids": suspects})
    found = list_differences(session)  # nobody changes them any more
    for one in found:
        if one.is_repairable:
            values = {"id": one.level_id, "on_hand": one.ledger_on_hand, "reserved": one.ledger_reserved}
            session.execute(_REPAIR, {**values, "version": one.lines + 1, "now": clock.now()})
    return found
