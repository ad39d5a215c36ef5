"""``POST /letzshop/graphql``: one request, one transaction; then the fault, if one strikes."""

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    execute_sync,
)
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from sandbox.faults import BEFORE, LETZSHOP, Fault, strike_request
from sandbox.letzshop import schema
from sandbox.letzshop.broken import faulty, spoil
from sandbox.letzshop.queries import FORBIDDEN, UNAUTHENTICATED, Root, refusal
from sandbox.letzshop.settings import Settings
from sandbox.letzshop.state import Letzshop
from sandbox.serving import MAX_BODY_BYTES, Answer, give

_JSON = {"Content-Type": "application/json; charset=utf-8"}
_MINUTE = 60.0


class BadRequestError(ValueError):
    """The body is no GraphQL request."""


@dataclass(frozen=True)
class Asked:
    """What is asked; ``key`` is that of the header, None without one."""

    query: str
    variables: dict[str, Any]
    operation: str | None
    key: str | None


class Api:
    """The endpoint as an ASGI application."""

    def __init__(self, letzshop: Letzshop) -> None:
        self.letzshop = letzshop
        self._calls: dict[str, deque[float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        try:
            asked = read(body, request.headers.get("authorization"))
        except BadRequestError as error:
            await give(request, send, _write(400, {"errors": [{"message": str(error)}]}), None)
            return
        answer, fault, seconds = await run_in_threadpool(self._answer, asked)
        if seconds:
            await asyncio.sleep(seconds)
        await give(request, send, answer, fault)

    def _answer(self, asked: Asked) -> tuple[Answer, Fault | None, float]:
        letzshop = self.letzshop
        with letzshop.work():
            switches = letzshop.settings()
            wait = self._wait(asked.key or "", switches["calls_per_minute"])
            if wait:
                return faulty({"name": "rate_limit", "seconds": wait}), None, 0
            document, errors = schema.read(schema.served(switches), asked.query)
            path = f"/graphql/{','.join(_fields(document))}"
            fault = strike_request(letzshop.store, "POST", path, LETZSHOP)
            if fault and fault["name"] in BEFORE:
                return faulty(fault), fault, 0
            result = _perform(letzshop, switches, (document, errors), asked)
            status, value = _shown(result, switches)
            if fault:
                spoil(fault["name"], value)
            return _write(status, value), fault, switches["latency_ms"] / 1000

    def _wait(self, key: str, limit: int) -> int:
        """Seconds until the key may call again; system time, as the caller has it."""
        calls = self._calls.setdefault(key, deque())
        now = time.monotonic()
        while calls and calls[0] <= now - _MINUTE:
            calls.popleft()
        if limit and len(calls) >= limit:
            return max(1, int(calls[0] + _MINUTE - now + 1))
        calls.append(now)
        return 0


def ask(letzshop: Letzshop, asked: Asked) -> dict[str, Any]:
    """What is answered where nothing fails; inside of ``work()``."""
    switches = letzshop.settings()
    document = schema.read(schema.served(switches), asked.query)
    return _shown(_perform(letzshop, switches, document, asked), switches)[1]


def _perform(letzshop: Letzshop, switches: Settings, read: schema.Read, asked: Asked) -> ExecutionResult:
    """Execute it as who holds the key."""
    key = None
    if asked.key is not None:
        key = letzshop.get("key", f"key_{asked.key}")
        if key is None:
            return ExecutionResult(None, [refusal(UNAUTHENTICATED, "The API key is not valid.")])
    document, errors = read
    if document is None:
        return ExecutionResult(None, list(errors))
    return execute_sync(
        schema.served(switches),
        document,
        Root(letzshop, switches, key),
        variable_values=asked.variables,
        operation_name=asked.operation,
    )


def read(body: bytes, authorization: str | None) -> Asked:
    """A request over HTTP. Raises BadRequestError."""
    if len(body) > MAX_BODY_BYTES:
        raise BadRequestError("The request is too large.")
    try:
        given = json.loads(body)
    except ValueError as error:
        raise BadRequestError("The body is no JSON.") from error
    if not isinstance(given, dict) or not isinstance(given.get("query"), str):
        raise BadRequestError("No query string was present.")
    variables = given.get("variables") or {}
    if not isinstance(variables, dict):
        raise BadRequestError("The variables are no object.")
    scheme, _, key = (authorization or "").partition(" ")
    is_given = scheme.lower() == "bearer"
    return Asked(given["query"], variables, given.get("operationName"), key.strip() if is_given else None)


def _fields(document: DocumentNode | None) -> list[str]:
    """What is asked for at the top."""
    operations = (
        [one for one in document.definitions if isinstance(one, OperationDefinitionNode)] if document else []
    )
    chosen = [one for operation in operations for one in operation.selection_set.selections]
    return sorted({one.name.value for one in chosen if isinstance(one, FieldNode)})


def _shown(result: ExecutionResult, switches: Settings) -> tuple[int, dict[str, Any]]:
    errors = result.errors or []
    refused = next((one for one in errors if _code(one) in (UNAUTHENTICATED, FORBIDDEN)), None)
    if refused and switches["auth_error_style"] == "401":
        return 401, {"error": refused.message, "code": _code(refused)}
    value: dict[str, Any] = {"data": result.data}
    if errors:
        value["errors"] = [one.formatted for one in errors]
    return 200, value


def _code(error: GraphQLError) -> str | None:
    code: str | None = (error.extensions or {}).get("code")
    return code


def _write(status: int, value: dict[str, Any]) -> Answer:
    return Answer(status, json.dumps(value, ensure_ascii=False), _JSON)
