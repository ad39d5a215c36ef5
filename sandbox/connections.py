"""Closing a connection without an answer, which a web application cannot do by itself."""

import asyncio
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OPEN: dict[tuple[str, int], asyncio.Transport] = {}


class Protocol(HttpToolsProtocol):
    """Remembers the open connections by the address of the caller."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self.client:
            _OPEN[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client:
            _OPEN.pop(self.client, None)
        super().connection_lost(exc)


def close(scope: Scope) -> None:
    """Close the connection of a request; what has been written before still arrives."""
    transport = _OPEN.get(tuple(scope["client"] or ()))
    if transport is not None:
        transport.close()
