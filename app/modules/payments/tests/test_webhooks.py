"""The door for messages of Stripe: what is let in, what becomes of it, and doing it again."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from app.core.database import SYSTEM, unit_of_work
from app.core.ids import new_id, to_public
from app.modules.payments.adapters.stripe_gateway import message_of
from app.modules.payments.contracts import WebhookHandler
from app.modules.payments.enums import Payee, PaymentState, Provider
from app.modules.payments.services import stripe_event_service, webhook_list_service, webhook_service
from app.modules.payments.tests.conftest import STAND_IN_SECRET, Stripe, job_states, pass_time, webhook_row
from app.modules.payments.tests.factories import (
    WEBHOOK_SECRET,
    event,
    find,
    signature,
    start,
    stripe_account,
    wanted,
)
from app.modules.payments.tests.test_stripe import begin
from app.testing.browsing import sign_in, token_of
from app.testing.working import work

DOOR = "/webhooks/payments/stripe/default"
CUSTOMER = {"id": "cus_1", "object": "customer"}


def post(client: TestClient, body: bytes, headers: dict[str, str], door: str = DOOR) -> int:
    return client.post(door, content=body, headers=headers).status_code


def stored(owner: Engine) -> int:
    with owner.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM incoming_webhooks")).scalar_one())


def state_of(external_id: str) -> str:
    statement = webhook_list_service.select_webhooks()
    with unit_of_work(SYSTEM) as session:
        return {row.external_id: row.state for row in session.execute(statement)}[external_id]


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a handler of customers was given, by the id of the message; it is registered in place of another."""
    seen: list[str] = []

    def note(_session: object, message: Any, found: Any) -> None:
        seen.append(f"{message.id}:{found}")

    handler = WebhookHandler(
        frozenset({"customer.updated"}), lambda _client, message: message.object_id, note
    )
    monkeypatch.setattr(stripe_event_service, "handlers", lambda: (handler,))
    return seen


def test_what_is_not_signed_is_not_stored(stripe: Stripe, owner_engine: Engine) -> None:
    body = event("customer.updated", CUSTOMER)
    good = signature(body, STAND_IN_SECRET)["Stripe-Signature"]
    refused: list[dict[str, str]] = [
        {},
        {"Stripe-Signature": ""},
        {"Stripe-Signature": "t=,v1="},
        {"Stripe-Signature": "nonsense"},
        {"Stripe-Signature": good.replace("v1=", "v0=")},
        signature(body, "whsec_of_somebody_else"),
        signature(body, STAND_IN_SECRET, age_seconds=600),
        signature(body + b" ", STAND_IN_SECRET),
    ]
    for headers in refused:
        assert post(stripe.web, body, headers) == 400, headers
    assert stored(owner_engine) == 0
    assert post(stripe.web, body, {"Stripe-Signature": good}) == 204
    assert stored(owner_engine) == 1


def test_doors_that_are_not_there(stripe: Stripe, owner_engine: Engine) -> None:
    body = event("customer.updated", CUSTOMER)
    nobody = to_public("pac", new_id())
    for door in (f"stripe/{nobody}", "stripe/nonsense", "cash/default", "other/default"):
        assert post(stripe.web, body, signature(body, STAND_IN_SECRET), f"/webhooks/payments/{door}") == 404
    assert stripe.web.get(DOOR).status_code == 405
    assert stored(owner_engine) == 0


def test_more_than_a_message_can_have_is_refused(stripe: Stripe, owner_engine: Engine) -> None:
    body = event("customer.updated", {**CUSTOMER, "name": "x" * 2_000_000})
    assert post(stripe.web, body, signature(body, STAND_IN_SECRET)) == 413
    assert stored(owner_engine) == 0


