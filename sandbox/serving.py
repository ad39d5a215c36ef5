"""How an answer leaves: whole, or as the fault that struck it wants."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Scope, Send

from sandbox.connections import close
from sandbox.faults import Fault

MAX_BODY_BYTES = 1024 * 1024
_SILENT_SECONDS = 600.0


@dataclass(frozen=True)
class Answer:
    """``body`` is text, most often JSON."""

    status: int
    body: str
    headers: Mapping[str, str]


async def give(request: Request, send: Send, answer: Answer, fault: Fault | None) -> None:
    """Send it, or not: silence, a closed connection, half of it, late."""
    name = fault["name"] if fault else None
    seconds = fault["seconds"] if fault else None
    if name in ("timeout", "timeout_after"):
        await _wait_for_end(request, seconds or _SILENT_SECONDS)
        close(request.scope)
    elif name == "lost_answer":
        close(request.scope)
    else:
        if name == "slow":
            await asyncio.sleep(seconds or 1)
        await _send(request.scope, send, answer, is_cut=name == "cut")


async def _wait_for_end(request: Request, seconds: float) -> None:
    """Until the caller hangs up, or the time is over."""
    try:
        async with asyncio.timeout(seconds):
            while not await request.is_disconnected():
                await asyncio.sleep(0.05)
    except TimeoutError:
        return


async def _send(scope: Scope, send: Send, answer: Answer, *, is_cut: bool) -> None:
    body = answer.body.encode()
    headers = {**answer.headers, "Content-Length": str(len(body))}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    if is_cut:
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        close(scope)
    else:
        await send({"type": "http.response.body", "body": body})
