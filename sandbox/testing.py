"""A sandbox for tests: a server in a thread of this process, its clock and its doors."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import stripe

from sandbox.app import server
from sandbox.letzshop.testing import LetzshopBox

# Trusts nobody, so it is for plain http only: to read the authorities costs more than most requests.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_START_SECONDS = 20.0


@dataclass(frozen=True)
class Sandbox:
    """``url`` without a slash at the end."""

    url: str

    def client(self, **options: Any) -> stripe.StripeClient:
        """The official library, talking to this sandbox."""
        return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": f"{self.url}/stripe"}, **options)

    def control(self, method: str, path: str, given: Any = None) -> Any:
        """Use a control door: ``control("POST", "/clock", {...})``."""
        body = None if given is None else json.dumps(given)
        headers = {"Content-Type": "application/json"}
        answer = httpx2.request(
            method,
            f"{self.url}/_control{path}",
            content=body,
            headers=headers,
            timeout=320.0,
            trust_env=False,
            verify=NO_TLS,
        )
        if answer.status_code >= 400:
            raise ValueError(answer.text)
        return answer.json()

    def letzshop(self) -> LetzshopBox:
        """The stand-in for Letzshop."""
        client = httpx2.Client(trust_env=False, verify=NO_TLS, timeout=60.0)
        return LetzshopBox(f"{self.url}/letzshop/graphql", self.control, client)

    def advance(self, *, days: float = 0, seconds: float = 0) -> int:
        """Move the clock; everything due in between happens. Returns the new time."""
        moved = self.control("POST", "/clock", {"advance_seconds": int(days * 86400 + seconds)})
        return int(moved["now"])


@contextmanager
def running_sandbox(*, data_dir: Path | None = None, seed: str = "wizamart") -> Iterator[Sandbox]:
    """A sandbox on a free port; in memory unless a folder is given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running, _account = server(host="127.0.0.1", port=port, data_dir=data_dir, seed=seed)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not running.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running.started, "the sandbox did not start"
    try:
        yield Sandbox(f"http://127.0.0.1:{port}")
    finally:
        running.should_exit = True
        thread.join(timeout=_START_SECONDS)
