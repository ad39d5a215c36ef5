"""Orders as marketplaces say them: found, compared with ours, and put right."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.modules.marketplace.contracts import UnitState
from app.modules.marketplace.enums import ActState
from app.modules.marketplace.exceptions import RecordNotFoundError
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.models.outgoing_act import OutgoingAct
from app.modules.orders import facade as orders
from app.modules.orders.contracts import UnitStatus

RECORD_PREFIX = "xor"


def get_record(session: Session, record_id: UUID) -> ExternalRecord:
    """One order of a marketplace. Raises RecordNotFoundError."""
    found = session.get(ExternalRecord, record_id)
    if found is None:
        raise RecordNotFoundError
    return found


def find_record(session: Session, order_id: UUID) -> ExternalRecord | None:
    """What the marketplace says of an order of ours."""
    return session.scalar(select(ExternalRecord).where(ExternalRecord.order_id == order_id))


def lock_record(session: Session, record_id: UUID) -> ExternalRecord:
    """A record as it is and stays until the transaction ends. Raises RecordNotFoundError."""
    statement = select(ExternalRecord).where(ExternalRecord.id == record_id).with_for_update()
    found = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise RecordNotFoundError
    return found


def list_acts(session: Session, record_id: UUID) -> Sequence[OutgoingAct]:
    """What was or is to be told of a record, the oldest first."""
    statement = select(OutgoingAct).where(OutgoingAct.record_id == record_id)
    return session.scalars(statement.order_by(OutgoingAct.id)).all()


def is_same(ours: str, theirs: str) -> bool:
    """Whether both say the same of a unit. What is cancelled after it was confirmed can only be returned there."""
    return ours == theirs or (ours == UnitStatus.UNAVAILABLE and theirs == UnitState.RETURNED)


def compare_units(ours: Mapping[str, str], theirs: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """The units of which the two say different things; None: one of them does not know it."""
    found: list[dict[str, str | None]] = []
    for unit in sorted({*ours, *theirs}):
        mine, other = ours.get(unit), theirs.get(unit)
        if mine is None or other is None or not is_same(mine, other):
            found.append({"unit": unit, "ours": mine, "theirs": other})
    return found


def note_drift(session: Session, record: ExternalRecord) -> bool:
    """Compare a record with its order and keep what differs; whether something does. What is to be told is not
    different, only late."""
    waiting = OutgoingAct.record_id == record.id, OutgoingAct.state == ActState.WAITING
    if record.order_id is None or session.scalar(select(OutgoingAct.id).where(*waiting).limit(1)):
        record.drift = None
        return False
    ours = orders.units_of(session, record.order_id)
    record.drift = compare_units(ours, record.units) or None
    return record.drift is not None
