"""Every object has the fields that the official library says it has, and no others."""

from typing import Any

import pytest

from sandbox.stripe.account import API_VERSION
from sandbox.tests.kit import DAY, Shop
from sandbox.tests.stubs import differences


def _life(shop: Shop) -> None:
    """Something of every kind."""
    client, box = shop.client, shop.box
    customer = shop.customer()
    shop.subscribe(customer)
    poor = shop.customer("pm_card_chargeCustomerFail")
    shop.subscribe(poor, trial_period_days=5)
    client.v1.setup_intents.create({"customer": customer, "payment_method": "pm_card_visa", "confirm": True})
    paid = client.v1.payment_intents.create(
        {"amount": 1200, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    )
    client.v1.refunds.create({"payment_intent": paid.id, "amount": 200})
    client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "success_url": "https://shop.example/ok",
            "line_items": [{"price": shop.small, "quantity": 1}],
        }
    )
    client.v1.billing_portal.sessions.create({"customer": customer, "return_url": "https://shop.example/"})
    client.v1.webhook_endpoints.create({"url": "https://shop.example/hook", "enabled_events": ["*"]})
    client.v1.test_helpers.test_clocks.create({"frozen_time": 1767225600})
    box.advance(days=40)
    client.v1.invoice_items.create({"customer": customer, "amount": 100, "currency": "eur"})


@pytest.fixture
def objects(shop: Shop) -> dict[str, list[dict[str, Any]]]:
    _life(shop)
    found: dict[str, list[dict[str, Any]]] = shop.box.control("GET", "/dump")["objects"]
    return found


def test_all_objects_have_the_fields_of_the_library(objects: dict[str, list[dict[str, Any]]]) -> None:
    wrong = {
        difference
        for rows in objects.values()
        for row in rows
        for difference in differences({k: v for k, v in row.items() if not k.startswith("_")})
    }
    assert len(objects) == 17
    assert not wrong


def test_events_carry_the_object_in_the_version_of_the_library(
    objects: dict[str, list[dict[str, Any]]],
) -> None:
    import stripe

    assert stripe.VERSION.startswith("16.")
    assert stripe.api_version == API_VERSION
    wrong = {
        difference
        for event in objects["event"]
        for difference in differences(event["data"]["object"], event["type"])
    }
    assert not wrong


def test_expanded_fields_are_there(shop: Shop) -> None:
    subscription = shop.subscribe(
        shop.customer(),
        expand=["latest_invoice.payments.data.payment.payment_intent", "customer", "default_payment_method"],
    )
    invoice: Any = subscription.latest_invoice
    assert invoice.payments.data[0].payment.payment_intent.status == "succeeded"
    assert invoice.payments.data[0].payment.payment_intent.latest_charge.startswith("ch_")
    customer: Any = subscription.customer
    assert customer.email == "anna@example.lu"
    assert subscription.default_payment_method is None
    listed = shop.client.v1.subscriptions.list({"expand": ["data.latest_invoice.lines"]})
    row: Any = listed.data[0].latest_invoice
    assert row.lines.data[0].amount == 4900


def test_time_of_items_is_their_own(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.small, shop.domain)
    monthly, yearly = subscription["items"].data
    assert monthly.current_period_end - monthly.current_period_start == 31 * DAY
    assert yearly.current_period_end - yearly.current_period_start == 365 * DAY
