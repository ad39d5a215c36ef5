"""How a product's stock came about, from the ledger."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.modules.catalog import facade as catalog
from app.modules.catalog.exceptions import ProductNotFoundError
from app.modules.inventory.models.level import Movement, Reservation, Warehouse
from app.modules.inventory.services import check_service, level_service
from app.modules.inventory.services import list_service as lists

_MOST_LINES = 10_000
_LEDGER = ("kind", "reason", "warehouse", "bin_location", "reference_label", "note", "who")
_CHANGES = ("sequence", "on_hand_change", "on_hand_after", "reserved_change", "reserved_after")


def explain(session: Session, sku: str) -> dict[str, Any]:
    """The figures of a product, its last 10,000 changes with the oldest first, what orders hold of it, and whether
    counters and ledger agree. Raises ProductNotFoundError."""
    product_id = catalog.find_product_id(session, sku)
    if product_id is None:
        raise ProductNotFoundError(f"The vendor has no product {sku!r}.")
    figures = level_service.get_figures(session, [product_id]).get(product_id)
    if figures is None:
        return {"sku": sku, "is_tracked": False}
    statement = lists.select_movements(session, "en").where(Movement.product_id == product_id)
    newest = statement.order_by(Movement.at.desc(), Movement.id.desc()).limit(_MOST_LINES)
    rows = lists.with_names(session, session.execute(newest).all())
    rows = sorted(rows, key=lambda row: (row.at, row.warehouse, row.bin_location, row.sequence))
    held = Reservation.quantity - Reservation.fulfilled - Reservation.released
    reservations = session.execute(
        select(
            Reservation.reference_label, Reservation.order_id, Warehouse.code, Reservation.bin_location, held
        )
        .join(Warehouse, Warehouse.id == Reservation.warehouse_id)
        .where(Reservation.product_id == product_id, held > 0)
        .order_by(Reservation.id)
    )
    return {
        "sku": sku,
        "is_tracked": True,
        "on_hand": figures.on_hand,
        "reserved": figures.reserved,
        "available": figures.available,
        "movements": [
            {"at": row.at.isoformat(), **{name: getattr(row, name) for name in (*_LEDGER, *_CHANGES)}}
            for row in rows
        ],
        "held": [
            {
                "reference": label,
                "order_id": str(order_id),
                "warehouse": code,
                "bin_location": place,
                "units": units,
            }
            for label, order_id, code, place, units in reservations
        ],
        "agrees": not any(one.product_id == product_id for one in check_service.list_differences(session)),
    }


def as_text(told: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    if not told["is_tracked"]:
        yield f"{told['sku']} is not tracked: nothing is known of it in any warehouse, so it is never short."
        return
    figures = f"{told['on_hand']} on hand, {told['reserved']} held for orders, {told['available']} available"
    yield f"{told['sku']}: {figures}."
    for row in told["movements"]:
        place = " ".join(filter(None, (row["warehouse"], row["bin_location"])))
        why = ", ".join(
            filter(None, (row["kind"], row["reason"], row["reference_label"], row["note"], row["who"]))
        )
        yield (
            f"{row['at'][:16]}  {place:16} on hand {row['on_hand_change']:+d} = {row['on_hand_after']}, "
            f"held {row['reserved_change']:+d} = {row['reserved_after']}  ({why})"
        )
    for row in told["held"]:
        yield f"held: {row['units']} for {row['reference']} at {row['warehouse']} {row['bin_location']}".rstrip()
    yield (
        "Counters and ledger agree."
        if told["agrees"]
        else "Counters and ledger differ: wizamart inventory check."
    )
