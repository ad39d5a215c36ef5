"""Telling marketplaces what was done with their orders, each thing once and in its order.

An act is written with what it tells of. Its job says that it is about to tell, calls while no transaction is open,
reads the order back, and writes down what came of it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import to_public
from app.modules.marketplace.contracts import Ability, ExternalOrder, UnitState
from app.modules.marketplace.enums import ActKind, ActState
from app.modules.marketplace.exceptions import (
    ActNotFoundError,
    ChannelError,
    ChannelRefusedError,
    ChannelUnavailableError,
)
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.models.outgoing_act import OutgoingAct
from app.modules.marketplace.services.connection_job_service import (
    dispatch_act,
    note_failure,
    start_telling,
)
from app.modules.marketplace.services.connection_service import (
    Line,
    find_connector,
    get_connection,
    name_of,
)
from app.modules.marketplace.services.order_intake_service import take_in
from app.modules.marketplace.services.record_service import find_record, lock_record, note_drift
from app.modules.menu import page_url
from app.modules.orders import facade as orders
from app.modules.orders.contracts import UnitStatus
from app.modules.problems import Problem, clear_problem, report_problem
from app.modules.tenancy import facade as tenancy

ACT_PREFIX = "oac"
MOST_TRIES = 20
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 3600.0
_MAX_TEXT = 500
_ABILITIES = {
    ActKind.DECIDE: Ability.DECISIONS,
    ActKind.TRACK: Ability.TRACKING,
    ActKind.RETURN: Ability.RETURNS,
}


@dataclass(frozen=True, slots=True)
class Work:
    """An act that is about to be told. ``is_unsure``: it may have been told before, and nobody knows."""

    act_id: UUID
    kind: ActKind
    external_id: str
    payload: Mapping[str, Any]
    units: Mapping[str, str]
    is_unsure: bool


@dataclass(frozen=True, slots=True)
class Said:
    """What came of telling: the order as it is there now, if it could be read, and the error, if there was one."""

    order: ExternalOrder | None
    error: ChannelError | None


def connection_of(session: Session, act_id: UUID) -> Connection:
    """The connection through which an act is told."""
    return get_connection(session, session.get_one(OutgoingAct, act_id).connection_id)


def tell_units(session: Session, order_id: UUID) -> None:
    """Write what is to be told of an order's units: yes or no to those that are open there, and what came back."""
    record = _locked_record(session, order_id)
    if record is not None:
        _tell_left(session, record)


def tell_again(session: Session, record_id: UUID) -> int:
    """Have the marketplace told of what is different there, as far as it can be; how many messages that makes.

    None while they wait to be told, so it may be asked for twice. Raises RecordNotFoundError.
    """
    return _tell_left(session, lock_record(session, record_id))


def _tell_left(session: Session, record: ExternalRecord) -> int:
    left = untold(session, record)
    for kind, units in left.items():
        _write(session, record, kind, {"units": units})
    return len(left)


def untold(session: Session, record: ExternalRecord) -> dict[ActKind, dict[str, bool]]:
    """What the marketplace is still to be told of units, and can be, without what waits to be told anyway: yes or no,
    and what came back."""
    if record.order_id is None:
        return {}
    ours = orders.units_of(session, record.order_id)
    known = {unit: state for unit, state in record.units.items() if unit in ours}
    said = _told(session, record)
    decided = {
        unit: ours[unit] is not UnitStatus.UNAVAILABLE
        for unit, state in known.items()
        if ours[unit] is not UnitStatus.OPEN and state == UnitState.OPEN
    }
    confirmed = {**said.get(ActKind.DECIDE, {}), **decided}
    back = {
        unit: True
        for unit, state in known.items()
        if ours[unit] in (UnitStatus.RETURNED, UnitStatus.UNAVAILABLE)
        and (state == UnitState.AVAILABLE or (state == UnitState.OPEN and confirmed.get(unit) is True))
    }
    return {
        kind: units
        for kind, units in ((ActKind.DECIDE, decided), (ActKind.RETURN, back))
        if units and not _is_covered(units, said.get(kind)) and _can(session, record, kind)
    }


def _can(session: Session, record: ExternalRecord, kind: ActKind) -> bool:
    """Whether the marketplace takes such; a connector that is off for now is asked later."""
    connection = get_connection(session, record.connection_id)
    connector = find_connector(record.vendor_id, connection.connector)
    return connector is None or _ABILITIES[kind] in connector.abilities


