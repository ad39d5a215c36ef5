"""Requests over kept connections, as fast as answers come: one thread, no library between it and the sockets."""

import selectors
import socket
import time
from collections.abc import Mapping
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
    request = _request(path, headers)
    selector = selectors.DefaultSelector()
    times: list[float] = []
    try:
        for _ in range(connections):
            opened = socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(opened)
            selector.register(opened, selectors.EVENT_READ, connection)
            _send(connection, request)
        started = time.perf_counter()
        while (now := time.perf_counter()) - started < seconds:
            ready = selector.select(_ANSWER_SECONDS)
            if not ready:
                raise UnavailableError(f"{path} does not answer.")
            for key, _ in ready:
                connection = cast(_Connection, key.data)
                if _is_complete(connection, path):
                    times.append((time.perf_counter() - connection.sent_at) * 1000)
                    _send(connection, request)
        return Load(len(times) / (now - started), sorted(times) or [0.0])
    finally:
        for key in list(selector.get_map().values()):
            cast(_Connection, key.data).socket.close()
        selector.close()


def _request(path: str, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _send(connection: _Connection, request: bytes) -> None:
    connection.answer.clear()
    connection.sent_at = time.perf_counter()
    connection.socket.sendall(request)


def _is_complete(connection: _Connection, path: str) -> bool:
    data = connection.socket.recv(_BLOCK)
    if not data:
        raise UnavailableError(f"The server closed the connection that asked for {path}.")
    answer = connection.answer
    answer += data
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(answer[:end]).lower()
    if not head.startswith(b"http/1.1 200"):
        raise UnavailableError(f"{path}: {head.splitlines()[0].decode()}")
    place = head.index(b"content-length:") + len(b"content-length:")
    return len(answer) >= end + 4 + int(head[place:].split(b"\r\n", 1)[0])
