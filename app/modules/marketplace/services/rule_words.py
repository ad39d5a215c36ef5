"""Rules as people read them."""

from collections.abc import Mapping
from typing import Any

from app.core.i18n import translate
from app.modules.marketplace.services.feed_rules import FILLED_OPS

_SHOWN_PAIRS = 5


def condition_text(language: str, condition: Mapping[str, Any]) -> str:
    """A condition: "brand is one of Gutt, Holz"."""
    op, value = condition["op"], condition.get("value", "")
    words = translate(language, f"marketplace.rule_ops.{op}")
    if op in FILLED_OPS:
        return f"{condition['column']} {words}"
    shown = ", ".join(f"“{one}”" for one in (value if isinstance(value, list) else [value]))
    return f"{condition['column']} {words} {shown}"


def action_text(language: str, action: Mapping[str, Any]) -> str:
    """What a rule does."""
    kind = action["kind"]
    key = f"marketplace.rule_texts.{kind}"
    column = action.get("column", "")
    if kind == "set":
        return translate(language, key, column=column, value=action["value"])
    if kind == "replace":
        return translate(language, key, column=column, find=action["find"], put=action.get("with", ""))
    if kind == "map":
        pairs = list(action["table"].items())
        shown = ", ".join(f"“{old}” → “{new}”" for old, new in pairs[:_SHOWN_PAIRS])
        shown += " …" if len(pairs) > _SHOWN_PAIRS else ""
        return translate(language, key, column=column, source=action.get("source") or column, pairs=shown)
    if kind == "round_price":
        return translate(
            language,
            key,
            column=column,
            ending=translate(language, f"marketplace.endings.{action['ending']}"),
            direction=translate(language, f"marketplace.directions.{action['direction']}"),
            percent=action.get("percent") or "0",
            fixed=action.get("fixed") or "0",
        )
    return translate(language, key)