def tell_shipment(session: Session, order_id: UUID, shipment_id: UUID) -> None:
    """Write down that a marketplace is to be told how a shipment can be followed."""
    record = _locked_record(session, order_id)
    if record is None:
        return
    parcels = orders.parcels_of(session, shipment_id)
    parcel = next((one for one in parcels if one.tracking_number), None)
    if parcel is None:
        return
    payload = {"number": parcel.tracking_number, "carrier": parcel.carrier_code}
    last = select(OutgoingAct).where(OutgoingAct.record_id == record.id, OutgoingAct.kind == ActKind.TRACK)
    former = session.scalars(last.order_by(OutgoingAct.id.desc()).limit(1)).one_or_none()
    is_new = former is None or former.payload != payload
    if is_new and _can(session, record, ActKind.TRACK):
        _write(session, record, ActKind.TRACK, payload)


def _locked_record(session: Session, order_id: UUID) -> ExternalRecord | None:
    found = find_record(session, order_id)
    return lock_record(session, found.id) if found else None


def _told(session: Session, record: ExternalRecord) -> dict[str, dict[str, bool]]:
    """What the acts that wait say of units, by kind."""
    acts = select(OutgoingAct).where(
        OutgoingAct.record_id == record.id,
        OutgoingAct.state == ActState.WAITING,
        OutgoingAct.kind != ActKind.TRACK,
    )
    told: dict[str, dict[str, bool]] = {}
    for act in session.scalars(acts.order_by(OutgoingAct.id)):
        told.setdefault(act.kind, {}).update(act.payload.get("units", {}))  # none once erased
    return told


def _is_covered(wanted: Mapping[str, bool], told: Mapping[str, bool] | None) -> bool:
    return told is not None and all(told.get(unit) is value for unit, value in wanted.items())


def _write(session: Session, record: ExternalRecord, kind: ActKind, payload: dict[str, Any]) -> None:
    made = select(func.count()).where(OutgoingAct.record_id == record.id, OutgoingAct.kind == kind)
    act = OutgoingAct(
        vendor_id=record.vendor_id,
        connection_id=record.connection_id,
        record_id=record.id,
        order_id=record.order_id,
        kind=kind,
        dedupe=str((session.scalar(made) or 0) + 1),
        payload=payload,
    )
    session.add(act)
    record.drift = None
    session.flush()
    if _first(session, record.id) == act.id:
        dispatch_act(session, act)


def _first(session: Session, record_id: UUID) -> UUID | None:
    """The act of a record whose turn it is."""
    waiting = select(OutgoingAct.id).where(
        OutgoingAct.record_id == record_id, OutgoingAct.state == ActState.WAITING
    )
    return session.scalar(waiting.order_by(OutgoingAct.id).limit(1))


def begin(session: Session, act_id: UUID, job_id: UUID) -> Work | None:
    """Note that an act is about to be told; None where it is not its turn or its job. Raises ActNotFoundError."""
    found = session.get(OutgoingAct, act_id)
    if found is None:
        raise ActNotFoundError
    record = lock_record(session, found.record_id)
    session.refresh(found)
    is_on = get_connection(session, found.connection_id).is_on
    if found.state != ActState.WAITING or found.job_id != job_id or not is_on:
        return None
    if _first(session, record.id) != act_id:
        return None
    found.attempts += 1
    return Work(
        act_id,
        ActKind(found.kind),
        record.external_id,
        dict(found.payload),
        dict(record.units),
        is_unsure=found.attempts > 1,
    )


def tell(line: Line, work: Work) -> Said:
    """Tell it, and read the order back. No transaction is open; the marketplace's errors are in the answer."""
    order: ExternalOrder | None = None
    try:
        if work.is_unsure and work.kind is not ActKind.TRACK:
            order = line.ask("order", lambda channel: channel.read_order(work.external_id))
        units = {unit.id: unit.state.value for unit in order.units} if order else work.units
        left = _left(work, units)
        if not left:
            return Said(order, None)
        _call(line, work, left)
        order = line.ask("order", lambda channel: channel.read_order(work.external_id))
    except ChannelRefusedError as error:
        # Somebody may have said the same before, or the other thing.
        return Said(_try_to_read(line, work), error)
    except ChannelError as error:
        return Said(order, error)
    return Said(order, None)


def _left(work: Work, units: Mapping[str, str]) -> dict[str, Any]:
    """What of it is still to be said."""
    if work.kind is ActKind.TRACK:
        return dict(work.payload)
    wanted: Mapping[str, bool] = work.payload["units"]
    if work.kind is ActKind.RETURN:
        return {unit: True for unit in wanted if units.get(unit) != UnitState.RETURNED}
    return {unit: value for unit, value in wanted.items() if not _is_decided(units.get(unit), value)}


