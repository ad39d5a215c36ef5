"""Reading the open orders of a connection, page by page, each order that changes something a transaction of its own."""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.marketplace.contracts import ExternalOrder, OrderPage
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.services.connection_job_service import (
    dispatch_act,
    find_lost_acts,
    note_success,
)
from app.modules.marketplace.services.connection_service import (
    Line,
    get_connection,
    open_line,
    write_calls,
)
from app.modules.marketplace.services.order_intake_service import note_gone, take_in
from app.modules.marketplace.services.record_service import get_record

_MOST_PASSES, _MOST_MISSED, _MOST_PAGES = 3, 200, 1000


class Wanted(NamedTuple):
    """An order to read by itself."""

    record_id: UUID
    external_id: str


def sync(session: Session, connection_id: UUID, state: dict[str, Any] | None) -> Generator[dict[str, Any]]:
    """Take in all open orders; yields where the work so far is to be committed, with what to go on from.

    Orders leave the list while it is read, so a marketplace that counts pages may skip some: fewer than it says there
    are, and the list is read again. Those of ours that are open and no longer listed are read one by one. Raises
    ChannelError; calls are made while no transaction is open.
    """
    connection = get_connection(session, connection_id)
    with closing(open_line(session, connection)) as line:
        state = state or {"cursor": None, "began": clock.now().isoformat(), "passes": 1, "seen": 0}
        counts = Counter(state.get("counts", {}))
        yield state
        for _ in range(_MOST_PAGES):
            page = _read(line, state["cursor"])
            for outcome in take_page(session, line, page.orders):
                counts[outcome] += 1
                yield state
            state |= {"cursor": page.cursor, "counts": dict(counts), "seen": state["seen"] + len(page.orders)}
            if page.cursor is None:
                is_short = page.total is not None and state["seen"] < page.total
                if not is_short or state["passes"] >= _MOST_PASSES:
                    break
                state |= {"passes": state["passes"] + 1, "seen": 0}
            yield state
        missed = _missed(session, connection_id, datetime.fromisoformat(state["began"]))
        yield state
        for wanted in missed:
            read_again(session, line, wanted)
            yield state
        for act in find_lost_acts(session, connection_id):
            dispatch_act(session, act)
        note_success(session, connection_id)


def _read(line: Line, cursor: str | None) -> OrderPage:
    return line.ask("open_orders", lambda channel: channel.read_open(cursor))


def take_page(session: Session, line: Line, orders: Sequence[ExternalOrder]) -> Generator[str]:
    """Take in the orders of a page; yields what became of each, where it is to be committed.

    An order locks the stock of its goods in one order everywhere. Two orders in one transaction do not, and would wait
    in a circle with people who work on an order meanwhile. What is read twice after a stop is counted as the same.
    """
    connection = get_connection(session, line.connection_id)
    for order in sorted(orders, key=lambda order: order.external_id):
        yield str(take_in(session, connection, order))
    write_calls(session, line)


def read_again(session: Session, line: Line, wanted: Wanted, *, is_again: bool = False) -> str:
    """Read one order and take it in; what became of it. No transaction may be open."""
    order = line.ask("order", lambda channel: channel.read_order(wanted.external_id))
    connection = get_connection(session, line.connection_id)
    write_calls(session, line)
    if order is None:
        if get_record(session, wanted.record_id).is_open:
            note_gone(session, connection, wanted.record_id)
        return "gone"
    return take_in(session, connection, order, is_again=is_again)


def _missed(session: Session, connection_id: UUID, began: datetime) -> list[Wanted]:
    """Orders that we take for open and that were not listed."""
    statement = (
        select(ExternalRecord.id, ExternalRecord.external_id)
        .where(
            ExternalRecord.connection_id == connection_id,
            ExternalRecord.is_open,
            ExternalRecord.seen_at < began,
        )
        .order_by(ExternalRecord.seen_at, ExternalRecord.id)
        .limit(_MOST_MISSED)
    )
    return [Wanted(*row) for row in session.execute(statement)]
