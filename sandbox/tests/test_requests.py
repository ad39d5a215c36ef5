"""How requests are answered: paging, idempotency, errors, forms, keys."""

import time
from contextlib import suppress
from typing import Any

import httpx2
import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from stripe._encode import _api_encode

from sandbox.stripe.errors import StripeError
from sandbox.stripe.forms import read_form, read_params
from sandbox.testing import NO_TLS, Sandbox
from sandbox.tests.kit import START, Shop


def _emails(rows: Any) -> list[str]:
    return [row.email for row in rows]


def test_pages_go_both_ways_and_by_themselves(box: Sandbox) -> None:
    customers = box.client().v1.customers
    for number in range(7):
        customers.create({"email": f"{number}@example.lu"})
    first = customers.list({"limit": 3})
    assert (_emails(first.data), first.has_more) == (["6@example.lu", "5@example.lu", "4@example.lu"], True)
    second = customers.list({"limit": 3, "starting_after": first.data[-1].id})
    assert _emails(second.data) == ["3@example.lu", "2@example.lu", "1@example.lu"]
    back = customers.list({"limit": 3, "ending_before": second.data[0].id})
    assert (_emails(back.data), back.has_more) == (_emails(first.data), False)
    last = customers.list({"limit": 3, "starting_after": second.data[-1].id})
    assert (_emails(last.data), last.has_more) == (["0@example.lu"], False)
    everyone = customers.list({"limit": 2}).auto_paging_iter()
    assert len(_emails(everyone)) == 7
    assert _emails(customers.list({"email": "5@example.lu"}).data) == ["5@example.lu"]
    assert customers.list({"created": {"gt": START}}).data == []


def test_an_idempotency_key_gives_the_same_answer_once_more(box: Sandbox) -> None:
    customers = box.client().v1.customers
    first = customers.create({"email": "a@example.lu"}, {"idempotency_key": "k1"})
    again = customers.create({"email": "a@example.lu"}, {"idempotency_key": "k1"})
    assert again.id == first.id
    assert len(customers.list().data) == 1
    response: Any = again.last_response
    assert response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError) as caught:
        customers.create({"email": "b@example.lu"}, {"idempotency_key": "k1"})
    assert caught.value.http_status == 400
    other = customers.create({"email": "b@example.lu"}, {"idempotency_key": "k2"})
    assert other.id != first.id


def test_a_declined_payment_is_kept_by_its_key(box: Sandbox) -> None:
    intents = box.client(max_network_retries=0).v1.payment_intents
    asked: Any = {
        "amount": 500,
        "currency": "eur",
        "payment_method": "pm_card_visa_chargeDeclined",
        "confirm": True,
    }
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            intents.create(asked, {"idempotency_key": "pay-1"})
    assert len(intents.list().data) == 1
    body: Any = caught.value.json_body
    assert body["error"]["type"] == "card_error"
    assert (body["error"]["code"], body["error"]["decline_code"]) == ("card_declined", "generic_decline")
    assert body["error"]["payment_intent"]["status"] == "requires_payment_method"


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
    ],
)
def test_cards_fail_as_documented(box: Sandbox, card: str, code: str, decline_code: str | None) -> None:
    asked: Any = {"amount": 500, "currency": "eur", "payment_method": card, "confirm": True}
    with pytest.raises(stripe.CardError) as caught:
        box.client(max_network_retries=0).v1.payment_intents.create(asked)
    body: Any = caught.value.json_body
    assert (body["error"]["code"], body["error"].get("decline_code")) == (code, decline_code)
    types = [event.type for event in box.client().v1.events.list().data]
    assert types == ["payment_intent.payment_failed", "charge.failed", "payment_intent.created"]


def test_errors_have_the_shape_of_stripe(box: Sandbox) -> None:
    client = box.client()
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.customers.retrieve("cus_none")
    assert (missing.value.http_status, missing.value.code, missing.value.param) == (
        404,
        "resource_missing",
        "id",
    )
    assert str(missing.value.user_message) == "No such customer: 'cus_none'"
    assert str(missing.value.request_id).startswith("req_")
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.customers.create({"colour": "red"})  # type: ignore[typeddict-unknown-key]
    assert (unknown.value.code, unknown.value.param) == ("parameter_unknown", "colour")
    with pytest.raises(stripe.InvalidRequestError) as wrong:
        client.v1.prices.create({"currency": "eur", "unit_amount": "ten"})  # type: ignore[typeddict-item]
    assert (wrong.value.code, wrong.value.param) == ("parameter_invalid_integer", "unit_amount")
    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient("sk_live_x", base_addresses={"api": f"{box.url}/stripe"}).v1.customers.list()


