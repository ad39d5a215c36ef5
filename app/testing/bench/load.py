"""Requests over kept connections, as fast as answers come: one thread, no library between it and the sockets."""

import selectors
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from app.core.errors import UnavailableError

_BLOCK = 256 * 1024
_ANSWER_SECONDS = 30.0


@dataclass(slots=True)
class Load:
    """What came of it: answers per second, and each answer's time in milliseconds, sorted."""

    per_second: float
    milliseconds: list[float]

    def percentile(self, share: float) -> float:
        """Milliseconds that this share of answers was within."""
        return round(
            self.milliseconds[min(int(len(self.milliseconds) * share), len(self.milliseconds) - 1)], 2
        )


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    sent_at: float = 0.0
    answer: bytearray = field(default_factory=bytearray)


def measure_load(
    port: int, path: str, headers: Mapping[str, str], *, connections: int, seconds: float
) -> Load:
    """Ask for one address over and over. Raises UnavailableError for an answer that is not 200, or none."""
    request = request_bytes("GET", path, headers)
    return measure_requests(port, lambda: request, status=200, connections=connections, seconds=seconds)


def measure_requests(
    port: int, make: Callable[[], bytes], *, status: int, connections: int, seconds: float
) -> Load:
    """Send what ``make`` gives, another each time. Raises UnavailableError for an answer of another status, or none."""
    selector = selectors.DefaultSelector()
    times: list[float] = []
    try:
        for _ in range(connections):
            opened = socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(opened)
            selector.register(opened, selectors.EVENT_READ, connection)
            _send(connection, make())
        started = time.perf_counter()
        while (now := time.perf_counter()) - started < seconds:
            ready = selector.select(_ANSWER_SECONDS)
            if not ready:
                raise UnavailableError("The server does not answer.")
            for key, _ in ready:
                connection = cast(_Connection, key.data)
                given = _status(connection)
                if given not in (0, status):
                    raise UnavailableError(f"{given}: {bytes(connection.answer[-1000:]).decode()}")
                if given:
                    times.append((time.perf_counter() - connection.sent_at) * 1000)
                    _send(connection, make())
        return Load(len(times) / (now - started), sorted(times) or [0.0])
    finally:
        for key in list(selector.get_map().values()):
            cast(_Connection, key.data).socket.close()
        selector.close()


def ask_at_once(port: int, requests: Sequence[bytes]) -> list[tuple[int, float]]:
    """Send each request over a connection of its own, all at the same moment; status and milliseconds of each."""
    opened = [socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS) for _ in requests]
    selector = selectors.DefaultSelector()
    found: list[tuple[int, float]] = []
    try:
        for one, request in zip(opened, requests, strict=True):
            connection = _Connection(one)
            selector.register(one, selectors.EVENT_READ, connection)
            _send(connection, request)
        while len(found) < len(requests):
            ready = selector.select(_ANSWER_SECONDS)
            if not ready:
                raise UnavailableError("The server does not answer.")
            for key, _ in ready:
                connection = cast(_Connection, key.data)
                status = _status(connection)
                if status:
                    found.append((status, (time.perf_counter() - connection.sent_at) * 1000))
                    selector.unregister(key.fileobj)
        return found
    finally:
        for one in opened:
            one.close()
        selector.close()


def request_bytes(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    length = {"Content-Length": str(len(body)), "Content-Type": "application/json"} if body else {}
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {value}" for name, value in {**headers, **length}.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _send(connection: _Connection, request: bytes) -> None:
    connection.answer.clear()
    connection.sent_at = time.perf_counter()
    connection.socket.sendall(request)


def _status(connection: _Connection) -> int:
    """The answer's status once all of it is there, else 0."""
    data = connection.socket.recv(_BLOCK)
    if not data:
        raise UnavailableError("The server closed the connection.")
    answer = connection.answer
    answer += data
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return 0
    head = bytes(answer[:end]).lower()
    place = head.index(b"content-length:") + len(b"content-length:")
    is_complete = len(answer) >= end + 4 + int(head[place:].split(b"\r\n", 1)[0])
    return int(head.split(b" ", 2)[1]) if is_complete else 0
