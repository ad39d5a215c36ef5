"""The life of a subscription that Stripe bills, over real HTTP against the stand-in."""

from datetime import timedelta

import pytest

from app.core import clock
from app.modules.billing.enums import CancelFeedback
from app.modules.billing.exceptions import (
    ChangeWaitsError,
    NotBilledByStripeError,
    PreviewStaleError,
    SubscriptionError,
)
from app.modules.billing.services import addon_service, stripe_request_service
from app.modules.billing.tests.at_stripe.conftest import BACK, DECLINED, Desk
from app.modules.billing.tests.conftest import BY_PERSON


def test_from_a_trial_to_a_paid_month(desk: Desk) -> None:
    desk.shop.start_trial("professional")
    end = desk.shop.look().trial_ends_at
    assert end is not None
    desk.check_out("professional")
    assert "checkout.session.completed" in desk.bring()
    begun = desk.shop.look()
    assert (begun.status, begun.has_payment_method) == ("trial", True)
    assert begun.trial_ends_at == end.replace(microsecond=0)
    assert desk.invoices() == []
    desk.advance(15)
    desk.bring()
    paid = desk.shop.look()
    assert (paid.status, paid.tier_id) == ("active", desk.shop.tier_id("professional"))
    assert paid.period_start == end.replace(microsecond=0)
    assert paid.period_start <= clock.now() < paid.period_end
    assert desk.invoices() == [("cycle", 9900, "paid")]
    desk.advance(31)
    desk.bring()
    assert desk.invoices() == [("cycle", 9900, "paid")] * 2
    starts = desk.shop.rows("SELECT period_start FROM billing_invoices WHERE vendor_id = :vendor")
    assert {row.period_start for row in starts} == {paid.period_start, desk.shop.look().period_start}


def test_a_trial_that_is_almost_over_lasts_as_long_as_stripe_demands(desk: Desk) -> None:
    desk.shop.start_trial()
    desk.advance(13.5)
    desk.check_out()
    desk.bring()
    end = desk.shop.look().trial_ends_at
    assert end is not None
    assert timedelta(hours=48) < end - clock.now() < timedelta(hours=50)


def test_two_pages_sell_once(desk: Desk) -> None:
    desk.shop.start_trial()
    first = desk.ask("checkout", "essential", "month", BACK)
    second = desk.ask("checkout", "professional", "year", BACK)
    assert desk.pay(first.result_url) != 303
    assert desk.pay(second.result_url) == 303
    desk.bring()
    found = desk.shop.look()
    assert (found.tier_id, found.interval) == (desk.shop.tier_id("professional"), "year")
    with desk.shop.session() as session, pytest.raises(SubscriptionError):
        stripe_request_service.ask_checkout(
            session, desk.shop.vendor_id, BY_PERSON, "business", "month", BACK
        )
    assert len(desk.api.customers.list().data) == 1


def test_an_upgrade_costs_what_was_shown(desk: Desk) -> None:
    desk.subscribe("essential")
    desk.advance(10)
    shown = desk.ask("preview", "business", "month")
    assert shown.preview is not None
    assert (shown.preview.is_now, shown.preview.next_cents) == (True, 19900)
    assert 5000 < shown.preview.due_now_cents < 15000
    assert desk.shop.look().tier_id == desk.shop.tier_id("essential")
    done = desk.ask("change", "business", "month", preview_id=shown.id)
    assert (done.state, done.error) == ("done", None)
    assert desk.shop.look().tier_id == desk.shop.tier_id("business")
    assert desk.invoices()[-1] == ("proration", shown.preview.due_now_cents, "paid")
    before = desk.shop.look()
    desk.bring()
    assert desk.shop.look().tier_id == before.tier_id
    assert len(desk.invoices()) == 2
    move = shown.id
    desk.advance(1)
    with desk.shop.session() as session, pytest.raises(PreviewStaleError):
        stripe_request_service.ask_change(
            session, desk.shop.vendor_id, BY_PERSON, "enterprise", "month", preview_id=move
        )


