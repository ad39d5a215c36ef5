"""Telling an address what happened, signed. Ours alone: what the platform itself would send is not known."""

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import httpx2

from sandbox.letzshop.state import Letzshop
from sandbox.store import Object

_SECONDS = 10.0
_MOST_ATTEMPTS = 5
_KEY = "stand-in"


def push_waiting(letzshop: Letzshop) -> int:
    """Send what waits, oldest first; what cannot be sent is tried again at the next call. Returns how many arrived."""
    with letzshop.work():
        switches = letzshop.settings()
        waiting = [value for _, value in letzshop.rows("push", state="waiting", limit=100)]
    url, secret = switches["push_url"], switches["push_secret"]
    if not waiting or not url:
        return 0
    arrived = 0
    with httpx2.Client(timeout=_SECONDS, follow_redirects=False, trust_env=False) as client:
        for push in waiting:
            answer, is_fine = _send(client, url, secret, push)
            attempts = int(push.get("attempts", 0)) + 1
            state = "delivered" if is_fine else "failed" if attempts >= _MOST_ATTEMPTS else "waiting"
            with letzshop.work():
                letzshop.put("push", {**push, "attempts": attempts, "answer": answer}, state=state)
            if not is_fine:
                break
            arrived += 1
    return arrived


def signature(secret: str, moment: int, body: str) -> str:
    """Over time and body, so that neither can be changed."""
    return hmac.new(secret.encode(), f"{moment}.{body}".encode(), hashlib.sha256).hexdigest()


def _send(client: httpx2.Client, url: str, secret: str, push: Object) -> tuple[str, bool]:
    told = {name: push[name] for name in ("type", "at", "shop", "shipment")}
    body = json.dumps({**told, "id": push["id"].removeprefix("push_")})
    moment = int(time.time())
    signed = {"auth_key": _KEY, "auth_timestamp": moment, "auth_signature": signature(secret, moment, body)}
    try:
        answered = client.post(
            f"{url}{'&' if '?' in url else '?'}{urlencode(signed)}",
            content=body.encode(),
            headers={"Content-Type": "application/json"},
        )
    except httpx2.HTTPError as error:
        return type(error).__name__, False
    return str(answered.status_code), answered.is_success
