"""Messages that come twice, in another order, late or never; answers that are lost; and setting things right by
comparing."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.modules.billing.services import (
    stripe_apply_service,
    stripe_invoice_service,
    stripe_request_service,
    tier_service,
)
from app.modules.billing.services.stripe_apply_service import Applied
from app.modules.billing.services.stripe_remote_service import read_invoices, read_subscription
from app.modules.billing.tests.at_stripe.conftest import BACK, DECLINED, Desk
from app.modules.billing.tests.conftest import BY_PERSON, move_clock
from app.modules.payments.facade import stripe_client
from app.modules.tasks import QUEUES
from app.tasks.runner import run_slice
from app.testing.working import work


def state(desk: Desk) -> tuple[Any, ...]:
    found = desk.shop.look()
    return (
        found.status,
        found.tier_id,
        found.interval,
        found.period_start,
        found.period_end,
        found.has_payment_method,
        found.stripe_subscription_id,
        desk.invoices(),
    )


def try_once() -> None:
    """Do what is due; what is to be tried again later is left for the clock to move on."""
    for queue in QUEUES:
        assert not run_slice(queue)


@pytest.mark.parametrize("way", ["doubled", "backwards", "only_last", "never"])
def test_the_way_that_messages_take_does_not_matter(desk: Desk, way: str) -> None:
    desk.shop.start_trial("professional")
    desk.check_out("professional")
    desk.advance(15)
    desk.advance(31)
    events = desk.events()
    assert len(events) > 8
    if way == "doubled":
        events = [event for event in events for _ in range(2)]
    elif way == "backwards":
        events.reverse()
    else:
        events = events[-1:] if way == "only_last" else []
    for event in events:
        desk.send(event)
    work()
    if way in ("only_last", "never"):
        assert desk.sync()["invoices"] >= 1
    found = desk.shop.look()
    assert (found.status, found.has_payment_method) == ("active", True)
    assert found.period_start <= clock.now() < found.period_end
    assert desk.invoices() == [("cycle", 9900, "paid")] * 2
    before = state(desk)
    result = desk.sync()
    assert (result["differed"], result["invoices"], result["failed"]) == (0, 0, 0)
    assert state(desk) == before


def test_a_late_message_revives_nothing(desk: Desk) -> None:
    desk.subscribe()
    desk.ask("cancel", "")
    early = desk.events()
    desk.advance(31)
    desk.bring()
    assert desk.shop.look().status == "expired"
    for event in early:
        desk.send(event)
    work()
    assert desk.shop.look().status == "expired"


def test_a_slow_read_changes_nothing(desk: Desk) -> None:
    desk.subscribe()
    with unit_of_work(SYSTEM) as session:
        client = stripe_client(session, desk.shop.platform_id)
    slow = read_subscription(client, str(desk.shop.look().stripe_subscription_id))
    assert slow is not None
    desk.ask("cancel", "")
    with desk.shop.session() as session:
        assert stripe_apply_service.apply_subscription(session, slow) is Applied.OLDER
    assert desk.shop.look().status == "cancelled"


def test_an_invoice_only_goes_forward(desk: Desk) -> None:
    desk.subscribe(number=DECLINED)
    with unit_of_work(SYSTEM) as session:
        client = stripe_client(session, desk.shop.platform_id)
    (owed,) = [one for one in read_invoices(client)[0] if one.status == "open"]
    with desk.shop.session() as session:
        assert stripe_invoice_service.apply_invoice(session, replace(owed, status="paid"))
        assert not stripe_invoice_service.apply_invoice(session, owed)
    assert desk.invoices() == [("cycle", 4900, "paid")]


def test_a_period_has_one_invoice_of_its_own(desk: Desk) -> None:
    desk.subscribe()
    with unit_of_work(SYSTEM) as session:
        client = stripe_client(session, desk.shop.platform_id)
    (paid,) = [one for one in read_invoices(client)[0] if one.total_cents]
    with desk.shop.session() as session:
        stripe_invoice_service.apply_invoice(session, replace(paid, id="in_other", number="X-1"))
    assert sorted(desk.invoices()) == [("cycle", 4900, "paid"), ("manual", 4900, "paid")]


def test_what_is_not_ours_is_passed_over(desk: Desk) -> None:
    desk.subscribe()
    before = state(desk)
    customer = desk.api.customers.create({"email": "x@x.example", "payment_method": "pm_card_visa"})
    price = desk.theirs()["items"].data[0].price.id
    method = desk.api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    desk.api.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price}],
            "default_payment_method": method.id,
            "metadata": desk.theirs().metadata.to_dict(),
        }
    )
    desk.bring()
    assert state(desk) == before
    assert desk.sync()["foreign"] == 1


def test_a_second_subscription_of_a_vendor_is_ended(desk: Desk) -> None:
    desk.subscribe()
    ours = desk.theirs()
    second = desk.api.subscriptions.create(
        {
            "customer": ours.customer,
            "items": [{"price": ours["items"].data[0].price.id}],
            "default_payment_method": ours.default_payment_method,
            "metadata": ours.metadata.to_dict(),
        }
    )
    desk.bring()
    assert desk.shop.look().stripe_subscription_id == ours.id
    assert desk.api.subscriptions.retrieve(second.id).status == "canceled"
    assert desk.shop.look().status == "active"


@pytest.mark.parametrize("fault", ["lost_answer", "cut", "server_error", "rate_limit", "timeout_after"])
def test_what_was_not_answered_is_done_once(desk: Desk, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.subscribe("essential")
    monkeypatch.setenv("PAYMENTS_STRIPE_TIMEOUT_SECONDS", "1")
    path = "/v1/subscriptions/sub_[^/]+$"
    desk.box.control("POST", "/faults", {"name": fault, "times": 4, "method": "POST", "path": path})
    with desk.shop.session() as session:
        request_id = stripe_request_service.ask_change(
            session, desk.shop.vendor_id, BY_PERSON, "business", "month"
        )
    assert request_id is not None
    for _ in range(4):
        try_once()
        move_clock(minutes=10)
    desk.box.control("DELETE", "/faults")
    work()
    asked = desk.find(request_id)
    assert (asked.state, asked.error) == ("done", None)
    assert desk.shop.look().tier_id == desk.shop.tier_id("business")
    desk.bring()
    assert [kind for kind, *_ in desk.invoices()] == ["cycle", "proration"]


def test_a_request_that_stripe_never_answers_ends(desk: Desk) -> None:
    desk.subscribe()
    desk.box.control("POST", "/faults", {"name": "unavailable", "times": None, "path": "/v1/"})
    with desk.shop.session() as session:
        request_id = stripe_request_service.ask_cancel(session, desk.shop.vendor_id, BY_PERSON)
    assert request_id is not None
    try_once()
    assert desk.find(request_id).state == "waiting"
    for _ in range(30):
        move_clock(hours=1)
        try_once()
        if desk.find(request_id).state != "waiting":
            break
    assert (desk.find(request_id).state, desk.find(request_id).error) == ("failed", "unavailable")
    desk.box.control("DELETE", "/faults")
    assert desk.theirs().cancel_at is None


def test_differences_are_counted_listed_and_put_right(desk: Desk) -> None:
    desk.subscribe("essential")
    subscription = desk.theirs()
    desk.api.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    desk.lose()
    result = desk.sync()
    assert (result["read"], result["differed"], result["failed"]) == (1, 1, 0)
    assert desk.shop.look().status == "cancelled"
    found = (
        "SELECT field, local_value, remote_value, resolved_at FROM sync_differences WHERE vendor_id = :vendor"
    )
    rows = {row.field: row for row in desk.shop.rows(found)}
    assert {"status", "cancel_at_period_end"} <= set(rows)
    assert (rows["status"].local_value, rows["status"].remote_value) == ("active", "cancelled")
    assert all(row.resolved_at is not None for row in rows.values())
    assert desk.sync()["differed"] == 0


def test_what_has_ended_is_read_one_by_one(desk: Desk) -> None:
    desk.subscribe()
    desk.api.subscriptions.cancel(desk.theirs().id)
    desk.lose()
    result = desk.sync()
    assert (result["read"], result["differed"]) == (1, 1)
    assert desk.shop.look().status == "expired"
    assert desk.sync()["read"] == 0


def test_a_price_that_is_none_of_ours_stays_a_difference(desk: Desk) -> None:
    desk.subscribe("business")
    subscription = desk.theirs()
    product = desk.api.products.create({"name": "Agreed by phone"})
    price = desk.api.prices.create(
        {"product": product.id, "currency": "eur", "unit_amount": 100, "recurring": {"interval": "month"}}
    )
    item = subscription["items"].data[0].id
    desk.api.subscriptions.update(
        subscription.id, {"items": [{"id": item, "price": price.id}], "proration_behavior": "none"}
    )
    desk.bring()
    assert desk.shop.look().tier_id == desk.shop.tier_id("business")
    for _ in range(2):
        assert desk.sync()["differed"] == 1
        found = "SELECT remote_value FROM sync_differences WHERE vendor_id = :vendor AND resolved_at IS NULL"
        assert [row.remote_value for row in desk.shop.rows(found)] == [price.id]


def test_one_that_fails_does_not_stop_the_others(desk: Desk) -> None:
    desk.subscribe()
    with desk.shop.owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE subscriptions SET stripe_subscription_id = 'sub_nowhere', stripe_customer_id = 'cus_nowhere' "
                "WHERE vendor_id = (SELECT id FROM vendors WHERE code = 'MOSELLE')"
            )
        )
    desk.api.subscriptions.update(desk.theirs().id, {"cancel_at_period_end": True})
    desk.lose()
    result = desk.sync()
    assert (result["read"], result["failed"]) == (1, 1)
    assert desk.shop.look().status == "cancelled"
    with desk.shop.owner.connect() as connection:
        found = connection.execute(text("SELECT field FROM sync_differences WHERE resolved_at IS NULL"))
        assert found.scalars().all() == ["stripe_subscription_id"]


def test_a_comparison_goes_on_where_it_was_stopped(desk: Desk) -> None:
    desk.subscribe()
    desk.advance(31)
    desk.lose()
    desk.box.control("POST", "/faults", {"name": "server_error", "times": 3, "path": "/v1/invoices$"})
    assert desk.sync()["invoices"] == 1
    assert desk.invoices() == [("cycle", 4900, "paid")] * 2


def test_a_vendor_is_read_again_when_somebody_asks(desk: Desk) -> None:
    desk.shop.start_trial()
    desk.check_out()
    desk.lose()
    with desk.shop.session() as session:
        stripe_request_service.ask_sync(session, desk.shop.vendor_id, BY_PERSON)
    work()
    assert desk.shop.look().stripe_subscription_id is not None


def test_a_changed_price_holds_for_whoever_comes_later(desk: Desk) -> None:
    desk.subscribe("essential")
    tier_id = desk.shop.tier_id("essential")
    with unit_of_work(SYSTEM) as session:
        tier = tier_service.get_tier(session, tier_id)
        former, version = tier.stripe_monthly_price_id, tier.version
        tier.monthly_cents = 5900
        session.flush()
        stripe_request_service.ask_tier_sync(session, tier_id, BY_PERSON)
    work()
    with unit_of_work(SYSTEM) as session:
        tier = tier_service.get_tier(session, tier_id)
        assert tier.version == version + 1
        price = desk.api.prices.retrieve(tier.stripe_monthly_price_id)
    assert (price.unit_amount, price.active) == (5900, True)
    assert not desk.api.prices.retrieve(former).active
    assert desk.theirs()["items"].data[0].price.id == former
    desk.advance(31)
    desk.bring()
    assert desk.invoices() == [("cycle", 4900, "paid")] * 2
    assert desk.shop.look().tier_id == tier_id
    assert desk.sync()["differed"] == 0
    with unit_of_work(SYSTEM) as session:
        tier_service.get_tier(session, tier_id).monthly_cents = 4900
        session.flush()
        stripe_request_service.ask_tier_sync(session, tier_id, BY_PERSON)
    work()
    assert desk.api.prices.retrieve(former).active


def test_nothing_is_asked_of_stripe_where_it_does_not_bill(desk: Desk) -> None:
    desk.shop.subscribe("essential")
    with desk.shop.session() as session:
        vendor_id = desk.shop.vendor_id
        service = stripe_request_service
        assert service.ask_preview(session, vendor_id, BY_PERSON, "business", "month") is None
        assert service.ask_change(session, vendor_id, BY_PERSON, "business", "month") is None
        assert service.ask_cancel(session, vendor_id, BY_PERSON, "moving") is None
        assert service.ask_reactivate(session, vendor_id, BY_PERSON) is None
    assert desk.shop.look().tier_id == desk.shop.tier_id("business")
    assert desk.events() == []


def test_return_addresses_are_kept_out_of_the_audit(desk: Desk) -> None:
    desk.shop.start_trial()
    desk.ask("checkout", "essential", "month", f"{BACK}?token=secret")
    with desk.shop.owner.connect() as connection:
        logged = connection.execute(
            text("SELECT count(*) FROM audit_log WHERE action LIKE 'billing.subscribe%'")
        )
        leaked = connection.execute(
            text("SELECT count(*) FROM audit_log t WHERE t::text LIKE '%token=secret%'")
        )
        assert (logged.scalar_one(), leaked.scalar_one()) == (1, 0)