def test_the_version_and_the_request_id_come_back(box: Sandbox) -> None:
    answered: Any = box.client().v1.customers.list().last_response
    assert answered.headers["Stripe-Version"] == stripe.api_version
    headers = {"Authorization": "Bearer sk_test_x", "Stripe-Version": "2025-03-31.basil"}
    old = httpx2.get(f"{box.url}/stripe/v1/customers", headers=headers, trust_env=False, verify=NO_TLS)
    assert old.headers["Stripe-Version"] == "2025-03-31.basil"
    assert old.headers["Request-Id"] != answered.headers["Request-Id"]


_KEYS = st.text("abcdefgh_", min_size=1, max_size=8)
_LEAVES = st.one_of(st.text(max_size=12), st.integers().map(str))
_TREES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.dictionaries(_KEYS, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3)
    ),
)


@given(st.dictionaries(_KEYS, _TREES, min_size=1, max_size=4))
def test_forms_of_the_library_are_read_back(tree: dict[str, Any]) -> None:
    from urllib.parse import urlencode

    def spec(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: spec(inner) for name, inner in value.items()}
        return [spec(value[0])] if isinstance(value, list) else str

    def is_even(value: Any) -> bool:
        """Whether the rows of every list are alike, so that one specification fits them."""
        if isinstance(value, dict):
            return all(map(is_even, value.values()))
        if isinstance(value, list):
            return all(spec(row) == spec(value[0]) and is_even(row) for row in value)
        return True

    if is_even(tree):
        text = urlencode(list(_api_encode(tree)))
        assert read_params({name: spec(value) for name, value in tree.items()}, read_form(text)) == tree


@given(st.text(max_size=60))
def test_no_form_breaks_the_reader(text: str) -> None:
    with suppress(StripeError):
        assert read_params({"a": str, "b": [{"c": int}], "d": dict}, read_form(text)).keys() <= {
            "a",
            "b",
            "d",
        }


def test_authentication_is_asked_for_and_given(box: Sandbox) -> None:
    client = box.client()
    asked: Any = {
        "amount": 500,
        "currency": "eur",
        "payment_method": "pm_card_authenticationRequired",
        "confirm": True,
        "return_url": "https://shop.example/back",
    }
    intent = client.v1.payment_intents.create(asked)
    action: Any = intent.next_action
    assert (intent.status, action.type) == ("requires_action", "redirect_to_url")
    page = httpx2.get(action.redirect_to_url.url, trust_env=False, verify=NO_TLS)
    assert "Your bank asks" in page.text
    answered = httpx2.post(action.redirect_to_url.url, data={"bank": "pass"}, trust_env=False, verify=NO_TLS)
    assert answered.headers["location"].startswith("https://shop.example/back?payment_intent=")
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_capture_cancel_and_refund(box: Sandbox) -> None:
    client = box.client()
    asked: Any = {"amount": 1000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    held = client.v1.payment_intents.create({**asked, "capture_method": "manual"})
    assert (held.status, held.amount_capturable) == ("requires_capture", 1000)
    taken = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 600})
    assert (taken.status, taken.amount_received) == ("succeeded", 600)
    refund = client.v1.refunds.create({"payment_intent": held.id, "amount": 100})
    assert (refund.status, refund.amount) == ("succeeded", 100)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": held.id, "amount": 501})
    client.v1.refunds.create({"payment_intent": held.id})
    with pytest.raises(stripe.InvalidRequestError) as twice:
        client.v1.refunds.create({"payment_intent": held.id})
    assert twice.value.code == "charge_already_refunded"
    other = client.v1.payment_intents.create({**asked, "capture_method": "manual"})
    assert client.v1.payment_intents.cancel(other.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as late:
        client.v1.payment_intents.capture(other.id)
    assert late.value.code == "payment_intent_unexpected_state"


def test_many_rows_are_read_quickly(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)
    started = time.monotonic()
    shop.box.advance(days=5 * 365)
    assert len(shop.event_types()) > 500
    assert time.monotonic() - started < 20


def test_filtered_lists_are_paged_as_wholes(shop: Shop) -> None:
    customer = shop.customer()
    kept = [shop.subscribe(customer).id for _ in range(3)]
    for _ in range(4):
        shop.client.v1.subscriptions.cancel(shop.subscribe(customer).id)
    listed = shop.client.v1.subscriptions.list
    assert {row.id for row in listed({"limit": 1}).auto_paging_iter()} == set(kept)
    assert len(list(listed({"limit": 2, "status": "ended"}).auto_paging_iter())) == 4
    assert len(list(listed({"limit": 2, "status": "all"}).auto_paging_iter())) == 7
    assert len(list(listed({"limit": 2, "status": "canceled"}).auto_paging_iter())) == 4
    assert len(list(listed({"price": shop.large}).auto_paging_iter())) == 0


def test_other_names_of_this_machine_are_not_answered(box: Sandbox) -> None:
    answered = httpx2.get(
        f"{box.url}/_control/dump", headers={"Host": "evil.example"}, trust_env=False, verify=NO_TLS
    )
    assert answered.status_code == 400
