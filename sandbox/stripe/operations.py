"""The table of operations, and how one request is answered."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.serving import Answer
from sandbox.store import Object
from sandbox.stripe.account import API_VERSION, Account, public
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.expand import expand
from sandbox.stripe.forms import Params, Spec, read_form, read_params

Function = Callable[..., Object]


@dataclass(frozen=True)
class Operation:
    """``params`` is what it reads; whatever else is sent is refused."""

    method: str
    path: str
    function: Function
    params: Mapping[str, Spec]
    pattern: re.Pattern[str] = field(repr=False)


OPERATIONS: list[Operation] = []


def operation(
    method: str, path: str, params: Mapping[str, Spec] | None = None
) -> Callable[[Function], Function]:
    """Register ``function(account, params, *ids)`` under a method and a path such as ``/v1/customers/{id}``."""

    def register(function: Function) -> Function:
        pattern = re.compile(re.sub(r"\{\w+\}", r"([^/]+)", path) + "$")
        OPERATIONS.append(Operation(method, path, function, params or {}, pattern))
        return function

    return register


@dataclass(frozen=True)
class Request:
    """As it came in. ``text`` is the form: of the body for POST, else of the query."""

    method: str
    path: str
    text: str
    headers: Mapping[str, str]


def answer(account: Account, request: Request) -> Answer:
    """Do the request, once per idempotency key."""
    request_id = account.new_id("req", 14)
    headers = {
        "Request-Id": request_id,
        "Stripe-Version": request.headers.get("stripe-version", API_VERSION),
        "Content-Type": "application/json",
    }
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    if key:
        headers = {**headers, "Idempotency-Key": key, "Original-Request": request_id}
    status, body, more = _answer_once(account, request, key, request_id)
    return Answer(status, body, {**headers, **more})


def _answer_once(
    account: Account, request: Request, key: str | None, request_id: str
) -> tuple[int, str, dict[str, str]]:
    print_of_request = hashlib.sha256(f"{request.method} {request.path} {request.text}".encode()).hexdigest()
    if key and (kept := _kept(account, key, print_of_request)):
        return kept
    account.begin(request_id, key)
    status, value = _perform(account, request)
    body = _write(value)
    if key and (status < 400 or status == 402):
        account.store.connection.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", (key, print_of_request, status, body)
        )
    return status, body, {}


def _write(value: Object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _kept(account: Account, key: str, print_of_request: str) -> tuple[int, str, dict[str, str]] | None:
    row = account.store.connection.execute(
        "SELECT request, status, body FROM answers WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    if row[0] != print_of_request:
        error = StripeError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request.",
            kind="idempotency_error",
        )
        return 400, _write(error.body), {}
    return row[1], row[2], {"Idempotent-Replayed": "true"}


def _perform(account: Account, request: Request) -> tuple[int, Object]:
    kept: StripeError | None = None
    try:
        _check_key(request)
        with account.store.transaction():
            try:
                return 200, _call(account, request)
            except StripeError as error:
                if not error.keeps_effects:
                    raise
                kept = error
    except StripeError as error:
        return error.status, error.body
    return kept.status, kept.body


def _call(account: Account, request: Request) -> Object:
    found = find_operation(request.method, request.path)
    if found is None:
        raise StripeError(
            404,
            f"Unrecognized request URL ({request.method}: {request.path}). "
            "The stand-in covers what its README lists.",
        )
    chosen, ids = found
    params = read_params({**chosen.params, "expand": [str]}, read_form(request.text))
    paths: list[str] = params.pop("expand", [])
    value = chosen.function(account, params, *ids)
    shown = public(value)
    for path in paths:
        expand(account, shown, path)
    return shown


def find_operation(method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
    """The operation of a request and the identifiers in its path; fixed paths go before those with a name."""
    for one in sorted(OPERATIONS, key=lambda each: each.path.count("{")):
        if one.method == method and (match := one.pattern.match(path)):
            return one, match.groups()
    return None


def _check_key(request: Request) -> None:
    words = request.headers.get("authorization", "").split()
    if len(words) != 2 or not words[1]:
        raise StripeError(
            401, "You did not provide an API key. Send any key that begins with sk_test_ as a bearer token."
        )
    if not words[1].startswith(("sk_test_", "rk_test_")):
        raise StripeError(401, "Invalid API Key provided: the stand-in takes test keys (sk_test_…) only.")


def metadata(current: dict[str, str], given: Any) -> dict[str, str]:
    """Metadata after an update: an empty value takes the key away, an empty string all of them."""
    if given is None:
        return current
    if given == "":
        return {}
    return {k: v for k, v in {**current, **given}.items() if v != ""}


def assign(value: Object, params: Params, *names: str) -> None:
    """Take over these parameters; the empty string unsets."""
    for name in names:
        if name in params:
            value[name] = None if params[name] == "" else params[name]


def need(params: Params, *names: str) -> None:
    """Refuse the request without one of these."""
    for name in names:
        if params.get(name) in (None, ""):
            raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
