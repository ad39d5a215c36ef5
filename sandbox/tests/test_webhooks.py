"""Events that are sent, and faults on request."""

import json
import time
from typing import Any

import httpx2
import pytest
import stripe

from sandbox.testing import NO_TLS, Sandbox
from sandbox.tests.kit import Receiver, Shop, receiving

SECRET = "whsec_test"


def _listen(box: Sandbox, receiver: Receiver, *events: str) -> None:
    box.control("POST", "/webhooks", {"url": receiver.url, "secret": SECRET, "events": list(events) or ["*"]})


def _drain(box: Sandbox) -> None:
    assert box.control("POST", "/deliveries/drain", {"timeout_seconds": 20})["left"] == 0


def test_events_come_signed_and_in_order(shop: Shop) -> None:
    with receiving() as receiver:
        _listen(shop.box, receiver)
        known = len(shop.event_types())
        shop.subscribe(shop.customer())
        _drain(shop.box)
        got = receiver.events(SECRET)
        assert [event.type for event in got] == shop.event_types()[known:]
        assert got[-1].type == "customer.subscription.created"
        body: Any = got[-1].data.object
        assert body.status == "active"
        header, raw = receiver.got[0]
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(raw + b" ", header, SECRET)
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(raw, header, "whsec_other")


def test_a_failing_receiver_is_tried_again(shop: Shop) -> None:
    with receiving() as receiver:
        receiver.statuses = [500, 404]
        _listen(shop.box, receiver, "product.created")
        shop.client.v1.products.create({"name": "one"})
        _drain(shop.box)
        assert len(receiver.got) == 3
        assert len({body for _, body in receiver.got}) == 1
        row = shop.box.control("GET", "/deliveries")["data"][-1]
        assert (row["state"], row["attempts"], row["answer"]) == ("delivered", 3, "200")


def test_nothing_is_sent_to_addresses_that_control_does_not_know(shop: Shop) -> None:
    with receiving() as receiver:
        shop.client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
        shop.client.v1.products.create({"name": "one"})
        _drain(shop.box)
        assert receiver.got == []
        assert shop.box.control("GET", "/deliveries")["data"][-1]["state"] == "refused"


def _sent_with(shop: Shop, **fault: Any) -> list[str]:
    """Names of three products in the order in which their events came."""
    with receiving() as receiver:
        _listen(shop.box, receiver, "product.created")
        shop.box.control("POST", "/faults", {"event": "product", **fault})
        for name in ("one", "two", "three"):
            shop.client.v1.products.create({"name": name})
        _drain(shop.box)
        return [json.loads(body)["data"]["object"]["name"] for _, body in receiver.got]


@pytest.mark.parametrize(
    ("fault", "names"),
    [
        ({"name": "double"}, ["one", "one", "two", "three"]),
        ({"name": "lost"}, ["two", "three"]),
        ({"name": "reorder"}, ["two", "one", "three"]),
        ({"name": "late", "seconds": 0.6}, ["two", "three", "one"]),
    ],
)
def test_webhooks_can_go_wrong(shop: Shop, fault: dict[str, Any], names: list[str]) -> None:
    assert _sent_with(shop, **fault) == names


def test_a_forged_webhook_does_not_pass(shop: Shop) -> None:
    with receiving() as receiver:
        _listen(shop.box, receiver, "product.created")
        shop.box.control("POST", "/faults", {"name": "forged"})
        shop.client.v1.products.create({"name": "one"})
        _drain(shop.box)
        with pytest.raises(stripe.SignatureVerificationError):
            receiver.events(SECRET)


def test_an_event_can_be_replayed(shop: Shop) -> None:
    with receiving() as receiver:
        _listen(shop.box, receiver, "product.created")
        shop.client.v1.products.create({"name": "one"})
        _drain(shop.box)
        event = receiver.events(SECRET)[0]
        shop.box.control("POST", "/deliveries/replay", {"event": event.id})
        _drain(shop.box)
        assert [one.id for one in receiver.events(SECRET)] == [event.id] * 2


def _client(box: Sandbox, retries: int, seconds: float = 20) -> stripe.StripeClient:
    return box.client(max_network_retries=retries, http_client=stripe.RequestsClient(timeout=seconds))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("rate_limit", stripe.RateLimitError),
        ("server_error", stripe.APIError),
        ("unavailable", stripe.APIError),
    ],
)
def test_a_refused_request_has_no_effect(box: Sandbox, name: str, error: type[stripe.StripeError]) -> None:
    box.control("POST", "/faults", {"name": name, "method": "POST", "seconds": 2})
    client = _client(box, 0)
    with pytest.raises(error) as caught:
        client.v1.customers.create({"email": "a@example.lu"})
    headers: Any = caught.value.headers
    assert (headers.get("Retry-After") == "2") == (name == "rate_limit")
    assert client.v1.customers.list().data == []
    client.v1.customers.create({"email": "a@example.lu"})  # once, as asked


@pytest.mark.parametrize("name", ["lost_answer", "cut", "timeout_after"])
def test_an_effect_whose_answer_is_lost_happens_once(box: Sandbox, name: str) -> None:
    box.control("POST", "/faults", {"name": name, "method": "POST"})
    with pytest.raises(stripe.APIConnectionError):
        _client(box, 0, 0.8).v1.customers.create({"email": "a@example.lu"}, {"idempotency_key": "once"})
    assert len(box.client().v1.customers.list().data) == 1
    again = box.client().v1.customers.create({"email": "a@example.lu"}, {"idempotency_key": "once"})
    assert [row.id for row in box.client().v1.customers.list().data] == [again.id]


def test_the_library_retries_by_itself(box: Sandbox) -> None:
    box.control("POST", "/faults", {"name": "lost_answer", "method": "POST", "times": 2})
    made = _client(box, 2).v1.customers.create({"email": "a@example.lu"})
    assert [row.id for row in box.client().v1.customers.list().data] == [made.id]


def test_a_timeout_has_no_effect(box: Sandbox) -> None:
    box.control("POST", "/faults", {"name": "timeout", "path": "customers$"})
    started = time.monotonic()
    with pytest.raises(stripe.APIConnectionError):
        _client(box, 0, 0.5).v1.customers.create({"email": "a@example.lu"})
    assert time.monotonic() - started < 5
    assert box.client().v1.customers.list().data == []


def test_faults_are_listed_and_cleared(box: Sandbox) -> None:
    box.control("POST", "/faults", {"name": "server_error", "times": None, "probability": 0.5})
    assert [fault["name"] for fault in box.control("GET", "/faults")["data"]] == ["server_error"]
    box.control("DELETE", "/faults")
    assert box.control("GET", "/faults")["data"] == []
    with pytest.raises(ValueError, match="Unknown fault"):
        box.control("POST", "/faults", {"name": "earthquake"})


def test_the_control_door_takes_no_forms_of_other_sites(box: Sandbox) -> None:
    sent = httpx2.post(f"{box.url}/_control/reset", data={"a": "b"}, trust_env=False, verify=NO_TLS)
    assert sent.status_code == 415
