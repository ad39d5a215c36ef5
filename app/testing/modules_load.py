"""Browsers of the module proof: they ask for pages at an even rate and note what comes back."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import httpx2

from app.testing.browsing import sign_in

# Of the module that is switched, of one that it stands on, and of core, whose menu and tiles change.
FLIPPED_PAGE = "/vendor/MINETT/imports"
_PAGES = (FLIPPED_PAGE, "/vendor/MINETT", "/vendor/MINETT/products", "/vendor/MINETT/imports/new")
_TIMEOUT_SECONDS = 10.0
_BROWSERS_PER_PROCESS = 2


@dataclass(slots=True)
class Load:
    """What the browsers saw: how often each status, which requests got no answer, and the slowest (seconds)."""

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, client: httpx2.Client, page: str) -> int:
        """One request; returns its status, 0 for none."""
        started = time.monotonic()
        try:
            status = client.get(page).status_code
        except httpx2.HTTPError as error:
            with self.lock:
                self.failures.append(f"{page}: {type(error).__name__}")
            return 0
        with self.lock:
            self.statuses[status] += 1
            self.slowest = max(self.slowest, time.monotonic() - started)
        return status


def signed_in(base_url: str) -> httpx2.Client:
    """The owner of MINETT in a browser of a web process."""
    client = httpx2.Client(base_url=base_url, timeout=_TIMEOUT_SECONDS, trust_env=False)
    sign_in(client, "vendor", "owner@minett.example")
    return client


@contextmanager
def steady_load(load: Load, base_urls: Sequence[str], per_second: float) -> Iterator[None]:
    """Ask the processes for pages during the block, together so often per second."""
    stop = threading.Event()
    pause = len(base_urls) * _BROWSERS_PER_PROCESS / per_second
    threads = [
        threading.Thread(target=_browse, args=(load, signed_in(base_url), pause, stop), daemon=True)
        for base_url in base_urls
        for _ in range(_BROWSERS_PER_PROCESS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(2 * _TIMEOUT_SECONDS)


def _browse(load: Load, client: httpx2.Client, pause: float, stop: threading.Event) -> None:
    due = time.monotonic()
    with closing(client):
        for page in itertools.cycle(_PAGES):
            load.ask(client, page)
            due += pause
            if stop.wait(max(0.0, due - time.monotonic())):
                return
