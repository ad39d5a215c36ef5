"""What is invoiced, what is paid, and what plans bring in."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.modules.billing.contracts import BY_TASK, AddonInput, Period, TierInput
from app.modules.billing.enums import Interval, InvoiceKind
from app.modules.billing.exceptions import BillingInputError, InvoiceStateError, SubscriptionError
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.services import (
    addon_service,
    invoice_service,
    settlement_service,
    subscription_service,
    tier_service,
)
from app.modules.billing.tests.conftest import BY_PERSON, Shop, move_clock, run_task


def _owed(session: Session, shop: Shop) -> int:
    found = invoice_service.list_invoices(session, shop.vendor_id)
    return sum(one.total_cents - one.paid_cents for one in found if one.status == "open")


def _addon(shop: Shop, code: str) -> UUID:
    with unit_of_work(SYSTEM) as session:
        addons = addon_service.list_addons(session, shop.platform_id)
        return next(one.id for one in addons if one.code == code)


def _book(shop: Shop, code: str, quantity: int) -> None:
    addon_id = _addon(shop, code)
    with unit_of_work(SYSTEM) as session:
        addon_service.book(session, shop.vendor_id, addon_id, quantity, BY_PERSON)


def _invoices(shop: Shop) -> list[tuple[str, int]]:
    found = shop.rows("SELECT kind, total_cents FROM billing_invoices WHERE vendor_id = :vendor ORDER BY id")
    return [(one.kind, one.total_cents) for one in found]


def test_a_period_is_invoiced_once_however_often_the_clock_meets_the_queue(shop: Shop) -> None:
    shop.subscribe()
    found = shop.look()
    period = Period(found.period_start, found.period_end)
    for _ in range(3):
        with shop.session() as session:
            subscription = session.get_one(Subscription, found.id)
            assert invoice_service.issue_cycle(session, subscription, period) is None
    assert _invoices(shop) == [("cycle", 4900)]


def test_an_add_on_is_paid_at_once_and_then_with_each_of_its_periods(shop: Shop) -> None:
    shop.subscribe("essential")
    move_clock(days=3)
    _book(shop, "mailboxes-5", 2)
    _book(shop, "custom-domain", 1)
    _book(shop, "mailboxes-5", 3)
    assert _invoices(shop) == [("cycle", 4900), ("addon", 1000), ("addon", 1500), ("addon", 500)]
    move_clock(days=31)
    run_task("reset_period_counters")
    assert _invoices(shop)[-1] == ("cycle", 4900 + 3 * 500)
    assert shop.look().status == "past_due"  # nobody paid; an add-on can be given up all the same
    _book(shop, "mailboxes-5", 0)
    with pytest.raises(SubscriptionError):
        _book(shop, "mailboxes-5", 1)
    for row in shop.rows("SELECT id FROM billing_invoices WHERE vendor_id = :vendor AND status = 'open'"):
        with unit_of_work(SYSTEM) as session:
            settlement_service.mark_invoice_paid(session, row.id, BY_PERSON)
    move_clock(days=341)
    run_task("reset_period_counters")
    later = _invoices(shop)[5:]
    assert [cents for _, cents in later].count(4900 + 1500) == 1  # the domain's second year
    assert all(cents in (4900, 6400) for _, cents in later)


def test_an_add_on_of_a_trial_begins_with_the_paid_period(shop: Shop) -> None:
    shop.start_trial("essential")
    _book(shop, "mailboxes-10", 1)
    assert _invoices(shop) == []
    with shop.session() as session:
        subscription_service.extend_trial(session, shop.vendor_id, 6, BY_PERSON, "more time")
    move_clock(days=5)
    with shop.session() as session:
        subscription_service.activate(session, shop.vendor_id, "essential", BY_PERSON)
    assert _invoices(shop) == [("cycle", 4900 + 900)]


def test_add_ons_are_for_running_subscriptions(shop: Shop) -> None:
    shop.start_trial()
    with shop.session() as session:
        subscription_service.expire(session, shop.vendor_id, BY_TASK)
    with pytest.raises(SubscriptionError):
        _book(shop, "mailboxes-5", 1)


def test_the_last_overdue_invoice_that_is_paid_settles_the_subscription(shop: Shop) -> None:
    shop.subscribe()
    move_clock(days=70)
    run_task("reset_period_counters")
    assert shop.look().status == "past_due"
    ids = [
        row.id for row in shop.rows("SELECT id FROM billing_invoices WHERE vendor_id = :vendor ORDER BY id")
    ]
    assert len(ids) == 3  # the last of them is not due yet
    with unit_of_work(SYSTEM) as session:
        assert _owed(session, shop) == 3 * 4900
        settlement_service.mark_invoice_paid(session, ids[0], BY_PERSON)
    assert shop.look().status == "active"
    with unit_of_work(SYSTEM) as session:
        settlement_service.void_invoice(session, ids[1], BY_PERSON)
        assert _owed(session, shop) == 4900
    with pytest.raises(InvoiceStateError), unit_of_work(SYSTEM) as session:
        settlement_service.mark_invoice_paid(session, ids[0], BY_PERSON)


def test_who_paid_after_the_end_begins_anew(shop: Shop) -> None:
    shop.subscribe()
    move_clock(days=15)
    run_task("reset_period_counters")
    move_clock(days=15)
    run_task("cleanup_stale_subscriptions")
    assert shop.look().status == "expired"
    invoice = shop.rows("SELECT id FROM billing_invoices WHERE vendor_id = :vendor")[0]
    with unit_of_work(SYSTEM) as session:
        settlement_service.mark_invoice_paid(session, invoice.id, BY_PERSON)
    found = shop.look()
    assert found.status == "active"
    assert clock.now() - found.period_start < timedelta(minutes=5)


def test_numbers_of_invoices_have_no_gaps(shop: Shop) -> None:
    shop.subscribe()
    found = shop.look()
    with shop.session() as session:
        subscription = session.get_one(Subscription, found.id)
        period = Period(found.period_start, found.period_end)
        invoice_service.issue_cycle(session, subscription, period)
        for _ in range(2):
            assert invoice_service.issue(session, subscription, InvoiceKind.MANUAL, period, 100)
    rows = shop.rows("SELECT number FROM billing_invoices WHERE vendor_id = :vendor ORDER BY id")
    assert [row.number[-5:] for row in rows] == ["00001", "00002", "00003"]


def test_revenue_is_what_paying_vendors_pay_in_a_month(shop: Shop) -> None:
    with unit_of_work(SYSTEM) as session:
        before = tier_service.figures(session).get(shop.tier_id("professional"))
    assert before is None
    shop.subscribe("professional", "year")
    with unit_of_work(SYSTEM) as session:
        assert tier_service.figures(session)[shop.tier_id("professional")] == tier_service.TierFigures(
            1, 8250
        )
    with shop.session() as session:
        subscription_service.cancel(session, shop.vendor_id, BY_PERSON)
    with unit_of_work(SYSTEM) as session:
        assert tier_service.figures(session)[shop.tier_id("professional")] == tier_service.TierFigures(1, 0)


@pytest.mark.parametrize(
    ("field", "value"), [("monthly_cents", -1), ("currency", "eur"), ("names", {"fr": "Sans anglais"})]
)
def test_plans_are_checked(shop: Shop, field: str, value: object) -> None:
    values = {
        "names": {"en": "Mini"},
        "order_index": 9,
        "monthly_cents": 100,
        "annual_cents": 1000,
        field: value,
    }
    with pytest.raises(BillingInputError), unit_of_work(SYSTEM) as session:
        tier_service.create_tier(session, shop.platform_id, "mini", TierInput(**values))  # type: ignore[arg-type]


def test_a_plan_that_is_archived_is_kept_by_who_has_it(shop: Shop) -> None:
    shop.subscribe("professional")
    with unit_of_work(SYSTEM) as session:
        tier_service.archive_tier(session, shop.tier_id("professional"))
        codes = [tier.code for tier in tier_service.list_tiers(session, shop.platform_id)]
    assert codes == ["essential", "business", "enterprise"]
    move_clock(days=32)
    run_task("reset_period_counters")
    assert _invoices(shop) == [("cycle", 9900)] * 2


def test_codes_of_plans_and_add_ons_are_taken_once(shop: Shop) -> None:
    values = TierInput({"en": "Again"}, 1, 100, 1000)
    with pytest.raises(BillingInputError), unit_of_work(SYSTEM) as session:
        tier_service.create_tier(session, shop.platform_id, "Essential", values)
    addon = AddonInput({"en": "Again"}, 100, Interval.MONTH)
    with pytest.raises(BillingInputError), unit_of_work(SYSTEM) as session:
        addon_service.create_addon(session, shop.platform_id, "mailboxes-5", addon)
