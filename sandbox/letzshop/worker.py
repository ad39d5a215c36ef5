"""The thread of the stand-in: pulls feeds when it is their time, and pushes where that is wanted."""

import logging
import threading
import time

from sandbox.letzshop.pulling import pull_now
from sandbox.letzshop.pushing import push_waiting
from sandbox.letzshop.state import Letzshop

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.25
_STOP_SECONDS = 40.0


class Worker:
    """Does nothing where nobody has used Letzshop yet."""

    def __init__(self, letzshop: Letzshop) -> None:
        self._letzshop = letzshop
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="letzshop", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_stopped.set()
        self._thread.join(timeout=_STOP_SECONDS)

    def _run(self) -> None:
        pulled = 0.0
        while not self._is_stopped.wait(_LOOK_SECONDS):
            try:
                seconds, pushes = self._wishes()
                if seconds is not None and time.monotonic() >= pulled + seconds:
                    pull_now(self._letzshop)
                    pulled = time.monotonic()
                if pushes:
                    push_waiting(self._letzshop)
            except Exception:
                _log.exception("a feed or a push failed; going on")

    def _wishes(self) -> tuple[float | None, bool]:
        """After how many seconds feeds are pulled, None: not by itself; whether something is to be pushed."""
        letzshop = self._letzshop
        with letzshop.store.lock:
            if letzshop.epoch() is None:
                return None, False
            switches = letzshop.settings()
            has_feeds = any(shop["feeds"] for shop in letzshop.every("shop", state="active"))
            seconds = float(switches["feed_seconds"]) if has_feeds else 0
            return seconds or None, bool(switches["push_url"])
