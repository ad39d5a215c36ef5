"""The control door: clock, webhooks, faults, settings, dump. JSON in, JSON out."""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox import faults, webhooks
from sandbox.stripe.account import Account
from sandbox.stripe.events import make_endpoint
from sandbox.stripe.subscriptions import DUNNING_ENDS

Given = dict[str, Any]
T = TypeVar("T")
_LOOK_SECONDS = 0.05
_MAX_DRAIN_SECONDS = 300.0


class ControlError(ValueError):
    """What was asked makes no sense."""


def show_clock(account: Account, _given: Given) -> Given:
    store = account.store
    return {
        "now": store.now(),
        "offset_seconds": store.setting("offset", 0),
        "frozen_at": store.setting("frozen_at"),
    }


def move_clock(account: Account, given: Given) -> Given:
    """Set the offset, move on by some seconds, or freeze; then everything due until now happens in order."""
    store = account.store
    unknown = set(given) - {"offset_seconds", "advance_seconds", "frozen_at"}
    if unknown or not given:
        raise ControlError("Say offset_seconds, advance_seconds or frozen_at.")
    with store.lock:
        if "frozen_at" in given:
            store.set("frozen_at", given["frozen_at"])
        if "offset_seconds" in given:
            store.set("offset", int(given["offset_seconds"]))
        if "advance_seconds" in given:
            store.set("offset", int(store.setting("offset", 0)) + int(given["advance_seconds"]))
        until = store.now()
    steps = account.run_due(until)  # events are sent between its steps
    with store.lock:
        return {**show_clock(account, {}), "steps": steps}


def list_webhooks(account: Account, _given: Given) -> Given:
    return {"data": account.store.find("webhook_endpoint")}


def set_webhook(account: Account, given: Given) -> Given:
    """An endpoint and its secret; the same address is replaced. Its origin may be sent to from now on."""
    url = str(given.get("url", ""))
    if not url.startswith(("http://", "https://")) or not given.get("secret"):
        raise ControlError("Say url (http or https) and secret.")
    store = account.store
    with store.transaction():
        account.begin()
        for former in store.find("webhook_endpoint", url=url):
            store.remove(former["id"])
        store.set("origins", sorted({*store.setting("origins", []), webhooks.origin(url)}))
        return make_endpoint(account, url, given.get("events") or ["*"], given["secret"], {})


def set_only_webhook(account: Account, url: str, secret: str) -> None:
    """One endpoint for everything; those of former runs are forgotten."""
    store = account.store
    with store.transaction():
        for former in store.find("webhook_endpoint"):
            store.remove(former["id"])
        store.set("origins", [])
    set_webhook(account, {"url": url, "secret": secret})


def remove_webhook(account: Account, given: Given) -> Given:
    with account.store.transaction():
        account.store.remove(str(given["id"]))
    return {"id": given["id"], "deleted": True}


def list_deliveries(account: Account, _given: Given) -> Given:
    return {"data": webhooks.deliveries(account.store)}


def drain(account: Account, given: Given) -> Given:
    """Wait until nothing waits to be sent; says how much still does when the time is over."""
    deadline = time.monotonic() + min(float(given.get("timeout_seconds", 30)), _MAX_DRAIN_SECONDS)
    while True:
        with account.store.lock:
            left = webhooks.undelivered(account.store)
        if not left or time.monotonic() >= deadline:
            return {"left": left}
        time.sleep(_LOOK_SECONDS)


def replay(account: Account, given: Given) -> Given:
    event_id = str(given.get("event"))
    with account.store.transaction():
        if account.store.load(event_id) is None:
            raise ControlError("There is no such event.")
        return {"sent_to": webhooks.replay(account.store, event_id)}


def list_faults(account: Account, _given: Given) -> Given:
    return {"data": faults.all_faults(account.store)}


def add_fault(account: Account, given: Given) -> Given:
    with account.store.transaction():
        return faults.add(account.store, given)


def clear_faults(account: Account, _given: Given) -> Given:
    with account.store.transaction():
        faults.clear(account.store)
    return {"data": []}


def change_settings(account: Account, given: Given) -> Given:
    """``dunning_end``: what becomes of a subscription after the last failed attempt."""
    if set(given) - {"dunning_end"} or given.get("dunning_end") not in DUNNING_ENDS:
        raise ControlError(f"Say dunning_end: {', '.join(DUNNING_ENDS)}.")
    with account.store.transaction():
        account.store.set("dunning_end", given["dunning_end"])
    return given


def reset(account: Account, _given: Given) -> Given:
    account.store.reset()
    return {"is_reset": True}


def dump(account: Account, given: Given) -> Given:
    """Everything, or the objects of some ``kinds`` (separated by commas)."""
    kinds = str(given["kinds"]).split(",") if "kinds" in given else None
    with account.store.lock:
        return account.store.dump(kinds)


def health(_account: Account, _given: Given) -> Given:
    return {"is_ready": True}


_DOORS: tuple[tuple[str, str, Callable[[Account, Given], Given]], ...] = (
    ("GET", "/clock", show_clock),
    ("POST", "/clock", move_clock),
    ("GET", "/webhooks", list_webhooks),
    ("POST", "/webhooks", set_webhook),
    ("DELETE", "/webhooks/{id}", remove_webhook),
    ("GET", "/deliveries", list_deliveries),
    ("POST", "/deliveries/drain", drain),
    ("POST", "/deliveries/replay", replay),
    ("GET", "/faults", list_faults),
    ("POST", "/faults", add_fault),
    ("DELETE", "/faults", clear_faults),
    ("POST", "/settings", change_settings),
    ("POST", "/reset", reset),
    ("GET", "/dump", dump),
    ("GET", "/health", health),
)


def routes(account: Account) -> list[Route]:
    """The doors, mounted under ``/_control``."""
    return door_routes(account, _DOORS)


def door_routes(owner: T, doors: Sequence[tuple[str, str, Callable[[T, Given], Given]]]) -> list[Route]:
    """Method, path and function of each; what was given is the function's second argument, and is JSON."""
    return [Route(path, _endpoint(owner, door), methods=[method]) for method, path, door in doors]


def _endpoint(owner: T, door: Callable[[T, Given], Given]) -> Callable[[Request], Any]:
    async def answer(request: Request) -> JSONResponse:
        given: Given = {**request.query_params, **request.path_params}
        if request.method == "POST":
            # A page of another site cannot send this type without being allowed to, and nobody allows it.
            if request.headers.get("content-type", "").split(";")[0] != "application/json":
                return JSONResponse({"error": "Send application/json."}, 415)
            given |= await request.json() if await request.body() else {}
        try:
            return JSONResponse(await run_in_threadpool(door, owner, given))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)

    return answer
