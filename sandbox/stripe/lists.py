"""Lists: paging by cursors, newest first."""

from collections.abc import Callable
from typing import Any

from sandbox.store import Object
from sandbox.stripe.account import Account, public
from sandbox.stripe.errors import invalid
from sandbox.stripe.forms import TIME_RANGE, Params, Spec

PAGING: dict[str, Spec] = {"limit": int, "starting_after": str, "ending_before": str, "created": TIME_RANGE}
_BATCH = 50
Keeps = Callable[[Object], bool]


def _keeps_all(_row: Object) -> bool:
    return True


def list_of(rows: list[Object], url: str, has_more: bool = False) -> Object:
    """A list object."""
    return {"object": "list", "data": [public(row) for row in rows], "has_more": has_more, "url": url}


def page(
    account: Account, kind: str, params: Params, url: str, keeps: Keeps = _keeps_all, **fields: Any
) -> Object:
    """One page of the objects of a kind that ``keeps`` takes and whose fields have these values (``None``: any)."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("This value must be between 1 and 100.", "limit", "parameter_invalid_integer")
    fields = {name: value for name, value in fields.items() if value is not None}
    found = _read(account, kind, params, limit + 1, keeps, fields)
    more, rows = len(found) > limit, found[:limit]
    if "ending_before" in params:
        rows.reverse()
    return list_of(rows, url, more)


def _read(
    account: Account, kind: str, params: Params, wanted: int, keeps: Keeps, fields: dict[str, Any]
) -> list[Object]:
    """Up to ``wanted`` rows in the direction of the cursor: newest first, or oldest first before one."""
    is_upward = "ending_before" in params
    position: int | None = None
    for name in ("starting_after", "ending_before"):
        if name in params:
            position = account.store.position(params[name])
            if position is None:
                raise invalid(f"No such object: '{params[name]}'", name, "resource_missing")
    batch = max(wanted, _BATCH)
    found: list[Object] = []
    while len(found) < wanted:
        edge = {"after": position} if is_upward else {"before": position if position is not None else 2**62}
        rows = account.store.find(kind, limit=batch, **edge, **fields)
        rows = rows if is_upward else rows[::-1]
        found += [
            row
            for row in rows
            if not row.get("deleted")
            and keeps(row)
            and _is_in(row["created"] if "created" in row else row["date"], params.get("created"))
        ]
        if len(rows) < batch:
            break
        position = account.store.position(rows[-1]["id"])
    return found[:wanted]


def _is_in(moment: int, bounds: Params | None) -> bool:
    bounds = bounds or {}
    return bool(
        moment > bounds.get("gt", -1)
        and moment >= bounds.get("gte", 0)
        and moment < bounds.get("lt", 2**62)
        and moment <= bounds.get("lte", 2**62)
    )
