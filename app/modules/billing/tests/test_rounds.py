"""What the scheduled tasks do with time."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.modules.billing.contracts import BY_TASK
from app.modules.billing.services import period_service, subscription_service, trial_service, usage_service
from app.modules.billing.tests.conftest import BY_PERSON, Shop, move_clock, run_task
from app.modules.tenancy import facade as tenancy
from app.testing.working import work


def _mails(shop: Shop, kind: str) -> int:
    found = shop.rows("SELECT id FROM notifications WHERE vendor_id = :vendor AND kind = :kind", kind=kind)
    return len(found)


def test_a_new_vendor_gets_a_trial_of_fourteen_days_without_a_card(shop: Shop) -> None:
    with unit_of_work(SYSTEM) as session:
        company_id = tenancy.create_company(session, name="New", contact_email="new@new.example")
        vendor_id = tenancy.create_vendor(
            session, company_id=company_id, platform_ids=[shop.platform_id], code="NEWSHOP", name="New"
        )
    work()
    found = Shop(vendor_id, shop.platform_id, shop.owner).look()
    assert (found.status, found.tier_id) == ("trial", shop.tier_id("essential"))
    assert found.period_end - found.period_start == timedelta(days=14)
    assert not found.has_payment_method


def test_missed_months_are_made_up_for_once(shop: Shop) -> None:
    shop.subscribe("professional")
    with shop.session() as session:
        usage_service.count(session, shop.vendor_id, "orders.orders", 7)
    start = shop.look().period_start
    move_clock(days=70)
    first, second = run_task("reset_period_counters"), run_task("reset_period_counters")
    assert (first["rolled"], second["rolled"]) == (1, 0)
    found = shop.look()
    assert found.period_start <= clock.now() < found.period_end
    assert found.anchor_at == start
    counter = shop.rows("SELECT used, period_start FROM usage_counters WHERE vendor_id = :vendor")[0]
    assert (counter.used, counter.period_start) == (0, found.period_start)
    invoices = shop.rows(
        "SELECT number, total_cents, period_start FROM billing_invoices WHERE vendor_id = :vendor ORDER BY id"
    )
    assert [(one.number, one.total_cents) for one in invoices] == [
        (f"GUTLAND-0000{number}", 9900) for number in (1, 2, 3)
    ]
    assert len({one.period_start for one in invoices}) == 3


def test_what_is_counted_by_the_month_starts_anew_before_any_task_ran(shop: Shop) -> None:
    shop.subscribe("professional", "year")
    with shop.session() as session:
        usage_service.count(session, shop.vendor_id, "orders.orders", 7)
        assert usage_service.used_in_month(session, shop.vendor_id, "orders.orders") == 7
    move_clock(days=32)
    with shop.session() as session:
        assert usage_service.used_in_month(session, shop.vendor_id, "orders.orders") == 0
        usage_service.count(session, shop.vendor_id, "orders.orders", 2)
        assert usage_service.used_in_month(session, shop.vendor_id, "orders.orders") == 2


def test_a_month_of_counting_begins_as_the_calendar_says_wherever_the_anchor_lies(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.session() as session:
        bare = usage_service.month_start(session, shop.vendor_id)
    assert bare == clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    shop.subscribe("professional", "year")
    for days in range(0, 800, 3):
        anchor = datetime(2027, 1, 29, 12, tzinfo=UTC) + timedelta(days=days)
        shop.rows("UPDATE subscriptions SET anchor_at = :at WHERE vendor_id = :vendor", at=anchor)
        begins = period_service.period_at(anchor, "month", datetime(2028, 2, 29, 18, tzinfo=UTC)).start
        with shop.session() as session:
            for now in (begins, begins - timedelta(microseconds=1), begins + timedelta(days=2 * days)):
                monkeypatch.setattr(clock, "now", lambda now=now: now)
                start = usage_service.month_start(session, shop.vendor_id)
                assert start == period_service.period_at(anchor, "month", now).start, (anchor, now)
        monkeypatch.undo()


def test_a_trial_is_announced_twice_and_ends_without_a_card_in_read_only(shop: Shop) -> None:
    shop.start_trial()
    told = []
    for _ in range(15):
        move_clock(days=1)
        run_task("check_trial_expirations")
        told.append(_mails(shop, "billing.trial_ending"))
    people = told[11]
    assert people >= 1
    assert told == [0] * 10 + [people] * 2 + [2 * people] * 3
    run_task("check_trial_expirations")
    assert shop.look().status == "expired"
    assert _mails(shop, "billing.trial_ended") == people
    assert shop.changes() == ["trial_started", "reminded", "reminded", "expired"]


def test_a_trial_with_a_card_becomes_a_paid_period_that_begins_at_its_end(shop: Shop) -> None:
    shop.start_trial("business")
    with shop.session() as session:
        subscription_service.get_subscription(session, shop.vendor_id).has_payment_method = True
    end = shop.look().trial_ends_at
    assert end is not None
    move_clock(days=50)
    run_task("reset_period_counters")
    run_task("check_trial_expirations")
    found = shop.look()
    assert (found.status, found.anchor_at) == ("active", end)
    invoices = shop.rows("SELECT period_start, total_cents FROM billing_invoices WHERE vendor_id = :vendor")
    assert {one.total_cents for one in invoices} == {19900}
    assert min(one.period_start for one in invoices) == end
    assert max(one.period_start for one in invoices) == found.period_start


def test_a_smaller_plan_begins_with_the_next_period(shop: Shop) -> None:
    shop.subscribe("business")
    with shop.session() as session:
        subscription_service.change_tier(session, shop.vendor_id, "essential", BY_PERSON)
    assert shop.look().tier_id == shop.tier_id("business")
    move_clock(days=32)
    run_task("reset_period_counters")
    found = shop.look()
    assert (found.tier_id, found.next_tier_id) == (shop.tier_id("essential"), None)
    invoices = shop.rows("SELECT total_cents FROM billing_invoices WHERE vendor_id = :vendor ORDER BY id")
    assert [one.total_cents for one in invoices] == [19900, 4900]
    assert shop.changes()[-3:] == ["tier_change_planned", "tier_changed", "past_due"]


def test_what_is_not_paid_goes_into_grace_then_into_read_only(shop: Shop) -> None:
    shop.subscribe()
    move_clock(days=15)
    assert run_task("reset_period_counters")["past_due"] == 1
    assert shop.look().status == "past_due"
    assert _mails(shop, "billing.past_due") >= 1
    move_clock(days=13)
    run_task("cleanup_stale_subscriptions")
    assert shop.look().status == "past_due"
    move_clock(days=2)
    assert run_task("cleanup_stale_subscriptions")["expired"] >= 1
    assert shop.look().status == "expired"
    invoices = shop.rows("SELECT id FROM billing_invoices WHERE vendor_id = :vendor")
    assert len(invoices) == 1


def test_a_cancelled_one_ends_with_its_period_and_is_not_invoiced_again(shop: Shop) -> None:
    shop.subscribe()
    with shop.session() as session:
        subscription_service.cancel(session, shop.vendor_id, BY_PERSON, "too dear")
    move_clock(days=40)
    run_task("reset_period_counters")
    assert shop.look().status == "cancelled"
    run_task("cleanup_stale_subscriptions")
    assert shop.look().status == "expired"
    assert len(shop.rows("SELECT id FROM billing_invoices WHERE vendor_id = :vendor")) == 1


def test_one_vendor_that_fails_does_not_stop_the_others(shop: Shop) -> None:
    shop.subscribe()
    with shop.owner.begin() as connection:
        connection.execute(text("UPDATE subscriptions SET status = 'active' WHERE status = 'past_due'"))
        connection.execute(
            text(
                "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$; "
                "CREATE TRIGGER fail BEFORE UPDATE ON subscriptions FOR EACH ROW "
                f"WHEN (OLD.vendor_id <> '{shop.vendor_id}') EXECUTE FUNCTION fail()"
            )
        )
    move_clock(days=32)
    result = run_task("reset_period_counters")
    assert (result["rolled"], result["failed"]) == (1, 2)  # its period, and its overdue invoice
    assert shop.look().period_end > clock.now()


def test_whoever_has_no_subscription_gets_one_from_the_daily_task(shop: Shop) -> None:
    assert run_task("check_trial_expirations")["started"] == 1
    assert shop.look().status == "trial"
    with unit_of_work(SYSTEM) as session:
        assert trial_service.start_missing(session) == 0


def test_an_extended_trial_keeps_what_was_counted(shop: Shop) -> None:
    shop.start_trial()
    with shop.session() as session:
        usage_service.count(session, shop.vendor_id, "orders.orders", 5)
        subscription_service.extend_trial(session, shop.vendor_id, 20, BY_TASK, "asked nicely")
        assert usage_service.used_in_month(session, shop.vendor_id, "orders.orders") == 5
