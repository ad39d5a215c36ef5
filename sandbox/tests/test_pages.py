"""The hosted pages: checkout, portal, invoice."""

import re
from typing import Any

import httpx2
import pytest

from sandbox.testing import NO_TLS
from sandbox.tests.kit import Shop, item_of

CARD = {"exp": "12/34", "cvc": "123", "name": "Anna", "email": "anna@example.lu"}
OK = "https://shop.example/ok?session={CHECKOUT_SESSION_ID}"


def _post(url: str, **form: str) -> httpx2.Response:
    return httpx2.post(url, data=form, trust_env=False, verify=NO_TLS, timeout=20)


def _get(url: str) -> httpx2.Response:
    return httpx2.get(url, trust_env=False, verify=NO_TLS, timeout=20)


def _checkout(shop: Shop, **fields: Any) -> Any:
    asked = {
        "mode": "subscription",
        "success_url": OK,
        "line_items": [{"price": shop.small, "quantity": 1}],
        **fields,
    }
    return shop.client.v1.checkout.sessions.create(asked)  # type: ignore[arg-type]


def test_a_checkout_is_paid(shop: Shop) -> None:
    data = {"metadata": {"vendor": "7"}}
    session = _checkout(shop, client_reference_id="7", metadata={"vendor": "7"}, subscription_data=data)
    page = _get(session.url)
    assert "This is a stand-in: no money moves." in page.text
    assert "49.00 EUR per month" in page.text
    answered = _post(session.url, number="4242 4242 4242 4242", **CARD)
    assert (answered.status_code, answered.headers["location"]) == (
        303,
        OK.replace("{CHECKOUT_SESSION_ID}", session.id),
    )
    after = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "line_items"]})
    assert (after.status, after.payment_status, after.client_reference_id) == ("complete", "paid", "7")
    subscription: Any = after.subscription
    assert (subscription.status, subscription.metadata["vendor"]) == ("active", "7")
    assert subscription.default_payment_method.startswith("pm_")
    assert after.line_items.data[0].amount_total == 4900  # type: ignore[union-attr]
    assert shop.event_types()[-1] == "checkout.session.completed"
    assert _post(session.url, number="4242424242424242", **CARD).headers["location"].endswith(session.id)
    assert len(shop.client.v1.subscriptions.list().data) == 1


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("4000000000000002", "Your card was declined."),
        ("4000000000009995", "insufficient funds"),
        ("4000000000000341", "Your card was declined."),
        ("4242424242424241", "card number is not"),
    ],
)
def test_a_declined_checkout_leaves_nothing(shop: Shop, number: str, words: str) -> None:
    session = _checkout(shop)
    known = shop.event_types()
    answered = _post(session.url, number=number, **CARD)
    assert answered.status_code in (402, 422)
    assert words in answered.text
    assert shop.event_types() == known
    assert _post(session.url, number="4242424242424242", **CARD).status_code == 303


@pytest.mark.parametrize(
    ("number", "answer", "status", "renewal"),
    [
        ("4000002500003155", "pass", 303, "paid"),  # saved with authentication: the renewal needs none
        ("4000002760003184", "pass", 303, "open"),  # asks each time
        ("4000002500003155", "fail", 402, ""),
    ],
)
def test_the_bank_asks(shop: Shop, number: str, answer: str, status: int, renewal: str) -> None:
    session = _checkout(shop)
    asked = _post(session.url, number=number, **CARD)
    assert "Your bank asks" in asked.text
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked.text))
    assert _post(session.url, **hidden, bank=answer).status_code == status
    found = shop.client.v1.subscriptions.list().data
    assert len(found) == (answer == "pass")
    if found:
        shop.box.advance(days=31, seconds=3600)
        assert shop.invoices(found[0].id)[-1].status == renewal


def test_a_card_that_fails_later(shop: Shop) -> None:
    session = _checkout(shop, subscription_data={"trial_period_days": 5})
    assert _post(session.url, number="4000000000000341", **CARD).status_code == 303
    shop.box.advance(days=5, seconds=3600)
    assert shop.client.v1.subscriptions.list().data[0].status == "past_due"


def test_a_trial_without_a_card_and_an_expired_checkout(shop: Shop) -> None:
    free = _checkout(
        shop, subscription_data={"trial_period_days": 5}, payment_method_collection="if_required"
    )
    assert _post(free.url, email="anna@example.lu").status_code == 303
    left = _checkout(shop)
    shop.box.advance(days=1)
    assert shop.client.v1.checkout.sessions.retrieve(left.id).status == "expired"
    assert _get(left.url).status_code == 410


