"""A rule as a form has it: plain texts by the names of its controls, read into a rule and made of one."""

from collections.abc import Mapping
from typing import Any

from app.core.errors import FieldError
from app.modules.marketplace.services.feed_rules import FILLED_OPS, Rule

CONDITIONS = 5
"""Rows of the form; a rule made by a program may have more, and keeps as many rows."""
_SEPARATOR = ";"
_ARROW = "="
# Controls of each kind of action, named after its keys.
KIND_FIELDS: Mapping[str, tuple[str, ...]] = {
    "set": ("column", "value"),
    "replace": ("column", "find", "with", "ignore_case"),
    "map": ("column", "source", "table", "otherwise"),
    "round_price": ("column", "percent", "fixed", "ending", "direction"),
    "exclude": (),
}


def rule_of(typed: Mapping[str, str], kind: str, rows: int) -> Rule:
    """The rule that somebody typed, right or wrong (see `check_rule`). Rows without anything are left out."""
    conditions = [found for number in range(rows) if (found := _condition(typed, number))]
    action: dict[str, Any] = {"kind": kind}
    for name in KIND_FIELDS.get(kind, ()):
        value = typed.get(name, "")
        if name == "table":
            action[name] = _table(value)
        elif name == "ignore_case":
            action[name] = bool(value)
        elif value or name not in ("source", "otherwise"):
            action[name] = value
    return Rule("", typed.get("name", ""), typed.get("match", "all"), conditions, action)


def typed_of(rule: Rule) -> dict[str, str]:
    """What the controls show for a rule."""
    typed = {"name": rule.name, "match": rule.match}
    for number, condition in enumerate(rule.conditions):
        value = condition.get("value", "")
        typed[f"column_{number}"] = condition["column"]
        typed[f"op_{number}"] = condition["op"]
        typed[f"value_{number}"] = (
            f"{_SEPARATOR} ".join(value) if isinstance(value, list) else str(value or "")
        )
    for name in KIND_FIELDS[rule.action["kind"]]:
        value = rule.action.get(name)
        if isinstance(value, dict):
            typed[name] = "\n".join(f"{old} {_ARROW} {new}" for old, new in value.items())
        else:
            typed[name] = "true" if value is True else str(value or "")
    return typed


def control_of(error: FieldError, typed: Mapping[str, str], rows: int) -> str:
    """The control that an error of `check_rule` is about."""
    parts = error.pointer.split("/")
    if parts[0] == "conditions" and len(parts) == 3:
        used = [number for number in range(rows) if _condition(typed, number)]
        return f"{parts[2]}_{used[int(parts[1])]}"
    return parts[-1]


def _condition(typed: Mapping[str, str], number: int) -> dict[str, Any] | None:
    column, op, value = (typed.get(f"{name}_{number}", "") for name in ("column", "op", "value"))
    if not column and not value:
        return None
    found: dict[str, Any] = {"column": column, "op": op}
    if op in FILLED_OPS:
        return found
    if op == "one_of":
        return {**found, "value": [word for one in value.split(_SEPARATOR) if (word := one.strip())]}
    return {**found, "value": value}


def _table(text: str) -> dict[str, str]:
    """A line is "old = new"; without "=" the cell is emptied."""
    pairs = (line.partition(_ARROW) for line in text.splitlines() if line.strip())
    return {old.strip(): new.strip() for old, _, new in pairs}
