"""Sending events: signed, in the order of the queue, tried again for a while, only to addresses given by control."""

import hashlib
import hmac
import json
import logging
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2

from sandbox.faults import strike_event
from sandbox.store import Object, Store
from sandbox.stripe.account import Account, public

_log = logging.getLogger(__name__)
_RETRY_SECONDS = (0.5, 1, 2, 4, 8, 15, 30)
_SEND_SECONDS = 10.0
_HELD_SECONDS = 3.0
_LATE_SECONDS = 2.0
_LOOK_SECONDS = 0.05
_TICK_SECONDS = 1.0


def origin(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def enqueue(account: Account, event: Object) -> None:
    """Queue the event for every endpoint that wants it."""
    store = account.store
    for endpoint in store.find("webhook_endpoint", status="enabled"):
        wanted = endpoint["enabled_events"]
        if "*" in wanted or event["type"] in wanted:
            event["pending_webhooks"] += 1
            _queue(store, event["id"], endpoint, strike_event(store, event))


def _queue(store: Store, event_id: str, endpoint: Object, fault: dict[str, Any] | None) -> None:
    name = fault["name"] if fault else None
    seconds = fault["seconds"] if fault else None
    now = time.time()
    state, due = "waiting", now
    if origin(endpoint["url"]) not in store.setting("origins", []):
        state = "refused"
    elif name == "lost":
        state = "lost"
    elif name == "late":
        due = now + (seconds or _LATE_SECONDS)
    elif name == "reorder":
        state, due = "held", now + (seconds or _HELD_SECONDS)
    for _ in range(2 if name == "double" else 1):
        _insert(store, event_id, endpoint["id"], due, state, name)
    if state != "held":
        _release(store, endpoint["id"])


def _insert(store: Store, event_id: str, endpoint_id: str, due: float, state: str, fault: str | None) -> None:
    store.connection.execute(
        "INSERT INTO deliveries (event_id, endpoint_id, due, state, fault) VALUES (?, ?, ?, ?, ?)",
        (event_id, endpoint_id, due, state, fault),
    )


def _release(store: Store, endpoint_id: str) -> None:
    """What was held back goes behind the one that has just come."""
    rows = store.connection.execute(
        "SELECT seq, event_id FROM deliveries WHERE state = 'held' AND endpoint_id = ? ORDER BY seq",
        (endpoint_id,),
    ).fetchall()
    for seq, event_id in rows:
        store.connection.execute("DELETE FROM deliveries WHERE seq = ?", (seq,))
        _insert(store, event_id, endpoint_id, time.time(), "waiting", "reorder")


def signature(secret: str, moment: int, payload: str) -> str:
    """The header ``Stripe-Signature``. The moment is system time: receivers compare it with theirs."""
    digest = hmac.new(secret.encode(), f"{moment}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class Sender:
    """A thread that sends what is due, and lets what falls due by the clock happen."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.store = account.store
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_stopped.set()
        self._thread.join(timeout=_SEND_SECONDS + 1)

    def _run(self) -> None:
        next_tick = 0.0
        with httpx2.Client(timeout=_SEND_SECONDS, follow_redirects=False, trust_env=False) as client:
            while not self._is_stopped.is_set():
                is_busy = False
                try:
                    if time.monotonic() >= next_tick:
                        next_tick = time.monotonic() + _TICK_SECONDS
                        self._tick()
                    is_busy = self._send_next(client)
                except Exception:
                    _log.exception("sending or the clock failed; going on")
                if not is_busy:
                    self._is_stopped.wait(_LOOK_SECONDS)

    def _tick(self) -> None:
        with self.store.lock:
            self.account.run_due(self.store.now())

    def _send_next(self, client: httpx2.Client) -> bool:
        with self.store.transaction():
            row = self.store.connection.execute(
                "SELECT seq, event_id, endpoint_id, attempts, fault FROM deliveries "
                "WHERE state IN ('waiting', 'held') AND due <= ? ORDER BY due, seq LIMIT 1",
                (time.time(),),
            ).fetchone()
            if row is None:
                return False
            seq, event_id, endpoint_id, attempts, fault = row
            event, endpoint = self.store.load(event_id), self.store.load(endpoint_id)
        if event is None or endpoint is None:
            self._note(seq, "failed", attempts, "endpoint removed")
            return True
        answer, is_fine = self._send(client, event, endpoint, is_forged=fault == "forged")
        state = "delivered" if is_fine else "waiting" if attempts < len(_RETRY_SECONDS) else "failed"
        self._note(seq, state, attempts + 1, answer)
        return True

    def _send(
        self, client: httpx2.Client, event: Object, endpoint: Object, *, is_forged: bool
    ) -> tuple[str, bool]:
        payload = json.dumps(public(event), indent=2)
        secret = "whsec_forged" if is_forged else endpoint["_secret"]
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(secret, int(time.time()), payload),
            "User-Agent": "Stripe/1.0 (stand-in)",
        }
        try:
            answered = client.post(endpoint["url"], content=payload.encode(), headers=headers)
        except httpx2.HTTPError as error:
            return type(error).__name__, False
        return str(answered.status_code), answered.is_success

    def _note(self, seq: int, state: str, attempts: int, answer: str) -> None:
        due = time.time() + (_RETRY_SECONDS[attempts - 1] if state == "waiting" else 0)
        with self.store.transaction():
            self.store.connection.execute(
                "UPDATE deliveries SET state = ?, attempts = ?, answer = ?, due = ? WHERE seq = ?",
                (state, attempts, answer, due, seq),
            )


def deliveries(store: Store) -> list[dict[str, Any]]:
    """Everything sent, to be sent, or lost on purpose; oldest first."""
    names = ("seq", "event", "type", "url", "state", "attempts", "answer", "fault")
    rows = store.connection.execute(
        "SELECT d.seq, d.event_id, json_extract(e.data, '$.type'), json_extract(p.data, '$.url'), d.state, d.attempts, "
        "d.answer, d.fault FROM deliveries d LEFT JOIN objects e ON e.id = d.event_id "
        "LEFT JOIN objects p ON p.id = d.endpoint_id ORDER BY d.seq"
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def undelivered(store: Store) -> int:
    """How much waits to be sent."""
    query = "SELECT count(*) FROM deliveries WHERE state IN ('waiting', 'held')"
    return int(store.connection.execute(query).fetchone()[0])


def replay(store: Store, event_id: str) -> int:
    """Send an event once more to every endpoint. Returns how many."""
    endpoints = store.find("webhook_endpoint", status="enabled")
    for endpoint in endpoints:
        _queue(store, event_id, endpoint, None)
    return len(endpoints)
