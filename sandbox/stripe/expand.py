"""``expand``: identifiers replaced by their objects, and fields that are left out unless asked for."""

from collections.abc import Callable
from typing import Any

from sandbox.store import Object
from sandbox.stripe.account import Account, public
from sandbox.stripe.errors import invalid

_MAX_DEPTH = 4
# (kind, field): what is left out of the object unless it is asked for
INCLUDED: dict[tuple[str, str], Callable[[Account, Object], Any]] = {}


def includes(
    kind: str, name: str
) -> Callable[[Callable[[Account, Object], Any]], Callable[[Account, Object], Any]]:
    """Register what gives a field that is left out unless asked for."""

    def register(function: Callable[[Account, Object], Any]) -> Callable[[Account, Object], Any]:
        INCLUDED[kind, name] = function
        return function

    return register


def expand(account: Account, value: Object, path: str) -> None:
    """Expand one dotted path in place; ``data.`` goes through every row of a list."""
    _expand(account, value, path.split("."), path, 0)


def _expand(account: Account, value: Any, names: list[str], path: str, depth: int) -> None:
    """``depth``: how many objects of the path have been put in so far."""
    if depth > _MAX_DEPTH:
        raise invalid(f"You cannot expand more than {_MAX_DEPTH} levels of a property.", "expand")
    if isinstance(value, list):
        for one in value:
            _expand(account, one, names, path, depth)
    elif names and value is not None:
        if not isinstance(value, dict):
            raise _cannot(path)
        is_put_in = _put_in(account, value, names[0], path)
        _expand(account, value[names[0]], names[1:], path, depth + is_put_in)


def _put_in(account: Account, value: Object, name: str, path: str) -> bool:
    """Make ``value[name]`` an object. False where it is one already."""
    present = value.get(name)
    if isinstance(present, dict | list):
        return False
    if (maker := INCLUDED.get((str(value.get("object")), name))) is not None:
        value[name] = maker(account, account.store.load(value["id"]) or value)
        return True
    found = account.store.load(present) if isinstance(present, str) else None
    if name not in value or (found is None and present is not None):
        raise _cannot(path)
    value[name] = public(found) if found else None
    return True


def _cannot(path: str) -> Exception:
    return invalid(f"This property cannot be expanded ({path}).", "expand")