def test_one_payment_and_one_saved_card(shop: Shop) -> None:
    rows = [
        {
            "price_data": {"currency": "eur", "unit_amount": 700, "product_data": {"name": "Mug"}},
            "quantity": 2,
        }
    ]
    paid = _checkout(shop, mode="payment", line_items=rows)
    assert _post(paid.url, number="4242424242424242", **CARD).status_code == 303
    intent = shop.client.v1.checkout.sessions.retrieve(paid.id, {"expand": ["payment_intent"]}).payment_intent
    assert (intent.amount, intent.status) == (1400, "succeeded")  # type: ignore[union-attr]
    saved = _checkout(shop, mode="setup", line_items=[], customer=shop.customer(None))
    assert _post(saved.url, number="4242424242424242", **CARD).status_code == 303
    setup = shop.client.v1.checkout.sessions.retrieve(saved.id, {"expand": ["setup_intent"]}).setup_intent
    assert setup.status == "succeeded"  # type: ignore[union-attr]


def test_the_portal_changes_the_card_and_pays_what_is_owed(shop: Shop) -> None:
    customer = shop.customer("pm_card_chargeCustomerFail")
    subscription = shop.subscribe(customer, trial_period_days=5)
    shop.box.advance(days=5, seconds=3600)
    retrieve = shop.client.v1.subscriptions.retrieve
    assert retrieve(subscription.id).status == "past_due"
    session = shop.client.v1.billing_portal.sessions.create(
        {"customer": customer, "return_url": "https://shop.example/billing"}
    )
    assert "ending in 0341" in _get(session.url).text
    assert "declined" in _post(f"{session.url}/card", number="4000000000000002", **CARD).text
    assert _post(f"{session.url}/card", number="5555555555554444", **CARD).status_code == 303
    assert "mastercard ending in 4444" in _get(session.url).text
    assert retrieve(subscription.id).status == "active"
    assert _post(f"{session.url}/cancel", subscription=subscription.id).status_code == 303
    assert retrieve(subscription.id).cancel_at == item_of(retrieve(subscription.id)).current_period_end
    assert _post(f"{session.url}/keep", subscription=subscription.id).status_code == 303
    assert retrieve(subscription.id).cancel_at is None


def test_an_invoice_is_paid_on_its_page(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(None), payment_behavior="default_incomplete")
    invoice = shop.invoices(subscription.id)[0]
    url = str(invoice.hosted_invoice_url)
    assert (subscription.status, invoice.status) == ("incomplete", "open")
    assert "Pay 49.00 EUR" in _get(url).text
    assert _post(url, number="4000000000000341", **CARD).status_code == 402
    assert _post(url, number="4242424242424242", **CARD).status_code == 303
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "active"
    document = _get(str(shop.client.v1.invoices.retrieve(invoice.id).invoice_pdf))
    assert document.content.startswith(b"%PDF-1.4")
    assert document.headers["content-type"] == "application/pdf"


def test_pages_run_no_scripts_and_escape(shop: Shop) -> None:
    product = shop.client.v1.products.create({"name": "<script>alert(1)</script>"})
    price = shop.client.v1.prices.create({"product": product.id, "currency": "eur", "unit_amount": 100})
    session = _checkout(shop, mode="payment", line_items=[{"price": price.id, "quantity": 1}])
    page = _get(session.url)
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' https://shop.example" in policy
    assert _get(f"{shop.box.url}/stripe/pages/style.css").status_code == 200
    assert _get(f"{shop.box.url}/stripe/pages/checkout/cs_none").status_code == 404


def test_a_declined_payment_leaves_its_trace(shop: Shop) -> None:
    rows = [
        {
            "price_data": {"currency": "eur", "unit_amount": 700, "product_data": {"name": "Mug"}},
            "quantity": 1,
        }
    ]
    session = _checkout(shop, mode="payment", line_items=rows)
    assert _post(session.url, number="4000000000009995", **CARD).status_code == 402
    open_one = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    intent: Any = open_one.payment_intent
    assert (open_one.status, intent.status) == ("open", "requires_payment_method")
    assert intent.last_payment_error.decline_code == "insufficient_funds"
    assert shop.event_types()[-1] == "payment_intent.payment_failed"
    assert _post(session.url, number="4242424242424242", **CARD).status_code == 303
    done = shop.client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_intent, done.customer) == ("complete", intent.id, None)
