"""Taking in an order as a marketplace says it: exactly one order for each, whatever comes twice or in another order.

What cannot be taken in is parked with the reason, where people see it; nothing stops the run.
"""

import hashlib
from dataclasses import replace
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import AppError
from app.core.ids import new_id, to_public
from app.modules.marketplace.contracts import ExternalOrder, UnitState
from app.modules.marketplace.exceptions import OrderUnexpectedError
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.services.connection_job_service import start_telling
from app.modules.marketplace.services.connection_service import name_of
from app.modules.marketplace.services.record_service import RECORD_PREFIX, lock_record, note_drift
from app.modules.menu import page_url
from app.modules.orders import facade as orders
from app.modules.orders.contracts import BY_CHANNEL, NewLine, NewOrder, UnitStatus
from app.modules.orders.exceptions import OrdersException
from app.modules.problems import Problem, clear_problem, report_problem
from app.modules.tenancy import facade as tenancy
from app.tasks.errors import JobCancelledError, StaleRunError, TimeLimitError

log = structlog.stdlib.get_logger(__name__)
_PASS_ON = (OperationalError, JobCancelledError, StaleRunError, TimeLimitError)
_MAX_DETAIL = 500


class Intake(StrEnum):
    """What became of an order."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    PARKED = "parked"


def take_in(
    session: Session, connection: Connection, seen: ExternalOrder, *, is_again: bool = False
) -> Intake:
    """Take in what was said of an order; the session is in the vendor's scope. What was said before does nothing.

    An order that was decided before the connection was made is one of the past. ``is_again``: try once more what is
    parked, though nothing else is said.
    """
    record = _record(session, connection, seen)
    digest = _digest(seen)
    record.seen_at = clock.now()
    if record.digest == digest and not is_again:
        return Intake.SAME
    if record.digest and record.digest != digest:
        record.revision += 1
    is_erased = _is_erased(session, connection, record)
    record.digest, record.number = digest, seen.number
    record.payload = {} if is_erased else dict(seen.raw)
    record.units = {unit.id: unit.state.value for unit in seen.units}
    record.is_open = seen.is_open
    record.placed_at = seen.order.placed_at if seen.order else record.placed_at
    was_known = record.order_id is not None
    try:
        with session.begin_nested():
            if is_erased:
                _settle_erased(session, connection, record)
            else:
                _place(session, connection, record, seen)
            session.flush()
    except _PASS_ON:
        raise
    except Exception as error:
        return _park(session, connection, record, error)
    if record.fault is not None:
        record.fault, record.fault_detail = None, ""
        clear_problem(session, _problem_key(record), vendor_id=record.vendor_id)
    note_drift(session, record)
    session.flush()
    return Intake.CHANGED if was_known else Intake.NEW


def _digest(seen: ExternalOrder) -> str:
    said = {
        "raw": dict(seen.raw),
        "units": {unit.id: unit.state for unit in seen.units},
        "tracking": seen.tracking,
        "fault": seen.fault,
    }
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _record(session: Session, connection: Connection, seen: ExternalOrder) -> ExternalRecord:
    """The record, made where there is none, and held until the transaction ends."""
    statement = (
        select(ExternalRecord)
        .where(ExternalRecord.connection_id == connection.id, ExternalRecord.external_id == seen.external_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = session.scalars(statement).one_or_none()
    if found is not None:
        return found
    now = clock.now()
    empty: dict[str, Any] = {
        "id": new_id(),
        "vendor_id": connection.vendor_id,
        "connection_id": connection.id,
        "external_id": seen.external_id,
        "number": seen.number,
        "units": {},
        "is_open": False,
        "payload": {},
        "digest": "",
        "revision": 1,
        "seen_at": now,
        "fault_detail": "",
        "attempts": 0,
        "created_at": now,
        "updated_at": now,
    }
    session.execute(insert(ExternalRecord).values(empty).on_conflict_do_nothing())
    return session.scalars(statement).one()


class _UnreadableError(AppError):
    """The connector could not read the order; the code is its own."""

    status = 422


def _place(session: Session, connection: Connection, record: ExternalRecord, seen: ExternalOrder) -> None:
    if seen.order is None:
        raise _UnreadableError(seen.fault or "unreadable")
    order = _as_ours(connection, record, seen, seen.order)
    placed = orders.place_order(session, connection.vendor_id, order, when_short="exception", by=BY_CHANNEL)
    record.order_id = placed.order_id
    if not order.is_past:
        apply_units(session, connection, record)


def _is_erased(session: Session, connection: Connection, record: ExternalRecord) -> bool:
    """Whether the buyer was erased. What was let go stays away although it is said again: the empty payload of the
    record, or of its order where the record is a new one, is the sign."""
    if record.digest:
        return not record.payload
    record.order_id = orders.find_by_external(session, connection.connector, record.external_id)
    return record.order_id is not None and orders.is_erased(session, record.order_id)


def _settle_erased(session: Session, connection: Connection, record: ExternalRecord) -> None:
    """Take over what became of the pieces, and nothing else. An order that was never placed never will be."""
    if record.order_id is None:
        raise _UnreadableError("erased")
    apply_units(session, connection, record)


def _as_ours(
    connection: Connection, record: ExternalRecord, seen: ExternalOrder, order: NewOrder
) -> NewOrder:
    order = replace(order, channel=connection.connector, external_id=seen.external_id, raw=dict(seen.raw))
    at = order.placed_at
    is_past = record.order_id is None and not seen.is_open and at is not None and at < connection.connected_at
    if not is_past:
        return order
    return replace(order, is_past=True, lines=[_past_line(line, record.units) for line in order.lines])


def _past_line(line: NewLine, units: dict[str, Any]) -> NewLine:
    """What came back first, what never went last."""
    by_state: dict[str, list[str]] = {}
    for unit in line.external_unit_ids:
        by_state.setdefault(units.get(unit, ""), []).append(unit)
    back, gone = by_state.pop(UnitState.RETURNED, []), by_state.pop(UnitState.UNAVAILABLE, [])
    kept = [unit for found in by_state.values() for unit in found]
    return replace(
        line,
        external_unit_ids=(*back, *kept, *gone),
        cancelled_quantity=len(gone),
        returned_quantity=len(back),
    )


def apply_units(session: Session, connection: Connection, record: ExternalRecord) -> None:
    """Do here what was decided there by others. What the order does not allow now stays different, and visible."""
    assert record.order_id is not None
    order_id, reason = record.order_id, name_of(connection)
    ours = orders.units_of(session, order_id)
    theirs = {unit: state for unit, state in record.units.items() if unit in ours}

    def among(state: UnitState, *mine: UnitStatus) -> list[str]:
        return [unit for unit, said in theirs.items() if said == state and ours[unit] in mine]

    no = among(UnitState.UNAVAILABLE, UnitStatus.OPEN)
    yes = among(UnitState.AVAILABLE, UnitStatus.OPEN)
    gone = among(UnitState.UNAVAILABLE, UnitStatus.AVAILABLE)
    back = among(UnitState.RETURNED, UnitStatus.AVAILABLE, UnitStatus.OPEN)
    by = BY_CHANNEL
    for units, act in (
        (no, lambda: orders.decide_units(session, order_id, dict.fromkeys(no, False), reason, by)),
        (yes, lambda: _confirm(session, order_id, yes, reason)),
        (gone, lambda: orders.cancel_units(session, order_id, gone, reason, by)),
        (back, lambda: orders.return_units(session, order_id, back, reason, by)),
    ):
        if units:
            try:
                with session.begin_nested():
                    act()
                    session.flush()
            except OrdersException as error:
                log.info("units_not_applied", record_id=str(record.id), code=error.code)


def settle(session: Session, connection: Connection, record: ExternalRecord) -> None:
    """Try again to do here what was decided there, and compare the two."""
    if record.order_id is not None and record.drift is not None:
        apply_units(session, connection, record)
    note_drift(session, record)
    session.flush()


def note_gone(session: Session, connection: Connection, record_id: UUID) -> None:
    """The marketplace no longer knows an order that waits for an answer."""
    record = lock_record(session, record_id)
    record.is_open, record.seen_at = False, clock.now()
    _park(session, connection, record, _UnreadableError("gone"))


def _confirm(session: Session, order_id: UUID, units: list[str], reason: str) -> None:
    if orders.get_order(session, order_id).status == "pending":
        orders.decide_units(session, order_id, dict.fromkeys(units, True), reason, BY_CHANNEL)


def _problem_key(record: ExternalRecord) -> str:
    return f"marketplace.order:{to_public(RECORD_PREFIX, record.id)}"


def _park(session: Session, connection: Connection, record: ExternalRecord, error: Exception) -> Intake:
    """Keep what was said of an order that cannot be stored, where people see it."""
    record.attempts += 1
    if isinstance(error, _UnreadableError):
        code, detail = error.detail, ""
    elif isinstance(error, AppError):
        code, detail = error.code, error.detail[:_MAX_DETAIL]
    else:
        # The text may hold what a person said.
        code, detail = OrderUnexpectedError.code, type(error).__name__
        log.exception("order_not_taken_in", record_id=str(record.id))
    if record.fault is None:
        start_telling(session, connection, "parked")
    record.fault, record.fault_detail = code, detail
    session.flush()
    vendor = tenancy.find_vendor(vendor_id=record.vendor_id)
    public_id = to_public(RECORD_PREFIX, record.id)
    url = page_url(
        "marketplace.vendor.external_order", vendor_code=vendor.code if vendor else "", record_id=public_id
    )
    params = {"number": record.number, "name": name_of(connection)}
    problem = Problem(_problem_key(record), "marketplace.problems.order_parked", params, detail, url)
    report_problem(session, problem, vendor_id=record.vendor_id)
    return Intake.PARKED