def test_an_upgrade_that_cannot_be_paid_changes_nothing(desk: Desk) -> None:
    desk.subscribe("essential")
    customer = desk.shop.look().stripe_customer_id
    method = desk.api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    desk.api.subscriptions.update(
        desk.shop.look().stripe_subscription_id, {"default_payment_method": method.id}
    )
    done = desk.ask("change", "business", "month")
    assert (done.state, done.error) == ("failed", "card_declined")
    desk.bring()
    assert desk.shop.look().tier_id == desk.shop.tier_id("essential")
    assert [kind for kind, *_ in desk.invoices()] == ["cycle"]


def test_a_downgrade_begins_with_the_next_period(desk: Desk) -> None:
    desk.subscribe("business")
    shown = desk.ask("preview", "essential", "month")
    assert shown.preview is not None
    end = desk.shop.look().period_end
    assert (shown.preview.due_now_cents, shown.preview.next_cents) == (0, 4900)
    assert (shown.preview.is_now, shown.preview.starts_at) == (False, end)
    desk.ask("change", "essential", "month", preview_id=shown.id)
    desk.bring()
    waiting = desk.shop.look()
    assert (waiting.tier_id, waiting.next_tier_id) == (
        desk.shop.tier_id("business"),
        desk.shop.tier_id("essential"),
    )
    with desk.shop.session() as session, pytest.raises(ChangeWaitsError):
        stripe_request_service.ask_change(session, desk.shop.vendor_id, BY_PERSON, "enterprise", "month")
    assert desk.sync()["differed"] == 0
    desk.advance(31)
    desk.bring()
    found = desk.shop.look()
    assert (found.tier_id, found.next_tier_id) == (desk.shop.tier_id("essential"), None)
    assert desk.invoices() == [("cycle", 19900, "paid"), ("cycle", 4900, "paid")]
    assert desk.shop.changes().count("tier_change_planned") == 1


def test_a_downgrade_can_be_dropped(desk: Desk) -> None:
    desk.subscribe("business")
    desk.ask("change", "essential", "month")
    desk.ask("change", "business", "month")
    assert desk.shop.look().next_tier_id is None
    desk.advance(31)
    desk.bring()
    assert desk.shop.look().tier_id == desk.shop.tier_id("business")
    assert desk.invoices() == [("cycle", 19900, "paid")] * 2


def test_a_downgrade_that_never_began_was_never_had(desk: Desk) -> None:
    """The subscription ends with the period; Stripe shows the price of the plan that would have followed."""
    desk.subscribe("business")
    desk.ask("change", "essential", "month")
    desk.ask("cancel", "")
    desk.advance(31)
    desk.bring()
    found = desk.shop.look()
    assert (found.status, found.tier_id, found.next_tier_id) == (
        "expired",
        desk.shop.tier_id("business"),
        None,
    )
    assert desk.sync()["differed"] == 0


def test_a_year_instead_of_a_month_begins_at_once(desk: Desk) -> None:
    desk.subscribe("essential")
    done = desk.ask("change", "essential", "year")
    assert done.state == "done"
    found = desk.shop.look()
    assert found.interval == "year"
    assert (found.period_end - found.period_start).days in (365, 366)
    kind, cents, status = desk.invoices()[-1]
    assert (kind, status) == ("cycle", "paid")
    assert 44100 < cents < 49000


def test_a_card_that_fails_and_another_one_that_pays(desk: Desk) -> None:
    desk.subscribe("essential", number=DECLINED)
    late = desk.shop.look()
    assert (late.status, late.past_due_since is not None) == ("past_due", True)
    assert desk.invoices() == [("cycle", 4900, "open")]
    invoice = desk.shop.rows("SELECT id FROM billing_invoices WHERE vendor_id = :vendor")[0].id
    tried = desk.ask("payment", invoice)
    assert (tried.state, tried.error) == ("failed", "card_declined")
    assert tried.result_url is not None
    page = desk.ask("card", BACK)
    assert desk.pay(page.result_url) == 303
    desk.bring()
    found = desk.shop.look()
    assert (found.status, found.past_due_since) == ("active", None)
    assert desk.invoices() == [("cycle", 4900, "paid")]
    assert desk.shop.changes()[-2:] == ["past_due", "activated"]