SHAPES: dict[str, dict[str, Any]] = {
    "2015": {
        "id": "evt_2015",
        "object": "event",
        "type": "customer.updated",
        "created": 1_420_000_000,
        "livemode": False,
        "pending_webhooks": 1,
        "request": "req_1",
        "api_version": "2015-10-16",
        "data": {"object": CUSTOMER, "previous_attributes": {"email": None}},
    },
    "2020": {
        "id": "evt_2020",
        "object": "event",
        "type": "customer.updated",
        "created": 1_600_000_000,
        "api_version": "2020-08-27",
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": {**CUSTOMER, "sources": {"object": "list", "data": []}}},
    },
    "without a version": {
        "id": "evt_none",
        "object": "event",
        "type": "customer.updated",
        "created": 1_700_000_000,
        "api_version": None,
        "data": {"object": CUSTOMER},
    },
    "2031, with fields nobody knows": {
        "id": "evt_2031",
        "object": "event",
        "type": "customer.updated",
        "created": 1_925_000_000,
        "api_version": "2031-04-01.zinnia",
        "context": {"tree": ["a", {"b": 1}]},
        "data": {"object": {**CUSTOMER, "moods": [{"kind": "new"}], "n": 10**18}, "diff": [[1], "x"]},
        "reason": {"type": "request"},
    },
    "thin": {
        "id": "evt_thin",
        "object": "v2.core.event",
        "type": "customer.updated",
        "created": "2026-11-23T10:00:00.000Z",
        "livemode": False,
        "related_object": {"id": "cus_1", "type": "customer", "url": "/v1/customers/cus_1"},
    },
}


@pytest.mark.parametrize("shape", SHAPES)
def test_events_of_every_version_are_read(
    stripe: Stripe, owner_engine: Engine, applied: list[str], shape: str
) -> None:
    body = orjson.dumps(SHAPES[shape])
    assert post(stripe.web, body, signature(body, STAND_IN_SECRET)) == 204
    work()
    name = SHAPES[shape]["id"]
    assert applied == [f"{name}:cus_1"]
    row = webhook_row(owner_engine, name)
    assert (row.object_id, row.api_version) == ("cus_1", SHAPES[shape].get("api_version") or "")
    assert row.payload == SHAPES[shape]


def test_a_type_that_nobody_handles_is_done_with(stripe: Stripe) -> None:
    body = event("radar.early_fraud_warning.created", {"id": "issfr_1"})
    assert post(stripe.web, body, signature(body, STAND_IN_SECRET)) == 204
    work()
    assert state_of("evt_1") == "processed"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "type", "created", "data", "object", "related_object", "api_version"]),
                inner,
                max_size=6,
            )
        ),
        max_leaves=12,
    )
)
def test_no_signed_body_breaks_the_door(stripe: Stripe, found: Any) -> None:
    body = json.dumps(found).encode()
    assert post(stripe.web, body, signature(body, STAND_IN_SECRET)) in (204, 400)


@given(st.binary(max_size=50))
def test_what_is_no_json_is_no_event(body: bytes) -> None:
    try:
        found = orjson.loads(body)
    except ValueError:
        return
    with pytest.raises((KeyError, TypeError, AttributeError, ValueError)):
        message_of(found)


def test_the_same_message_many_times_at_once_has_one_effect(
    stripe: Stripe, owner_engine: Engine, applied: list[str]
) -> None:
    body = event("customer.updated", CUSTOMER)
    headers = signature(body, STAND_IN_SECRET)
    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(lambda _: post(stripe.web, body, headers), range(32)))
    assert answers == {204}
    assert stored(owner_engine) == 1
    work()
    assert post(stripe.web, body, headers) == 204
    work()
    assert applied == ["evt_1:cus_1"]
    assert job_states(owner_engine, "process_webhook") == ["succeeded"]


