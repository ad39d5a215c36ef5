"""The account: its objects, its time, the events it emits."""

import copy
from collections.abc import Callable
from typing import Any, TypeVar

from sandbox.store import Object, Store
from sandbox.stripe.errors import StripeError, missing

API_VERSION = "2026-10-28.endive"
_MAX_STEPS = 100_000

Action = Callable[["Account", Object], object]
AnAction = TypeVar("AnAction", bound=Action)
ACTIONS: dict[str, Action] = {}


def action(name: str) -> Callable[[AnAction], AnAction]:
    """What the agenda can do with an object when its time comes."""

    def register(function: AnAction) -> AnAction:
        ACTIONS[name] = function
        return function

    return register


def public(value: Object) -> Object:
    """The object as the API shows it: names with a leading underscore are the stand-in's own."""
    return {name: field for name, field in value.items() if not name.startswith("_")}


class Account:
    """One request, or one step of the agenda, at a time: the caller holds the store's transaction."""

    def __init__(self, store: Store, base_url: str) -> None:
        self.store = store
        self.base_url = base_url
        self.on_event: Callable[[Account, Object], None] = lambda _account, _event: None
        self.begin()

    def begin(self, request_id: str | None = None, idempotency_key: str | None = None) -> None:
        """Start of a request: whatever it touches decides whose clock it runs by."""
        self.moment: int | None = None
        self.request: Object = {"id": request_id, "idempotency_key": idempotency_key}
        self.is_preview = False

    def now(self) -> int:
        return self.store.now() if self.moment is None else self.moment

    def new_id(self, prefix: str, length: int = 24) -> str:
        return self.store.new_id(prefix, length)

    def get(self, kind: str, object_id: str, param: str | None = None) -> Object:
        """The object, or Stripe's error for a missing one. Its test clock, if it has one, is the time from here."""
        value = self.store.load(object_id)
        if value is None or value["object"] != kind or (value.get("deleted") and param):
            raise missing(kind, object_id, param)
        self.follow_clock_of(value)
        return value

    def follow_clock_of(self, value: Object) -> None:
        if self.moment is None and value.get("test_clock"):
            clock = self.store.load(value["test_clock"])
            self.moment = clock["frozen_time"] if clock else None

    def create(self, value: Object, event: str | None = None) -> Object:
        self.store.save(value)
        if event:
            self.emit(event, value)
        return value

    def change(self, value: Object, event: str | None, **fields: Any) -> Object:
        """Set fields (or store what the caller has set), save, and emit the event with what was before."""
        before = self.store.load(value["id"]) or {}
        value.update(fields)
        if value == before:
            return value
        self.store.save(value)
        if event:
            self.emit(event, value, before)
        return value

    def emit(self, event: str, value: Object, before: Object | None = None) -> None:
        data: Object = {"object": copy.deepcopy(public(value))}
        if before is not None and event.endswith((".updated", ".succeeded", ".failed")):
            changed = {k: v for k, v in public(before).items() if value.get(k) != v}
            if changed:
                data["previous_attributes"] = changed
        made = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": dict(self.request),
            "type": event,
        }
        self.on_event(self, made)
        self.store.save(made)

    def plan(self, value: Object, at: int, name: str) -> None:
        self.store.plan(value.get("test_clock") or "", at, name, value["id"])

    def run_due(self, until: int, clock: str = "") -> int:
        """Do what falls due until then, in order of time, each step on its own. Returns how many."""
        for step in range(_MAX_STEPS):
            with self.store.transaction():
                due = self.store.take_due(clock, until)
                if due is None:
                    return step
                self.begin()
                at, name, object_id = due
                self.moment = at
                value = self.store.load(object_id)
                if value is not None:
                    ACTIONS[name](self, value)
        raise StripeError(500, "Too much falls due at once.", kind="api_error")