def test_what_is_never_paid_ends(desk: Desk) -> None:
    desk.subscribe("essential", number=DECLINED)
    desk.advance(20)
    desk.bring()
    assert desk.theirs().status == "canceled"
    assert desk.shop.look().status == "expired"
    desk.check_out("professional")
    desk.bring()
    again = desk.shop.look()
    assert (again.status, again.tier_id) == ("active", desk.shop.tier_id("professional"))
    assert desk.invoices()[-1] == ("cycle", 9900, "paid")
    assert len(desk.api.customers.list().data) == 1


def test_cancel_and_reactivate(desk: Desk) -> None:
    desk.subscribe()
    desk.ask("cancel", "too dear", CancelFeedback.TOO_EXPENSIVE)
    ending = desk.shop.look()
    assert (ending.status, ending.cancel_reason) == ("cancelled", "too dear")
    assert ending.cancel_feedback == "too_expensive"
    why = desk.theirs().cancellation_details
    assert (why.comment, why.feedback) == ("too dear", "too_expensive")
    desk.bring()
    desk.ask("reactivate")
    desk.bring()
    assert (desk.shop.look().status, desk.shop.look().cancel_reason) == ("active", None)
    desk.ask("cancel")
    desk.advance(31)
    desk.bring()
    assert desk.shop.look().status == "expired"
    assert desk.invoices() == [("cycle", 4900, "paid")]


def test_add_ons_are_items(desk: Desk) -> None:
    desk.subscribe()
    with desk.shop.session() as session:
        addons = {one.code: one.id for one in addon_service.list_addons(session, desk.shop.platform_id)}
    desk.ask("addon", addons["custom-domain"], 2)
    desk.ask("addon", addons["mailboxes-5"], 1)
    desk.bring()
    assert sorted(item.quantity for item in desk.theirs()["items"].data) == [1, 1, 2]
    booked = "SELECT quantity, ends_at, stripe_item_id FROM subscription_addons WHERE vendor_id = :vendor"
    assert sorted(row.quantity for row in desk.shop.rows(booked)) == [1, 2]
    assert [kind for kind, *_ in desk.invoices()] == ["cycle", "addon", "addon"]
    desk.ask("cancel", "")
    end = desk.shop.look().period_end
    assert desk.theirs().cancel_at == int(end.timestamp())
    desk.ask("reactivate")
    assert desk.shop.look().status == "active"
    desk.ask("addon", addons["custom-domain"], 0)
    desk.bring()
    (ended,) = [row for row in desk.shop.rows(booked) if row.quantity == 2]
    assert ended.stripe_item_id is None
    assert ended.ends_at > clock.now() + timedelta(days=200)


def test_add_ons_of_the_trial_are_sold_with_the_plan(desk: Desk) -> None:
    desk.shop.start_trial()
    with desk.shop.session() as session:
        addons = {one.code: one.id for one in addon_service.list_addons(session, desk.shop.platform_id)}
        addon_service.book(session, desk.shop.vendor_id, addons["mailboxes-5"], 1, BY_PERSON)
    desk.check_out()
    desk.bring()
    desk.advance(15)
    desk.bring()
    assert desk.invoices() == [("cycle", 5400, "paid")]


def test_a_longer_trial(desk: Desk) -> None:
    desk.shop.start_trial()
    desk.check_out()
    desk.bring()
    before = desk.shop.look().trial_ends_at
    assert before is not None
    desk.ask("trial_extension", 10, "asked nicely")
    assert desk.shop.look().trial_ends_at == before + timedelta(days=10)
    desk.ask("change", "professional", "month")
    assert desk.shop.look().tier_id == desk.shop.tier_id("professional")
    desk.advance(26)
    desk.bring()
    assert desk.invoices() == [("cycle", 9900, "paid")]


def test_the_portal(desk: Desk) -> None:
    desk.shop.start_trial()
    with desk.shop.session() as session, pytest.raises(NotBilledByStripeError):
        stripe_request_service.ask_portal(session, desk.shop.vendor_id, BY_PERSON, BACK)
    desk.check_out()
    desk.bring()
    page = desk.ask("portal", BACK, flow="payment_method_update")
    assert page.result_url is not None
    assert "/portal/" in page.result_url
