"""Faults on request: which request or event is struck, drawn from the store's seed."""

import json
import random
import re
from typing import Any

from sandbox.store import Object, Store

STRIPE, LETZSHOP = "stripe", "letzshop"
OF_ANY = (
    "rate_limit",
    "server_error",
    "unavailable",
    "timeout",
    "timeout_after",
    "lost_answer",
    "cut",
    "slow",
)
OF_WEBHOOKS = ("double", "reorder", "late", "lost", "forged")
OF_LETZSHOP = ("bad_gateway", "html_page", "partial", "repeated", "shuffled")
BEFORE = ("rate_limit", "server_error", "unavailable", "timeout", "bad_gateway", "html_page")
NAMES = {STRIPE: (*OF_ANY, *OF_WEBHOOKS), LETZSHOP: (*OF_ANY, *OF_LETZSHOP)}

Fault = dict[str, Any]


class UnknownFaultError(ValueError):
    """There is no fault of this name, or its pattern is none."""


def add(store: Store, given: Fault, service: str = STRIPE) -> Fault:
    """Set a fault of one stand-in. Only the names above; ``times`` null is for ever.

    ``by`` customer: events are drawn for each customer by itself, so that whom it strikes does not depend on the order
    in which customers do things.
    """
    if given.get("name") not in NAMES[service]:
        raise UnknownFaultError(f"Unknown fault. There are: {', '.join(NAMES[service])}")
    if given.get("by") not in (None, "customer"):
        raise UnknownFaultError("by: customer, or nothing.")
    for pattern in ("path", "event"):
        re.compile(given.get(pattern) or "")
    fault = {
        "service": service,
        "name": given["name"],
        "times": given.get("times", 1),
        "probability": float(given.get("probability", 1)),
        "method": given.get("method"),
        "path": given.get("path"),
        "event": given.get("event"),
        "seconds": float(given["seconds"]) if given.get("seconds") is not None else None,
        "by": given.get("by"),
        "drawn": 0,
    }
    fault["id"] = store.number("fault")
    store.connection.execute("INSERT INTO faults VALUES (?, ?)", (fault["id"], json.dumps(fault)))
    return fault


def all_faults(store: Store, service: str = STRIPE) -> list[Fault]:
    rows = store.connection.execute("SELECT data FROM faults ORDER BY id").fetchall()
    return [fault for row in rows if (fault := json.loads(row[0])).get("service", STRIPE) == service]


def clear(store: Store, service: str = STRIPE) -> None:
    query = "DELETE FROM faults WHERE coalesce(json_extract(data, '$.service'), ?) = ?"
    store.connection.execute(query, (STRIPE, service))


def strike_request(store: Store, method: str, path: str, service: str = STRIPE) -> Fault | None:
    """The fault that strikes this request, if any; it is used up by one."""
    for fault in all_faults(store, service):
        if (
            fault["name"] not in OF_WEBHOOKS
            and fault["method"] in (None, method)
            and (fault["path"] is None or re.search(fault["path"], path))
            and _draw(store, fault)
        ):
            return fault
    return None


def strike_event(store: Store, event: Object) -> Fault | None:
    """The fault that strikes the sending of this event, if any; it is used up by one."""
    event_type = event["type"]
    for fault in all_faults(store):
        if (
            fault["name"] in OF_WEBHOOKS
            and (fault["event"] is None or re.search(fault["event"], event_type))
            and _draw(store, fault, _who(store, event) if fault["by"] else "")
        ):
            return fault
    return None


def _who(store: Store, event: Object) -> str:
    """The name of the customer that an event is about."""
    told = event["data"]["object"]
    customer = told if told["object"] == "customer" else store.load(told.get("customer") or "")
    return str((customer or {}).get("name") or "")


def _draw(store: Store, fault: Fault, who: str = "") -> bool:
    fault["drawn"] += 1
    name = f"{fault['id']}:{who}" if who else str(fault["id"])
    number = store.number(f"drawn:{name}") if who else fault["drawn"]
    chance = random.Random(f"{store.seed}:{name}:{number}").random()  # noqa: S311 - repeatable on purpose
    is_struck = bool(chance < fault["probability"])
    if is_struck and fault["times"] is not None:
        fault["times"] -= 1
    if fault["times"] == 0:
        store.connection.execute("DELETE FROM faults WHERE id = ?", (fault["id"],))
    else:
        store.connection.execute("UPDATE faults SET data = ? WHERE id = ?", (json.dumps(fault), fault["id"]))
    return is_struck
