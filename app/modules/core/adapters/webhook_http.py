"""One message over HTTP, behind the guard: no redirects, 15 seconds, and no more of the answer than is kept."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

import httpx2

from app.core.clock import system_now
from app.core.config import get_settings
from app.core.http_client import open_client
from app.core.http_guard import UrlRefusedError, check_url

TIMEOUT_SECONDS = 15.0
EXCERPT_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try: the status of the answer or, without one, a code (timeout, connection, url_refused)."""

    milliseconds: int = 0
    status: int | None = None
    error: str | None = None
    excerpt: str = ""
    retry_after_seconds: float = 0.0


def post(url: str, headers: Mapping[str, str], body: str) -> Outcome:
    """Send ``body`` (JSON). Every failure is an outcome; call with no transaction open."""
    started = time.perf_counter()
    outcome = _try(url, headers, body)
    return replace(outcome, milliseconds=int((time.perf_counter() - started) * 1000))


def _try(url: str, headers: Mapping[str, str], body: str) -> Outcome:
    try:
        checked = check_url(url, get_settings())
        with (
            open_client(total_seconds=TIMEOUT_SECONDS) as client,
            client.stream("POST", checked, content=body.encode(), headers=dict(headers)) as response,
        ):
            return Outcome(
                status=response.status_code,
                excerpt=_excerpt(response),
                retry_after_seconds=_retry_after(response.headers.get("Retry-After", "")),
            )
    except UrlRefusedError:
        return Outcome(error="url_refused")
    except httpx2.TimeoutException:
        return Outcome(error="timeout")
    except httpx2.HTTPError:
        return Outcome(error="connection")


def _excerpt(response: httpx2.Response) -> str:
    """The beginning of the answer; what breaks off while it is read does not undo its status."""
    read = b""
    try:
        for chunk in response.iter_raw(EXCERPT_BYTES):
            read += chunk
            if len(read) >= EXCERPT_BYTES:
                break
    except httpx2.HTTPError:
        pass
    return read[:EXCERPT_BYTES].decode(errors="replace").replace("\x00", "")


def _retry_after(text: str) -> float:
    """Seconds that the other side asks us to wait (a number or a date); 0 when it says nothing usable."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - system_now()).total_seconds())
    except (ValueError, TypeError):
        return 0.0
