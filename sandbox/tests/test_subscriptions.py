"""The life of a subscription: a year, trials, failing cards, changes."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe.calendar import add, period_at
from sandbox.stripe.lines import part_of
from sandbox.tests.kit import DAY, START, Shop, item_of


def _at(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp())


def test_a_year_is_twelve_months_and_thirteen_invoices(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer())
    assert subscription.status == "active"
    shop.box.advance(days=365, seconds=3600)
    found = shop.invoices(subscription.id)
    assert [invoice.billing_reason for invoice in found] == ["subscription_create"] + [
        "subscription_cycle"
    ] * 12
    assert {(invoice.status, invoice.amount_paid) for invoice in found} == {("paid", 4900)}
    assert len({invoice.number for invoice in found}) == 13
    after = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert item_of(after).current_period_start == _at(2027, 1, 1)
    assert item_of(after).current_period_end == _at(2027, 2, 1)


def test_a_renewal_is_drafted_then_finalised_and_paid_an_hour_later(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer())
    shop.box.advance(days=31)
    draft = shop.invoices(subscription.id)[-1]
    assert (draft.status, draft.automatically_finalizes_at) == ("draft", _at(2026, 2, 1, 1))
    shop.box.advance(seconds=3600)
    paid = shop.client.v1.invoices.retrieve(draft.id)
    assert (paid.status, paid.status_transitions.paid_at) == ("paid", _at(2026, 2, 1, 1))
    assert (paid.period_start, paid.period_end) == (START, _at(2026, 2, 1))
    assert (paid.lines.data[0].period.start, paid.lines.data[0].period.end) == (
        _at(2026, 2, 1),
        _at(2026, 3, 1),
    )
    parent: Any = paid.parent
    assert parent.subscription_details.subscription == subscription.id


def test_periods_keep_the_day_of_the_anchor(shop: Shop) -> None:
    shop.box.control("POST", "/clock", {"frozen_at": _at(2026, 1, 31, 12)})
    subscription = shop.subscribe(shop.customer())
    ends = []
    for _ in range(4):
        end = item_of(shop.client.v1.subscriptions.retrieve(subscription.id)).current_period_end
        ends.append(datetime.fromtimestamp(end, UTC).strftime("%d %b %H"))
        shop.box.control("POST", "/clock", {"frozen_at": end})
    assert ends == ["28 Feb 12", "31 Mar 12", "30 Apr 12", "31 May 12"]


@given(
    st.integers(0, 2**31),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 6),
    st.integers(0, 10**9),
)
def test_periods_have_no_gaps(anchor: int, interval: str, count: int, later: int) -> None:
    start, end = period_at(anchor, interval, count, anchor + later)
    assert start <= anchor + later < end
    assert period_at(anchor, interval, count, end)[0] == end
    assert add(anchor, interval, 0) == anchor


@given(st.integers(0, 10**8), st.integers(1, 366 * DAY), st.data())
def test_parts_of_a_period_are_right_to_half_a_cent(amount: int, whole: int, data: st.DataObject) -> None:
    seconds = data.draw(st.integers(0, whole))
    part = part_of(amount, seconds, whole)
    assert abs(part * whole - amount * seconds) * 2 <= whole
    assert part_of(-amount, seconds, whole) == -part


def test_a_trial_ends_with_the_first_invoice(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), trial_period_days=14)
    assert (subscription.status, subscription.trial_end) == ("trialing", START + 14 * DAY)
    assert shop.invoices(subscription.id)[0].total == 0
    shop.box.advance(days=11)
    assert shop.event_types()[-1] == "customer.subscription.trial_will_end"
    shop.box.advance(days=3, seconds=3600)
    after = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert after.status == "active"
    assert item_of(after).current_period_start == START + 14 * DAY
    assert [invoice.amount_paid for invoice in shop.invoices(subscription.id)] == [0, 4900]


@pytest.mark.parametrize(
    ("behavior", "status"), [("create_invoice", "past_due"), ("cancel", "canceled"), ("pause", "paused")]
)
def test_a_trial_without_a_card(shop: Shop, behavior: str, status: str) -> None:
    settings = {"end_behavior": {"missing_payment_method": behavior}}
    subscription = shop.subscribe(shop.customer(None), trial_period_days=14, trial_settings=settings)
    shop.box.advance(days=14, seconds=3600)
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == status


@pytest.mark.parametrize("last", ["canceled", "unpaid", "past_due"])
def test_a_failing_card_is_tried_four_times(shop: Shop, last: str) -> None:
    shop.box.control("POST", "/settings", {"dunning_end": last})
    customer = shop.customer("pm_card_chargeCustomerFail")
    subscription = shop.subscribe(customer, trial_period_days=10)
    shop.box.advance(days=10, seconds=3600)
    retrieve = shop.client.v1.subscriptions.retrieve
    invoice = shop.invoices(subscription.id)[-1]
    first = invoice.created + 3600
    assert retrieve(subscription.id).status == "past_due"
    for number, days in enumerate((3, 5, 7), 1):
        assert (invoice.attempt_count, invoice.next_payment_attempt) == (number, first + days * DAY)
        first += days * DAY
        shop.box.advance(days=days)
        invoice = shop.client.v1.invoices.retrieve(invoice.id)
    assert (invoice.status, invoice.attempt_count, invoice.next_payment_attempt) == ("open", 4, None)
    after = retrieve(subscription.id)
    assert after.status == last
    if last == "canceled":
        details: Any = after.cancellation_details
        assert details.reason == "payment_failed"
    assert shop.event_types().count("invoice.payment_failed") == 4


def test_a_new_card_brings_a_past_due_subscription_back(shop: Shop) -> None:
    customer = shop.customer("pm_card_chargeCustomerFail")
    subscription = shop.subscribe(customer, trial_period_days=10)
    shop.box.advance(days=10, seconds=3600)
    method = shop.client.v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    invoice = shop.invoices(subscription.id)[-1]
    paid = shop.client.v1.invoices.pay(invoice.id, {"payment_method": method.id})
    assert (paid.status, paid.amount_remaining) == ("paid", 0)
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_the_first_payment_decides(shop: Shop) -> None:
    customer = shop.customer("pm_card_chargeCustomerFail")
    subscription = shop.subscribe(customer)
    assert subscription.status == "incomplete"
    before = len(shop.event_types())
    with pytest.raises(stripe.CardError) as caught:
        shop.subscribe(customer, payment_behavior="error_if_incomplete")
    assert caught.value.code == "card_declined"
    assert len(shop.event_types()) == before  # nothing of it is left
    shop.box.advance(days=1)
    after = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert after.status == "incomplete_expired"
    assert shop.invoices(subscription.id)[0].status == "void"


def _change(shop: Shop, subscription: stripe.Subscription, price: str, **fields: Any) -> stripe.Subscription:
    items = [{"id": item_of(subscription).id, "price": price}]
    return shop.client.v1.subscriptions.update(subscription.id, {"items": items, **fields})


def test_an_upgrade_is_prorated_to_the_second(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer())
    shop.box.advance(days=10, seconds=12345)
    left, whole = 21 * DAY - 12345, 31 * DAY
    items = [{"id": item_of(subscription).id, "price": shop.large}]
    preview = shop.client.v1.invoices.create_preview(
        {
            "subscription": subscription.id,
            "subscription_details": {"items": items, "proration_behavior": "always_invoice"},
        }  # type: ignore[typeddict-item]
    )
    expected = [-round(4900 * left / whole), round(9900 * left / whole)]
    assert [line.amount for line in preview.lines.data] == expected
    assert (
        shop.invoices(subscription.id)[-1].billing_reason == "subscription_create"
    )  # a preview makes nothing
    _change(shop, subscription, shop.large, proration_behavior="always_invoice")
    invoice = shop.invoices(subscription.id)[-1]
    assert (invoice.billing_reason, invoice.status, invoice.total) == (
        "subscription_update",
        "paid",
        sum(expected),
    )
    parent: Any = invoice.lines.data[0].parent
    assert parent.subscription_item_details.proration is True


def test_prorations_wait_for_the_next_invoice(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer())
    shop.box.advance(days=15, seconds=DAY // 2)  # half of January
    _change(shop, subscription, shop.large)
    upcoming = shop.client.v1.invoices.create_preview({"subscription": subscription.id})
    assert [line.amount for line in upcoming.lines.data] == [-2450, 4950, 9900]
    shop.box.advance(days=15, seconds=DAY // 2 + 3600)
    invoice = shop.invoices(subscription.id)[-1]
    assert (invoice.total, invoice.status) == (12400, "paid")
    assert [line.amount for line in invoice.lines.data] == [-2450, 4950, 9900]


def test_a_credit_becomes_balance_and_is_used_up(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.large)
    _change(shop, subscription, shop.small, proration_behavior="always_invoice")
    assert shop.client.v1.customers.retrieve(customer).balance == -5000
    shop.box.advance(days=31, seconds=3600)
    invoice = shop.invoices(subscription.id)[-1]
    assert (invoice.total, invoice.amount_due, invoice.starting_balance, invoice.ending_balance) == (
        4900,
        0,
        -5000,
        -100,
    )
    assert shop.client.v1.customers.retrieve(customer).balance == -100


def test_another_interval_begins_a_new_period_at_once(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer())
    shop.box.advance(days=15, seconds=DAY // 2)
    after = _change(shop, subscription, shop.yearly)
    now = START + 15 * DAY + DAY // 2
    assert (item_of(after).current_period_start, item_of(after).current_period_end) == (now, now + 365 * DAY)
    invoice = shop.invoices(subscription.id)[-1]
    assert ([line.amount for line in invoice.lines.data], invoice.status) == ([-2450, 49000], "paid")


def test_an_add_on_of_another_interval_renews_by_itself(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.small, shop.domain)
    assert shop.invoices(subscription.id)[0].total == 6400
    shop.box.advance(days=365, seconds=3600)
    totals = [invoice.total for invoice in shop.invoices(subscription.id)]
    assert totals == [6400] + [4900] * 11 + [6400]


def test_cancelling_at_the_end_and_thinking_again(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer())
    update = shop.client.v1.subscriptions.update
    ending = update(subscription.id, {"cancel_at_period_end": True})
    assert (ending.cancel_at, ending.status) == (item_of(subscription).current_period_end, "active")
    assert update(subscription.id, {"cancel_at_period_end": False}).cancel_at is None
    update(subscription.id, {"cancel_at_period_end": True})
    shop.box.advance(days=31)
    after = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert (after.status, after.ended_at) == ("canceled", START + 31 * DAY)
    assert len(shop.invoices(subscription.id)) == 1
    assert shop.event_types()[-1] == "customer.subscription.deleted"


def test_cancelling_now_gives_back_the_unused_time(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    shop.box.advance(days=15, seconds=DAY // 2)
    shop.client.v1.subscriptions.cancel(subscription.id, {"prorate": True, "invoice_now": True})
    assert shop.client.v1.customers.retrieve(customer).balance == -2450
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.subscriptions.cancel(subscription.id)
    assert caught.value.code == "resource_missing"


def test_a_test_clock_moves_only_its_own(shop: Shop) -> None:
    clocks = shop.client.v1.test_helpers.test_clocks
    clock = clocks.create({"frozen_time": _at(2027, 1, 1)})
    own = shop.subscribe(shop.customer(test_clock=clock.id))
    other = shop.subscribe(shop.customer())
    assert own.created == _at(2027, 1, 1)
    clocks.advance(clock.id, {"frozen_time": _at(2027, 2, 2)})
    assert len(shop.invoices(own.id)) == 2
    assert len(shop.invoices(other.id)) == 1
