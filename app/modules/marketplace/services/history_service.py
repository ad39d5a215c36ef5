"""Reading a marketplace's orders of the past, to the end and from where it stopped."""

from collections import Counter
from collections.abc import Generator
from contextlib import closing
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.marketplace.contracts import OrderPage
from app.modules.marketplace.services.connection_job_service import note_history
from app.modules.marketplace.services.connection_service import Line, get_connection, open_line
from app.modules.marketplace.services.order_sync_service import take_page

_MOST_PAGES = 100_000


class Progress(NamedTuple):
    """Orders that were read, of so many if the marketplace says it; ``state`` is what to go on from."""

    read: int
    total: int | None
    state: dict[str, Any]


def read_history(session: Session, connection_id: UUID, state: dict[str, Any] | None) -> Generator[Progress]:
    """Take in all orders; yields where the work so far is to be committed. Raises ChannelError.

    An order may come twice, as its state changes while the list is read: it is the same order.
    """
    connection = get_connection(session, connection_id)
    with closing(open_line(session, connection)) as line:
        state = state or {"cursor": None, "read": 0, "total": None, "counts": {}}
        counts = Counter(state["counts"])
        yield Progress(state["read"], state["total"], state)
        for _ in range(_MOST_PAGES):
            page = _read(line, state["cursor"])
            for outcome in take_page(session, line, page.orders):
                counts[outcome] += 1
                yield Progress(state["read"], state["total"], state)
            state = {
                "cursor": page.cursor,
                "read": state["read"] + len(page.orders),
                "total": page.total if page.total is not None else state["total"],
                "counts": dict(counts),
            }
            note_history(session, connection_id, read=state["read"], is_done=page.cursor is None)
            yield Progress(state["read"], state["total"], state)
            if page.cursor is None:
                return


def _read(line: Line, cursor: str | None) -> OrderPage:
    return line.ask("history", lambda channel: channel.read_history(cursor))