def _is_decided(state: str | None, value: bool) -> bool:
    return state in ((UnitState.AVAILABLE, UnitState.RETURNED) if value else (UnitState.UNAVAILABLE,))


def _call(line: Line, work: Work, left: dict[str, Any]) -> None:
    # What is left may differ from try to try, and is then another thing to say.
    said = hashlib.sha256(orjson.dumps(left, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    key, order_id = f"{to_public(ACT_PREFIX, work.act_id)}-{said}", work.external_id
    if work.kind is ActKind.DECIDE:
        line.ask("decide", lambda channel: channel.decide(order_id, left, key=key))
    elif work.kind is ActKind.RETURN:
        line.ask("return", lambda channel: channel.take_back(order_id, sorted(left), key=key))
    else:
        number, carrier = left["number"], left["carrier"]
        line.ask("track", lambda channel: channel.track(order_id, number, carrier, key=key))


def _try_to_read(line: Line, work: Work) -> ExternalOrder | None:
    try:
        return line.ask("order", lambda channel: channel.read_order(work.external_id))
    except ChannelError:
        return None


def end(session: Session, act_id: UUID, work: Work, said: Said) -> ActState:
    """Write down what came of it: done, to be tried later, or given up; then it is the next one's turn."""
    act = session.get_one(OutgoingAct, act_id)
    record = lock_record(session, act.record_id)
    session.refresh(act)
    connection = get_connection(session, act.connection_id)
    if said.order is not None:
        take_in(session, connection, said.order)
        session.refresh(record)
    left = {} if work.kind is ActKind.TRACK else _left(work, record.units)
    error = said.error
    if error is None and left:
        error = ChannelUnavailableError("The marketplace did not do what it said it did.")
    if error is None or (work.kind is not ActKind.TRACK and said.order is not None and not left):
        _finish(session, act)
    elif isinstance(error, ChannelRefusedError) or act.attempts >= MOST_TRIES:
        _give_up(session, act, record, error)
    else:
        if not isinstance(error, ChannelUnavailableError):
            note_failure(session, connection.id, error)
        pause = min(_FIRST_PAUSE * 2 ** (act.attempts - 1), _LONGEST_PAUSE)
        if isinstance(error, ChannelUnavailableError):
            pause = max(pause, min(error.retry_after, _LONGEST_PAUSE))
        act.last_error_code, act.last_error = error.code, error.detail[:_MAX_TEXT]
        dispatch_act(session, act, clock.now() + timedelta(seconds=pause))
        return ActState.WAITING
    session.flush()
    note_drift(session, record)
    following = _first(session, record.id)
    if following is not None:
        dispatch_act(session, session.get_one(OutgoingAct, following))
    return ActState(act.state)


def _finish(session: Session, act: OutgoingAct) -> None:
    act.state, act.done_at = ActState.DONE, clock.now()
    act.last_error_code, act.last_error = None, ""
    clear_problem(session, _problem_key(act), vendor_id=act.vendor_id)


def _give_up(session: Session, act: OutgoingAct, record: ExternalRecord, error: ChannelError) -> None:
    act.state = ActState.REFUSED
    act.last_error_code, act.last_error = error.code, error.detail[:_MAX_TEXT]
    connection = get_connection(session, act.connection_id)
    start_telling(session, connection, "refused")
    vendor = tenancy.find_vendor(vendor_id=act.vendor_id)
    url = page_url("marketplace.vendor.acts", vendor_code=vendor.code if vendor else "")
    params = {"number": record.number, "name": name_of(connection)}
    problem = Problem(_problem_key(act), "marketplace.problems.act_refused", params, act.last_error, url)
    report_problem(session, problem, vendor_id=act.vendor_id)


def _problem_key(act: OutgoingAct) -> str:
    return f"marketplace.act:{to_public(ACT_PREFIX, act.id)}"


def retry_act(session: Session, act_id: UUID, *, connection_id: UUID | None = None) -> OutgoingAct:
    """Tell again what was given up, through this connection where one is named. Raises ActNotFoundError for another."""
    act = session.get(OutgoingAct, act_id)
    if act is None or connection_id not in (None, act.connection_id):
        raise ActNotFoundError
    record = lock_record(session, act.record_id)
    session.refresh(act)
    if act.state != ActState.REFUSED:
        raise ActNotFoundError
    # With a count above none the order is read first, as some of it may be there.
    act.state, act.attempts = ActState.WAITING, 1
    session.flush()
    if _first(session, record.id) == act.id:
        dispatch_act(session, act)
    return act
