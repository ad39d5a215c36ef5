"""Pages of a list: opaque cursors that stay good while rows leave the list, or, as a trap, ones that do not."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphql import GraphQLError

from sandbox.letzshop.settings import Settings
from sandbox.letzshop.state import Letzshop
from sandbox.store import Object


@dataclass(frozen=True)
class Listed:
    """Which rows: of a kind, of some shops, in a state."""

    kind: str
    shops: Sequence[str] | None = None
    state: str | None = None


def page(
    letzshop: Letzshop,
    switches: Settings,
    listed: Listed,
    asked: tuple[int | None, str | None],
    show: Callable[[Object], Object],
) -> Object:
    """A connection; ``asked`` is ``first`` and ``after``. Raises GraphQLError for a cursor that is none of ours."""
    first, after = asked
    size = max(0, min(switches["page_default"] if first is None else first, switches["page_cap"]))
    way, position = _read(after)
    start = {"skip": position} if way == "skip" else {"after": position}
    rows = letzshop.rows(listed.kind, shops=listed.shops, state=listed.state, limit=size + 1, **start)
    has_more, rows = len(rows) > size, rows[:size]
    is_trap = switches["offset_cursors"]
    end = position + len(rows) if is_trap else (rows[-1][0] if rows else position)
    info = {
        "hasNextPage": has_more,
        "hasPreviousPage": position > 0,
        "startCursor": _write(is_trap, position + 1 if is_trap else rows[0][0]) if rows else None,
        "endCursor": _write(is_trap, end) if rows else None,
    }
    return {
        "nodes": [show(value) for _, value in rows],
        "pageInfo": info,
        "totalCount": lambda _info: letzshop.count(listed.kind, shops=listed.shops, state=listed.state),
    }


def _write(is_trap: bool, position: int) -> str:
    return base64.urlsafe_b64encode(f"{'skip' if is_trap else 'after'}:{position}".encode()).decode()


def _read(cursor: str | None) -> tuple[str, int]:
    if not cursor:
        return "after", 0
    try:
        way, _, position = base64.urlsafe_b64decode(cursor).decode().partition(":")
        if way in ("skip", "after"):
            return way, int(position)
    except (binascii.Error, ValueError):
        pass
    raise GraphQLError(f"Invalid cursor: {cursor}")
