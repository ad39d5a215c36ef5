"""Single units of lines, as channels speak of them.

The ids of a line's units stand in this order: what came back, what goes to the buyer, what is cancelled. So the line's
quantities say what became of each.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.orders.contracts import By, UnitStatus
from app.modules.orders.enums import Decision, OrderStatus
from app.modules.orders.exceptions import OrderInputError, OrderStateError
from app.modules.orders.models.exception import OrderException
from app.modules.orders.models.order import OrderLine
from app.modules.orders.services.cancel_service import cancel
from app.modules.orders.services.decide_service import confirm_lines, decline_lines
from app.modules.orders.services.exception_service import retry_exceptions
from app.modules.orders.services.refund_service import receive_return
from app.modules.orders.services.state_service import check_status, goods_of, lines_of, lock_order


def units_of(session: Session, order_id: UUID) -> dict[str, UnitStatus]:
    """What is said of each unit of an order, by the channel's ids; nothing where the channel names none."""
    session.flush()
    return {
        unit: status
        for line in goods_of(lines_of(session, order_id))
        for unit, status in _statuses(line).items()
    }


def line_units(session: Session, order_id: UUID) -> dict[UUID, tuple[str, ...]]:
    """The units of each line that are not decided yet."""
    return {
        line.id: tuple(unit for unit, status in _statuses(line).items() if status is UnitStatus.OPEN)
        for line in goods_of(lines_of(session, order_id))
    }


def decide_units(
    session: Session, order_id: UUID, decisions: Mapping[str, bool], reason: str, by: By
) -> None:
    """Say yes or no to units. What of a line is refused is cancelled, and the line confirmed once all is decided."""
    check_status(lock_order(session, order_id), "decide", OrderStatus.PENDING)
    goods = goods_of(lines_of(session, order_id))
    if not {unit for line in goods for unit in line.external_unit_ids}.issuperset(decisions):
        raise OrderInputError("units", "unknown_unit")
    refused, parts, confirmed = [], [], []
    for line in goods:
        waiting = [unit for unit, status in _statuses(line).items() if _is_asked(unit, status, decisions)]
        no = [unit for unit in waiting if not decisions.get(unit, True)]
        if no and len(no) == len(waiting):
            refused.append(line.id)
        elif no:
            _put_last(line, no)
            parts.append((line.id, len(no)))
        if len(no) < len(waiting) and all(unit in decisions for unit in waiting):
            confirmed.append(line.id)
    session.flush()
    if parts:
        cancel(session, order_id, reason, by, parts)
        # What is left of a line may be in stock.
        retry_exceptions(session, OrderException.line_id.in_([line_id for line_id, _ in parts]), by)
    if refused:
        decline_lines(session, order_id, refused, reason, by)
    if confirmed:
        confirm_lines(session, order_id, confirmed, by)


def cancel_units(session: Session, order_id: UUID, unit_ids: Collection[str], reason: str, by: By) -> None:
    """Take units out of an order that are not sent; raises as ``cancel``."""
    lock_order(session, order_id)
    chosen = []
    for line in goods_of(lines_of(session, order_id)):
        named = [unit for unit in _kept(line) if unit in unit_ids]
        if named:
            _put_last(line, named)
            chosen.append((line.id, len(named)))
    session.flush()
    if chosen:
        cancel(session, order_id, reason, by, chosen)


def return_units(session: Session, order_id: UUID, unit_ids: Collection[str], reason: str, by: By) -> None:
    """Take units back that were sent, and out of the order that were not."""
    lock_order(session, order_id)
    back, gone = [], []
    for line in goods_of(lines_of(session, order_id)):
        named = [unit for unit in _kept(line) if unit in unit_ids]
        sent = min(len(named), line.shipped_quantity - line.returned_quantity)
        _put_first(line, named[:sent])
        _put_last(line, named[sent:])
        back.append((line.id, sent))
        gone.append((line.id, len(named) - sent))
    session.flush()
    if any(count for _, count in back):
        receive_return(session, order_id, back, by)
    if any(count for _, count in gone):
        cancel(session, order_id, reason, by, [one for one in gone if one[1]])


def _statuses(line: OrderLine) -> dict[str, UnitStatus]:
    ids, kept = line.external_unit_ids, UnitStatus.OPEN
    if line.decision != Decision.PENDING:
        kept = UnitStatus.AVAILABLE
    first, last = line.returned_quantity, len(ids) - line.cancelled_quantity
    return {
        unit: UnitStatus.RETURNED if place < first else kept if place < last else UnitStatus.UNAVAILABLE
        for place, unit in enumerate(ids)
    }


def _is_asked(unit: str, status: UnitStatus, decisions: Mapping[str, bool]) -> bool:
    """Whether a unit is still to be decided. Raises OrderStateError where the other was said before."""
    if status is UnitStatus.OPEN:
        return True
    if unit in decisions and decisions[unit] is not (status is not UnitStatus.UNAVAILABLE):
        raise OrderStateError("A unit is decided already.", status="decided", action="decide")
    return False


def _kept(line: OrderLine) -> list[str]:
    ids = line.external_unit_ids
    return ids[line.returned_quantity : len(ids) - line.cancelled_quantity]


def _put_last(line: OrderLine, named: Sequence[str]) -> None:
    """Let these be the next that are cancelled."""
    _arrange(line, [unit for unit in _kept(line) if unit not in named] + list(named))


def _put_first(line: OrderLine, named: Sequence[str]) -> None:
    """Let these be the next that come back."""
    _arrange(line, list(named) + [unit for unit in _kept(line) if unit not in named])


def _arrange(line: OrderLine, kept: list[str]) -> None:
    ids = line.external_unit_ids
    last = len(ids) - line.cancelled_quantity
    arranged = ids[: line.returned_quantity] + kept + ids[last:]
    if arranged != ids:
        line.external_unit_ids = arranged
