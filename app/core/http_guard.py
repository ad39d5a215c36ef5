"""The guard on every outgoing HTTP request, safe for addresses that people type.

A host name is resolved once, every address it has must be public, and the connection goes to the address
that was checked, while the Host header and the TLS certificate check keep the name.
``http_allowed_private_hosts`` (entries ``host`` or ``host:port``, lower case) is the one exception.
"""

import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Self

import httpcore2
import httpx2

from app.core.config import Settings
from app.core.errors import AppError
from app.core.tracing import span

_ALLOWED_PORTS = frozenset({80, 443, 8080, 8443})
_MAX_ADDRESSES = 4
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_][a-z0-9_-]{0,62}(\.[a-z0-9_][a-z0-9_-]{0,62})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

_PRIVATE_V4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
# Public IPv6 is inside 2000::/3: mapped IPv4, NAT64, unique local, link-local and multicast are outside.
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_PRIVATE_V6 = [
    ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]  # special purposes with Teredo; documentation; 6to4; documentation


class UrlRefusedError(AppError):
    """The platform does not call this address. ``params["reason"]`` says why, as a code."""

    status = 422
    code = "core.url_refused"
    title = "This address cannot be used"


def is_public(address: str) -> bool:
    """Whether an IP address (text) is one of the open internet. Anything special or unreadable is not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _PRIVATE_V4)
    in_public = parsed.scope_id is None and parsed in _PUBLIC_V6
    return in_public and not any(parsed in network for network in _PRIVATE_V6)


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host name, as the system's resolver knows them. Raises ``OSError``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_url(text: str | httpx2.URL, settings: Settings) -> httpx2.URL:
    """The URL when its form is one we call, else ``UrlRefusedError``. Addresses are checked on connecting."""
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError):
        raise UrlRefusedError("This is not a web address.", reason="invalid") from None
    if url.scheme not in ("http", "https"):
        raise UrlRefusedError("Only http and https addresses can be used.", reason="scheme")
    if url.userinfo:
        raise UrlRefusedError("The address must not contain a user name or password.", reason="credentials")
    host = url.raw_host.decode()
    if not _is_host(host):
        raise UrlRefusedError("The address names no proper host.", reason="host")
    port = _port(url)
    if port not in _ALLOWED_PORTS and not _is_allowed_private(host, port, settings):
        raise UrlRefusedError(f"Port {port} cannot be used.", reason="port", port=port)
    return url


def _port(url: httpx2.URL) -> int:
    return url.port if url.port is not None else 443 if url.scheme == "https" else 80


def _is_host(host: str) -> bool:
    """An IP address in its usual form, or a name; not the numeric short forms that resolvers also take."""
    try:
        return getattr(ipaddress.ip_address(host), "scope_id", None) is None
    except ValueError:
        return _HOST_NAME.fullmatch(host) is not None and not _NUMBER.fullmatch(host.rpartition(".")[2])


def _is_allowed_private(host: str, port: int, settings: Settings) -> bool:
    return not {host, f"{host}:{port}"}.isdisjoint(settings.http_allowed_private_hosts)


class _Limit(float):
    """A time-out in seconds that also ends at a moment of the monotonic clock, whichever comes first.

    httpcore hands it through to every read and write as the float it is.
    """

    until: float

    @classmethod
    def of(cls, seconds: float, until: float) -> Self:
        limit = cls(seconds)
        limit.until = until
        return limit

    def left(self, error: Callable[[str], Exception]) -> float:
        remaining = self.until - time.monotonic()
        if remaining <= 0:
            raise error("the total time is over")
        return min(float(self), remaining)


def _left(timeout: float | None, error: Callable[[str], Exception]) -> float | None:
    return timeout.left(error) if isinstance(timeout, _Limit) else timeout


class GuardedTransport(httpx2.BaseTransport):
    """Checks each URL, opens connections through the guard and gives every request its total time."""

    def __init__(self, settings: Settings, total_seconds: float) -> None:
        self._settings = settings
        self._total_seconds = total_seconds
        self._pool = httpcore2.ConnectionPool(
            ssl_context=_ssl_context(), keepalive_expiry=5.0, network_backend=_GuardedBackend(settings)
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = check_url(request.url, self._settings)
        until = request.extensions.get("until", time.monotonic() + self._total_seconds)
        timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
        limits = {
            name: _Limit.of(seconds or self._total_seconds, until) for name, seconds in timeouts.items()
        }
        core_request = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions={"timeout": limits},
        )
        to = {"http__request__method": request.method, "server__address": url.host}
        with span(f"{request.method} {url.host}", "client", **to), _httpx_errors():
            answer = self._pool.handle_request(core_request)
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_AnswerStream(answer),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class _AnswerStream(httpx2.SyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _httpx_errors():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """httpcore's errors as those of httpx, which bear the same names."""
    try:
        yield
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        kind = getattr(httpx2, type(error).__name__, httpx2.TransportError)
        raise kind(str(error)) from error


class _GuardedBackend(httpcore2.NetworkBackend):
    """Resolves, checks and connects in one place, so that nobody can answer differently in between."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = _resolve_in_time(host, port, _left(timeout, httpcore2.ConnectTimeout))
        if not _is_allowed_private(host, port, self._settings) and not all(map(is_public, addresses)):
            raise UrlRefusedError("The address leads into a private network.", reason="address")
        failure: Exception = httpcore2.ConnectError("the host name has no address")
        for address in addresses[:_MAX_ADDRESSES]:
            limit = _left(timeout, httpcore2.ConnectTimeout)
            try:
                stream = self._sockets.connect_tcp(address, port, limit, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream)
        raise failure


class _TimedStream(httpcore2.NetworkStream):
    """A connection on which a request's total time ends reads and writes, however slowly bytes trickle in."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        limit = _left(timeout, httpcore2.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _resolve_in_time(host: str, port: int, seconds: float | None) -> list[str]:
    """``resolve`` with a limit, which the system's resolver does not have: it runs in a thread of its own."""
    addresses: list[str] = []
    failures: list[OSError] = []

    def look_up() -> None:
        try:
            addresses.extend(resolve(host, port))
        except (OSError, UnicodeError) as error:
            failures.append(error if isinstance(error, OSError) else OSError(str(error)))

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise httpcore2.ConnectTimeout("the look-up of the host name took too long")
    if failures:
        raise httpcore2.ConnectError(str(failures[0]))
    return addresses


@lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    """The system's certificate authorities (``SSL_CERT_FILE`` of the environment replaces them)."""
    return httpcore2.default_ssl_context()
