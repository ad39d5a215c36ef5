"""HTTP to the outside: a guarded client, and downloads with limits on size, time and tries."""

import logging
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO

import httpx2

from app.core.clock import system_now
from app.core.config import Settings, get_settings
from app.core.errors import AppError, TooLargeError
from app.core.http_guard import GuardedTransport, UrlRefusedError, check_url
from app.core.storage import atomic_file

logger = logging.getLogger(__name__)

MAX_REDIRECTS = 5
MAX_RETRIES = 2
MAX_RETRY_AFTER_SECONDS = 30.0
_RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK_BYTES = 64 * 1024


class FetchFailedError(AppError):
    """The other side does not deliver, and trying again would not help. ``params["reason"]`` is a code."""

    status = 502
    code = "core.fetch_failed"
    title = "The other server did not deliver"


class FetchUnavailableError(FetchFailedError):
    """The other side did not answer in time or is busy: trying again later is right."""

    status = 503


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch brought: HTTP status, validators for the next one, decoded size in bytes."""

    status: int
    etag: str | None
    last_modified: str | None
    content_type: str | None
    bytes: int
    not_modified: bool


def open_client(settings: Settings | None = None, *, total_seconds: float = 60.0) -> httpx2.Client:
    """An HTTP client behind the guard; use it in a ``with`` block.

    ``total_seconds`` limits each request from connecting to the last byte of the answer. It follows no
    redirects and ignores proxies of the environment. Raises ``UrlRefusedError`` besides ``httpx2.HTTPError``.
    Read answers of strangers in a stream with a limit (``fetch_to_file`` does).
    """
    settings = settings or get_settings()
    timeout = httpx2.Timeout(settings.http_read_seconds, connect=settings.http_connect_seconds)
    return httpx2.Client(
        transport=GuardedTransport(settings, total_seconds),
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": "Wizamart", "Accept-Encoding": "gzip"},
    )


def tell_neighbour(url: str, body: Mapping[str, str | int], *, total_seconds: float) -> None:
    """POST JSON to a server of this installation, whose address may be private. Raises FetchUnavailableError.

    Never for an address that somebody else could choose.
    """
    settings = get_settings()
    hosts = settings.http_allowed_private_hosts | {httpx2.URL(url).host.lower()}
    allowing = {"http_allowed_private_hosts": hosts, "http_read_seconds": total_seconds}
    try:
        with open_client(settings.model_copy(update=allowing), total_seconds=total_seconds) as client:
            client.post(url, json=body).raise_for_status()
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise FetchUnavailableError(str(error) or type(error).__name__, reason="connection") from None


def fetch_to_file(
    url: str,
    target: Path,
    *,
    max_bytes: int,
    total_seconds: float,
    etag: str | None = None,
    last_modified: str | None = None,
) -> Fetched:
    """GET ``url`` into ``target`` (whole or not at all, mode 0600), with the validators of the last fetch.

    ``max_bytes`` counts decoded bytes, ``total_seconds`` covers redirects and tries. Raises
    ``UrlRefusedError``, ``FetchFailedError`` and ``TooLargeError``.
    """
    conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    headers = {name: value for name, value in conditions.items() if value}
    until = time.monotonic() + total_seconds
    settings = get_settings()
    with open_client(settings) as client:
        for attempt in range(MAX_RETRIES + 1):
            try:
                with _open(client, check_url(url, settings), headers, until) as response:
                    return _receive(response, target, max_bytes)
            except FetchUnavailableError as error:
                pause = max(random.uniform(0.2, 0.6) * 2**attempt, error.params.get("retry_after", 0.0))  # noqa: S311
                is_last = attempt == MAX_RETRIES or pause > MAX_RETRY_AFTER_SECONDS
                if is_last or time.monotonic() + pause >= until:
                    raise
                logger.info("fetch is tried again: %s", error.params.get("reason"))
                time.sleep(pause)
    raise AssertionError("the last try returns or raises")


@contextmanager
def _open(
    client: httpx2.Client, url: httpx2.URL, headers: dict[str, str], until: float
) -> Iterator[httpx2.Response]:
    """The answer at the end of the redirects; each hop passes the guard again."""
    try:
        for _ in range(MAX_REDIRECTS + 1):
            with client.stream("GET", url, headers=headers, extensions={"until": until}) as response:
                if response.status_code not in _REDIRECTS:
                    yield response
                    return
                following = _next_hop(url, response)
            url = following
    except httpx2.TimeoutException as error:
        raise FetchUnavailableError("The other server took too long.", reason="timeout") from error
    except httpx2.DecodingError as error:
        raise FetchFailedError("The answer is damaged.", reason="encoding") from error
    except httpx2.TransportError as error:
        raise FetchUnavailableError("The other server cannot be reached.", reason="connection") from error
    raise FetchFailedError("The other server redirects too often.", reason="redirects")


def _next_hop(url: httpx2.URL, response: httpx2.Response) -> httpx2.URL:
    try:
        following = url.join(response.headers.get("Location", ""))
    except (httpx2.InvalidURL, ValueError):
        raise UrlRefusedError("The other server redirects to nowhere.", reason="invalid") from None
    if url.scheme == "https" and following.scheme != "https":
        raise UrlRefusedError("The other server redirects to an insecure address.", reason="downgrade")
    return following


def _receive(response: httpx2.Response, target: Path, max_bytes: int) -> Fetched:
    status = response.status_code
    if status == 304:
        return _fetched(response, 0)
    if status in _RETRIED_STATUSES:
        wait = retry_after_seconds(response)
        raise FetchUnavailableError(
            f"The other server answered {status}.", reason="status", status=status, retry_after=wait
        )
    if status != 200:
        raise FetchFailedError(f"The other server answered {status}.", reason="status", status=status)
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise TooLargeError(max_bytes=max_bytes)
    with atomic_file(target) as file:
        size = _copy(response, file, max_bytes)
    return _fetched(response, size)


def _copy(response: httpx2.Response, file: BinaryIO, max_bytes: int) -> int:
    size = 0
    for chunk in response.iter_bytes(_CHUNK_BYTES):
        size += len(chunk)
        if size > max_bytes:
            raise TooLargeError(max_bytes=max_bytes)
        file.write(chunk)
    return size


def _fetched(response: httpx2.Response, size: int) -> Fetched:
    headers = response.headers
    return Fetched(
        status=response.status_code,
        etag=headers.get("ETag"),
        last_modified=headers.get("Last-Modified"),
        content_type=headers.get("Content-Type"),
        bytes=size,
        not_modified=response.status_code == 304,
    )


def retry_after_seconds(response: httpx2.Response) -> float:
    """Seconds the other side asks us to wait (a number or a date); 0 when it says nothing usable."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - system_now()).total_seconds())
    except (ValueError, TypeError):
        return 0.0
