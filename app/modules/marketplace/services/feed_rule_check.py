"""Whether what people put together as a rule can be one."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.core.errors import FieldError
from app.modules.marketplace.adapters.columns import COLUMNS, MAX_DESCRIPTION
from app.modules.marketplace.services.feed_rule_actions import (
    DIRECTIONS,
    ENDINGS,
    KINDS,
    PRICE_COLUMNS,
    number_of,
    signed_hundredths,
)
from app.modules.marketplace.services.feed_rules import FILLED_OPS, MATCHES, NUMBER_OPS, OPS, Rule

MAX_CONDITIONS = 20
MAX_WORDS = 1000
MAX_NAME = 100
WRITABLE = tuple(name for name in COLUMNS if name != "id")
"""The columns that a rule may change: the id is what a row is known by."""
_MAX_TEXT = MAX_DESCRIPTION
_LEAST_PERCENT, _MOST_PERCENT = -9_999, 100_000

_Found = Iterator[FieldError]


def check_rule(rule: Rule) -> list[FieldError]:
    """All that is wrong with a rule, by field: ``name``, ``match``, ``conditions/0/value``, ``action/column``.

    Codes: missing, unknown, too_long, too_many, not_a_number, not_writable, not_a_price, percent, same_text,
    nul.
    """
    found = list(_text("name", rule.name, MAX_NAME))
    if rule.match not in MATCHES:
        found.append(_error("match", "unknown"))
    if len(rule.conditions) > MAX_CONDITIONS:
        found.append(_error("conditions", "too_many", limit=MAX_CONDITIONS))
    for number, condition in enumerate(rule.conditions[:MAX_CONDITIONS]):
        found += _condition(f"conditions/{number}", condition)
    kind = rule.action.get("kind")
    if kind not in KINDS:
        return [*found, _error("action/kind", "unknown" if kind else "missing")]
    if kind != "exclude":
        found += _column(rule.action.get("column"), kind)
        found += _ACTIONS[kind](rule.action)
    return found


def _condition(pointer: str, condition: Mapping[str, Any]) -> _Found:
    yield from _text(f"{pointer}/column", condition.get("column"), MAX_NAME)
    op, value = condition.get("op"), condition.get("value")
    pointer = f"{pointer}/value"
    if op not in OPS:
        yield _error(pointer.replace("/value", "/op"), "unknown" if op else "missing")
    elif op in FILLED_OPS:
        return
    elif op == "one_of":
        words = value if isinstance(value, list) else []
        if not any(isinstance(word, str) and word.strip() for word in words):
            yield _error(pointer, "missing")
        elif len(words) > MAX_WORDS:
            yield _error(pointer, "too_many", limit=MAX_WORDS)
        else:
            yield from _texts(pointer, words)
    elif op in NUMBER_OPS and isinstance(value, str) and value.strip():
        if number_of(value) is None:
            yield _error(pointer, "not_a_number")
    else:
        yield from _text(pointer, value, _MAX_TEXT)


def _column(column: Any, kind: str) -> _Found:
    pointer = "action/column"
    if not column:
        yield _error(pointer, "missing")
    elif column not in WRITABLE:
        yield _error(pointer, "not_writable")
    elif kind == "round_price" and column not in PRICE_COLUMNS:
        yield _error(pointer, "not_a_price")


def _set(action: Mapping[str, Any]) -> _Found:
    value = action.get("value")
    # An empty text is meant: it empties the cell.
    if not isinstance(value, str):
        yield _error("action/value", "missing")
        return
    yield from _texts("action/value", [value])


def _replace(action: Mapping[str, Any]) -> _Found:
    find, put = action.get("find"), action.get("with", "")
    if not isinstance(find, str) or not find:
        yield _error("action/find", "missing")
        return
    yield from _texts("action/find", [find])
    yield from _texts("action/with", [put])
    if find == put:
        yield _error("action/with", "same_text")


def _map(action: Mapping[str, Any]) -> _Found:
    table, otherwise = action.get("table"), action.get("otherwise")
    if not isinstance(table, dict) or not any(isinstance(key, str) and key.strip() for key in table):
        yield _error("action/table", "missing")
    elif len(table) > MAX_WORDS:
        yield _error("action/table", "too_many", limit=MAX_WORDS)
    else:
        yield from _texts("action/table", [*table, *table.values()])
    if otherwise is not None:
        yield from _texts("action/otherwise", [otherwise])
    if action.get("source"):
        yield from _text("action/source", action["source"], MAX_NAME)


def _round_price(action: Mapping[str, Any]) -> _Found:
    for name, known in (("ending", ENDINGS), ("direction", DIRECTIONS)):
        if action.get(name) not in known:
            yield _error(f"action/{name}", "unknown" if action.get(name) else "missing")
    for name in ("percent", "fixed"):
        value = action.get(name) or "0"
        number = signed_hundredths(value) if isinstance(value, str) else None
        if number is None:
            yield _error(f"action/{name}", "not_a_number")
        elif name == "percent" and not _LEAST_PERCENT <= number <= _MOST_PERCENT:
            yield _error("action/percent", "percent")


_ACTIONS: Mapping[str, Callable[[Mapping[str, Any]], _Found]] = {
    "set": _set,
    "replace": _replace,
    "map": _map,
    "round_price": _round_price,
}


def _text(pointer: str, value: Any, limit: int) -> _Found:
    if not isinstance(value, str) or not value.strip():
        yield _error(pointer, "missing")
    else:
        yield from _texts(pointer, [value], limit)


def _texts(pointer: str, values: list[Any], limit: int = _MAX_TEXT) -> _Found:
    for value in values:
        if not isinstance(value, str):
            yield _error(pointer, "missing")
            return
        if len(value) > limit:
            yield _error(pointer, "too_long", limit=limit)
            return
        if "\x00" in value:
            yield _error(pointer, "nul")
            return


def _error(pointer: str, code: str, **params: Any) -> FieldError:
    return FieldError(pointer, code, f"marketplace.rule_errors.{code}", params)