def test_the_effect_and_its_mark_are_one(
    stripe: Stripe, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that writes and then fails leaves nothing; at the next attempt both are there."""
    found: list[Any] = []

    def write(session: Any, message: Any, _read: object) -> None:
        mine = "FROM incoming_webhooks WHERE external_id = :id"
        found.append(session.execute(text(f"SELECT type, attempts, error {mine}"), {"id": message.id}).one())
        changed = text("UPDATE incoming_webhooks SET type = type || '!' WHERE external_id = :id")
        session.execute(changed, {"id": message.id})
        if len(found) == 1:
            raise RuntimeError("not now")

    handler = WebhookHandler(frozenset({"customer.updated"}), lambda _client, _message: None, write)
    monkeypatch.setattr(stripe_event_service, "handlers", lambda: (handler,))
    body = event("customer.updated", CUSTOMER)
    post(stripe.web, body, signature(body, STAND_IN_SECRET))
    work(20)
    assert found == [("customer.updated", 0, ""), ("customer.updated", 1, "RuntimeError: not now")]
    row = webhook_row(owner_engine, "evt_1")
    assert (row.type, row.processed_at is not None, row.attempts, row.error) == (
        "customer.updated!",
        True,
        2,
        "",
    )


def test_one_that_is_given_up_is_dead_until_it_is_handled_again(
    stripe: Stripe, owner_engine: Engine, client: TestClient
) -> None:
    made = begin()
    stripe.pay(made.redirect_url)
    stripe.box.control("POST", "/faults", {"name": "server_error", "times": None, "method": "GET"})
    body = next(one for one in stripe_events(stripe) if one["type"] == "checkout.session.completed")
    assert stripe.send(orjson.dumps(body)) == 204
    for _ in range(9):
        work(20)
        pass_time(minutes=10)
    assert state_of(body["id"]) == "dead"
    assert find(made.id).state is PaymentState.PENDING
    stripe.box.control("DELETE", "/faults")
    sign_in(client, "admin", "admin@wizamart.example")
    listed = client.get("/admin/incoming-webhooks?state=dead")
    assert "checkout.session.completed" in listed.text
    row = webhook_row(owner_engine, body["id"])
    here = f"/admin/incoming-webhooks/{to_public('iwh', row.id)}"
    page = client.get(here)
    assert client.post(f"{here}/replay", data={"csrf_token": token_of(page)}).status_code == 303
    work()
    assert state_of(body["id"]) == "processed"
    assert find(made.id).state is PaymentState.CAPTURED


def stripe_events(stripe: Stripe) -> list[dict[str, Any]]:
    """All that has happened; with a fault on reads that has to be asked for before."""
    faults = stripe.box.control("GET", "/faults")
    stripe.box.control("DELETE", "/faults")
    found = stripe.events()
    for fault in faults if isinstance(faults, list) else faults.get("data", []):
        stripe.box.control("POST", "/faults", {name: fault[name] for name in ("name", "times", "method")})
    return found


def test_handling_it_again_reads_again_and_changes_nothing_twice(
    stripe: Stripe, owner_engine: Engine
) -> None:
    made = begin()
    stripe.pay(made.redirect_url)
    stripe.bring()
    before = find(made.id)
    with unit_of_work(SYSTEM) as session:
        for row in session.execute(webhook_list_service.select_webhooks()).all():
            webhook_service.replay(session, row.id)
    work()
    assert find(made.id) == before
    assert set(job_states(owner_engine, "process_webhook")) == {"succeeded"}


def test_a_vendors_account_reaches_no_handler_of_the_operators(
    stripe: Stripe, owner_engine: Engine, applied: list[str]
) -> None:
    door = f"/webhooks/payments/stripe/{to_public('pac', stripe_account('MINETT'))}"
    body = event("customer.updated", CUSTOMER)
    assert post(stripe.web, body, signature(body, WEBHOOK_SECRET), door) == 204
    work()
    assert applied == []
    assert webhook_row(owner_engine, "evt_1").processed_at is not None


def test_a_vendor_cannot_say_that_another_was_paid(stripe: Stripe) -> None:
    """MINETT holds the secret of its own door; what it names must be a payment of that account."""
    made = start(wanted(5000, Provider.STRIPE, Payee.PLATFORM), "MOSELLE")
    work()
    stripe.pay(find(made.id, "MOSELLE").redirect_url)
    body = next(one for one in stripe.events() if one["type"] == "checkout.session.completed")
    own = to_public("pac", stripe_account("MINETT"))
    assert stripe.send(orjson.dumps(body), account=own, secret=WEBHOOK_SECRET) == 204
    work()
    assert find(made.id, "MOSELLE").state is PaymentState.PENDING


def test_old_messages_are_forgotten_once_they_are_handled(stripe: Stripe, owner_engine: Engine) -> None:
    for number in ("evt_a", "evt_b"):
        body = event("unknown.kind", CUSTOMER, number=number)
        post(stripe.web, body, signature(body, STAND_IN_SECRET))
    work()
    with owner_engine.begin() as connection:
        connection.execute(
            text("UPDATE incoming_webhooks SET processed_at = NULL WHERE external_id = 'evt_b'")
        )
    pass_time(days=100)
    with unit_of_work(SYSTEM) as session:
        assert webhook_service.delete_processed(session, 90) == 1
    assert webhook_row(owner_engine, "evt_a") is None
    assert webhook_row(owner_engine, "evt_b") is not None
