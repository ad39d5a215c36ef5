"""Every order of operations on a subscription keeps what is true of all of them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from app.core import clock
from app.core.database import ScopedSession, TenantScope, engine
from app.modules.billing.contracts import BY_TASK
from app.modules.billing.enums import SubscriptionStatus
from app.modules.billing.exceptions import SubscriptionError
from app.modules.billing.models.invoice import BillingInvoice
from app.modules.billing.models.subscription import Subscription, SubscriptionChange
from app.modules.billing.services import (
    round_service,
    settlement_service,
    subscription_service,
    trial_service,
)
from app.modules.billing.services.subscription_service import TRANSITIONS
from app.modules.billing.tests.conftest import BY_PERSON, Shop
from app.modules.state import one_view

_TIERS = st.sampled_from(["essential", "professional", "business", "enterprise"])
# Where a life begins, besides in a trial: no state is left to be reached by chance only.
_BEGINNINGS: tuple[tuple[str, ...], ...] = (
    (),
    ("cancel",),
    ("expire",),
    ("activate",),
    ("activate", "mark_past_due"),
    ("activate", "mark_past_due", "cancel"),
    ("activate", "cancel"),
    ("activate", "expire"),
)
_WAYS_BACK = {"activate", "mark_paid"}


def _paid_until(row: Subscription) -> datetime:
    """The end of a trial that was cancelled before it was over, else of the period."""
    trial, cancelled = row.trial_ends_at, row.cancelled_at
    return trial if trial and cancelled and cancelled < trial else row.period_end


class Life(RuleBasedStateMachine):
    """One subscription in one transaction, which is never committed."""

    shop: Shop

    def __init__(self) -> None:
        super().__init__()
        self.view = one_view()
        self.view.__enter__()
        clock.set_offset(timedelta())
        self.session = ScopedSession(engine(), TenantScope(self.shop.vendor_id))

    def teardown(self) -> None:
        self.session.rollback()
        self.session.close()
        clock.set_offset(timedelta())
        self.view.__exit__(None, None, None)

    @initialize(tier=_TIERS, interval=st.sampled_from(["month", "year"]), first=st.sampled_from(_BEGINNINGS))
    def begin(self, tier: str, interval: str, first: tuple[str, ...]) -> None:
        shop = self.shop
        subscription_service.start_trial(self.session, shop.vendor_id, shop.platform_id, tier, interval)
        for action in first:
            values = (tier, BY_PERSON) if action == "activate" else (BY_PERSON,)
            self.do(action, *values)

    def look(self) -> Subscription:
        return subscription_service.get_subscription(self.session, self.shop.vendor_id)

    def history(self) -> int:
        count = select(func.count()).where(SubscriptionChange.vendor_id == self.shop.vendor_id)
        return self.session.scalar(count) or 0

    def do(self, action: str, *values: Any) -> None:
        """Try it; it changes the state exactly where the table allows it, and writes history exactly then."""
        before = self.look()
        ended = _paid_until(before) <= clock.now()
        was, lines, owed = before.status, self.history(), before.past_due_since is not None
        allowed = SubscriptionStatus(was) in TRANSITIONS[action]
        if action == "reactivate":
            allowed = allowed and not ended
        if action == "mark_paid" and was == "cancelled":
            allowed = owed
        try:
            getattr(subscription_service, action)(self.session, self.shop.vendor_id, *values)
        except SubscriptionError:
            assert not allowed, (action, was)
            assert (self.look().status, self.history()) == (was, lines)
            return
        assert allowed, (action, was)
        if action != "change_tier":
            assert self.history() == lines + 1
        self.check_way(action, was)

    def check_way(self, action: str, was: str) -> None:
        now = self.look().status
        if was == "cancelled" and now != "cancelled":
            assert action in ("reactivate", "expire", "clean"), action
        if was == "expired" and now != "expired":
            assert action in _WAYS_BACK, action

    @rule(days=st.sampled_from([1, 11, 15, 33, 100]))
    def wait(self, days: int) -> None:
        clock.set_offset(clock.offset() + timedelta(days=days, hours=1))

    @rule(days=st.integers(1, 30))
    def extend_trial(self, days: int) -> None:
        self.do("extend_trial", days, BY_PERSON)

    @rule(tier=_TIERS, interval=st.sampled_from([None, "month", "year"]))
    def change_tier(self, tier: str, interval: str | None) -> None:
        self.do("change_tier", tier, BY_PERSON, interval)

    @rule(tier=_TIERS, interval=st.sampled_from([None, "month", "year"]))
    def activate(self, tier: str, interval: str | None) -> None:
        self.do("activate", tier, BY_PERSON, interval)

    @rule()
    def cancel(self) -> None:
        self.do("cancel", BY_PERSON)

    @rule()
    def reactivate(self) -> None:
        self.do("reactivate", BY_PERSON)

    @rule()
    def mark_past_due(self) -> None:
        self.do("mark_past_due", BY_PERSON)

    @rule()
    def mark_paid(self) -> None:
        self.do("mark_paid", BY_PERSON)

    @rule()
    def expire(self) -> None:
        self.do("expire", BY_PERSON)

    @rule(days=st.sampled_from([0, 15, 70]))
    def tick(self, days: int) -> None:
        """Some days later the tasks come by."""
        clock.set_offset(clock.offset() + timedelta(days=days))
        for name in ("roll_period", "mark_overdue", "end_trial", "remind", "expire_ended"):
            self.run(name)

    def run(self, name: str) -> None:
        """A task's work on this vendor; done again at the same moment it changes nothing more."""
        services = (round_service, trial_service, settlement_service)
        work = next(getattr(one, name) for one in services if hasattr(one, name))
        was = self.look().status
        work(self.session, self.shop.vendor_id)
        state, lines = self.state(), self.history()
        assert not work(self.session, self.shop.vendor_id)
        assert (self.state(), self.history()) == (state, lines)
        self.check_way("expire" if name == "expire_ended" else name, was)

    @rule(has_card=st.booleans())
    def card(self, has_card: bool) -> None:
        self.look().has_payment_method = has_card

    @rule()
    def pay(self) -> None:
        invoice = self.session.scalar(
            select(BillingInvoice)
            .where(BillingInvoice.vendor_id == self.shop.vendor_id, BillingInvoice.status == "open")
            .limit(1)
        )
        if invoice is not None:
            settlement_service.mark_invoice_paid(self.session, invoice.id, BY_TASK)
            assert invoice.paid_cents == invoice.total_cents

    def state(self) -> dict[str, Any]:
        row = self.look()
        return {
            name: getattr(row, name) for name in dict(Subscription.__table__.columns) if name != "updated_at"
        }

    @invariant()
    def holds(self) -> None:
        row = subscription_service.find_subscription(self.session, self.shop.vendor_id)
        if row is None:
            return
        assert row.period_start < row.period_end
        assert (row.status == "cancelled") == row.cancel_at_period_end
        assert (row.next_tier_id is None) == (row.next_interval is None)
        assert row.next_tier_id is None or row.status in ("active", "past_due")
        assert row.status != "past_due" or row.past_due_since is not None
        assert row.status != "active" or row.past_due_since is None
        assert row.status != "trial" or row.anchor_at == row.trial_ends_at
        cycles = select(BillingInvoice.period_start).where(BillingInvoice.kind == "cycle")
        starts = self.session.scalars(cycles.where(BillingInvoice.vendor_id == row.vendor_id)).all()
        assert len(starts) == len(set(starts))


def test_every_life_of_a_subscription(shop: Shop) -> None:
    class _Life(Life):
        pass

    _Life.shop = shop
    run_state_machine_as_test(
        _Life,
        settings=settings(
            max_examples=60,
            stateful_step_count=15,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _arguments(action: str) -> tuple[Any, ...]:
    plan = {"activate": ("business", BY_PERSON), "change_tier": ("business", BY_PERSON)}
    return {**plan, "extend_trial": (7, BY_PERSON)}.get(action, (BY_PERSON,))


@pytest.mark.parametrize("days", [0, 100])
def test_every_action_in_every_state_before_and_after_the_end(shop: Shop, days: int) -> None:
    Life.shop = shop
    for first in _BEGINNINGS:
        for action in sorted(set(TRANSITIONS) - {"end_trial", "book", "give_up"}):
            life = Life()
            try:
                life.begin("professional", "month", first)
                clock.set_offset(timedelta(days=days))
                life.do(action, *_arguments(action))
                life.holds()
                life.tick(70)
                life.holds()
            finally:
                life.teardown()
