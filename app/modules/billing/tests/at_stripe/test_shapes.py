"""Objects of Stripe in older and newer versions, with fields that are missing or unknown."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.modules.billing.services.stripe_remote_service import invoice_of, subscription_of

NOW = datetime(2026, 11, 23, tzinfo=UTC)
START, END = 1_795_000_000, 1_797_592_000
ITEM = {
    "id": "si_1",
    "quantity": 2,
    "price": {"id": "price_1", "product": "prod_1", "recurring": {"interval": "month", "interval_count": 12}},
}
SUBSCRIPTION: dict[str, Any] = {
    "id": "sub_1",
    "customer": {
        "id": "cus_1",
        "invoice_settings": {"default_payment_method": "pm_1"},
        "default_source": None,
    },
    "status": "active",
    "items": {"data": [{**ITEM, "current_period_start": START, "current_period_end": END}]},
    "billing_cycle_anchor": START,
    "cancel_at_period_end": False,
    "metadata": {"wizamart_subscription": "sub_x"},
    "latest_invoice": {"id": "in_1"},
}
INVOICE: dict[str, Any] = {
    "id": "in_1",
    "customer": "cus_1",
    "status": "paid",
    "total": 4900,
    "amount_due": 3900,
    "amount_paid": 3900,
    "amount_remaining": 0,
    "currency": "eur",
    "created": START,
    "billing_reason": "subscription_cycle",
    "parent": {"subscription_details": {"subscription": "sub_1"}},
    "total_taxes": [{"amount": 700}, {"amount": 12}],
    "lines": {
        "data": [
            {
                "amount": 4900,
                "description": "1 × Essential",
                "period": {"start": START, "end": END},
                "pricing": {"price_details": {"product": "prod_1"}},
                "parent": {"subscription_item_details": {"proration": True}},
            }
        ]
    },
}


def test_the_present_shapes() -> None:
    found = subscription_of(SUBSCRIPTION, NOW)
    assert (found.customer_id, found.has_payment_method, found.latest_invoice_id) == ("cus_1", True, "in_1")
    (item,) = found.items
    assert (item.product_id, item.interval, item.quantity) == ("prod_1", "year", 2)
    assert item.period_end == datetime.fromtimestamp(END, UTC)
    invoice = invoice_of(INVOICE)
    assert (invoice.subscription_id, invoice.settled_cents, invoice.tax_cents) == ("sub_1", 4900, 712)
    assert invoice.lines[0].is_proration


def test_the_shapes_of_before_2025() -> None:
    old = {
        **SUBSCRIPTION,
        "items": {"data": [ITEM]},
        "current_period_start": START,
        "current_period_end": END,
    }
    (item,) = subscription_of(old, NOW).items
    assert item.period_start == datetime.fromtimestamp(START, UTC)
    line = {"amount": 1, "proration": True, "price": {"product": "prod_1"}, "period": {}}
    invoice = invoice_of(
        {**INVOICE, "parent": None, "subscription": "sub_9", "lines": {"data": [line]}, "tax": 3}
        | {"total_taxes": None}
    )
    assert (invoice.subscription_id, invoice.tax_cents) == ("sub_9", 3)
    assert (invoice.lines[0].product_id, invoice.lines[0].is_proration) == ("prod_1", True)


_JUNK = st.dictionaries(
    st.text(min_size=1).map("x_".__add__), st.integers() | st.text() | st.none(), max_size=4
)
_OPTIONAL = sorted(set(SUBSCRIPTION) - {"id"})
_OPTIONAL_INVOICE = sorted(set(INVOICE) - {"id"})


@given(st.sets(st.sampled_from(_OPTIONAL)), st.sets(st.sampled_from(_OPTIONAL)), _JUNK)
def test_a_subscription_parses_without_its_optional_fields(
    gone: set[str], empty: set[str], junk: dict[str, Any]
) -> None:
    given_fields = {name: value for name, value in SUBSCRIPTION.items() if name not in gone}
    found = subscription_of({**given_fields, **dict.fromkeys(empty - gone), **junk}, NOW)
    assert found.id == "sub_1"
    assert found.has_payment_method == ("customer" not in gone | empty)
    assert len(found.items) == ("items" not in gone | empty)


@given(st.sets(st.sampled_from(_OPTIONAL_INVOICE)), st.sets(st.sampled_from(_OPTIONAL_INVOICE)), _JUNK)
def test_an_invoice_parses_without_its_optional_fields(
    gone: set[str], empty: set[str], junk: dict[str, Any]
) -> None:
    given_fields = {name: value for name, value in INVOICE.items() if name not in gone}
    found = invoice_of({**given_fields, **dict.fromkeys(empty - gone), **junk})
    assert found.id == "in_1"
    assert found.total_cents == (0 if "total" in gone | empty else 4900)
    assert found.settled_cents >= 0
