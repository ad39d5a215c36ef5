"""Changing what lies where, by hand or by a count; and reading it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.inventory.contracts import Cause, Change, Figures, Outcome, Place
from app.modules.inventory.enums import MovementKind, Reason
from app.modules.inventory.exceptions import NotEnoughStockError
from app.modules.inventory.models.level import Level
from app.modules.inventory.services import stock_sql
from app.modules.inventory.services.change_service import Told, note_changes, vendor_of


def apply_changes(session: Session, changes: Sequence[Change], cause: Cause) -> dict[Place, Outcome]:
    """Make changes of different places, each with its line in the ledger, and say what became of each place.

    A place that would keep less than orders hold there is left as it is, and is not in the answer.
    """
    done = _change(session, changes, cause)
    # Mostly all places are there already.
    missing = [one for one in changes if one.place not in done and (one.is_set or one.units > 0)]
    if missing:
        values = {**_arrays(session, missing), "now": clock.now()}
        stock_sql.run(session, stock_sql.OPEN_PLACES, values)
        done |= _change(session, missing, cause)
    return done


def _arrays(session: Session, changes: Sequence[Change]) -> dict[str, Any]:
    return {
        "vendor_id": vendor_of(session),
        "products": stock_sql.array(change.place.product_id for change in changes),
        "warehouses": stock_sql.array(change.place.warehouse_id for change in changes),
        "bins": [change.place.bin_location for change in changes],
    }


def _change(session: Session, changes: Sequence[Change], cause: Cause) -> dict[Place, Outcome]:
    if not changes:
        return {}
    values = {
        **_arrays(session, changes),
        "units": stock_sql.array(change.units for change in changes),
        "sets": [change.is_set for change in changes],
        "kind": cause.kind.value,
        "reason": cause.reason.value if cause.reason else None,
        "note": cause.note,
        "user_id": cause.user_id,
        "reference_type": cause.reference_type,
        "reference_id": cause.reference_id,
        "reference_label": cause.reference_label,
        "now": clock.now(),
    }
    rows = stock_sql.run(session, stock_sql.CHANGE, values).all()
    note_changes(session, map(Told.of, rows))
    outcomes = {}
    for row in rows:
        place = Place(row.product_id, row.warehouse_id, row.bin_location)
        outcomes[place] = Outcome(place, row.before, row.on_hand, row.reserved)
    return outcomes


def adjust(
    session: Session,
    place: Place,
    units: int,
    reason: Reason,
    *,
    note: str | None = None,
    user_id: UUID | None = None,
) -> Outcome:
    """So many units more, or fewer. Raises NotEnoughStockError."""
    return _one(session, Change(place, units), Cause(MovementKind.ADJUST, reason, note=note, user_id=user_id))


def set_level(
    session: Session,
    place: Place,
    units: int,
    reason: Reason,
    *,
    note: str | None = None,
    user_id: UUID | None = None,
) -> Outcome:
    """So many units lie there. Raises NotEnoughStockError where orders hold more."""
    cause = Cause(MovementKind.SET, reason, note=note, user_id=user_id)
    return _one(session, Change(place, units, is_set=True), cause)


def transfer(
    session: Session,
    origin: Place,
    target: Place,
    units: int,
    *,
    note: str | None = None,
    user_id: UUID | None = None,
) -> Outcome:
    """Carry units of a product, which no order holds, to another place; what is left at the origin. Raises
    NotEnoughStockError."""
    cause = Cause(MovementKind.TRANSFER, note=note, user_id=user_id)
    with session.begin_nested():
        done = apply_changes(session, [Change(origin, -units), Change(target, units)], cause)
        if origin not in done:
            raise _refusal(session, origin)
    return done[origin]


def _one(session: Session, change: Change, cause: Cause) -> Outcome:
    done = apply_changes(session, [change], cause)
    if change.place not in done:
        raise _refusal(session, change.place)
    return done[change.place]


def _refusal(session: Session, place: Place) -> NotEnoughStockError:
    found = figures_at(session, place)
    return NotEnoughStockError(on_hand=found.on_hand, reserved=found.reserved, free=found.available)


def figures_at(session: Session, place: Place) -> Figures:
    """What lies at one place; nought where nothing is known of it."""
    found = session.execute(
        select(Level.on_hand, Level.reserved).where(
            Level.product_id == place.product_id,
            Level.warehouse_id == place.warehouse_id,
            Level.bin_location == place.bin_location,
        )
    ).one_or_none()
    return Figures(*found) if found else Figures(0, 0)


def get_figures(session: Session, product_ids: Sequence[UUID]) -> dict[UUID, Figures]:
    """What there is of each tracked product over all places."""
    found = (
        select(Level.product_id, func.sum(Level.on_hand), func.sum(Level.reserved))
        .where(Level.product_id.in_(product_ids))
        .group_by(Level.product_id)
    )
    return {key: Figures(int(on_hand), int(reserved)) for key, on_hand, reserved in session.execute(found)}
