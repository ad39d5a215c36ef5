"""What Stripe says, taken over only where it is newer."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.modules.billing.contracts import RemoteState
from app.modules.billing.exceptions import BilledByStripeError
from app.modules.billing.services import subscription_service, sync_service
from app.modules.billing.services.lock_service import locked_subscription
from app.modules.billing.tests.conftest import BY_PERSON, Shop


def _said(shop: Shop, **changed: object) -> RemoteState:
    """The subscription as it is, with changes."""
    found = shop.look()
    state = RemoteState(
        status=found.status,
        tier_id=found.tier_id,
        interval=found.interval,
        anchor_at=found.anchor_at,
        period_start=found.period_start,
        period_end=found.period_end,
        trial_ends_at=found.trial_ends_at,
        cancel_at_period_end=found.cancel_at_period_end,
        cancelled_at=found.cancelled_at,
        has_payment_method=found.has_payment_method,
    )
    return replace(state, **changed)  # type: ignore[arg-type]


def _apply(shop: Shop, state: RemoteState, read_at: datetime) -> bool:
    with unit_of_work(SYSTEM) as session, locked_subscription(session, shop.vendor_id) as found:
        return sync_service.apply_state(session, found, state, read_at)


def test_a_late_word_does_not_revive(shop: Shop) -> None:
    shop.subscribe()
    early, now = clock.system_now() - timedelta(minutes=5), clock.system_now()
    active, expired = _said(shop), _said(shop, status="expired")
    assert _apply(shop, expired, now)
    assert not _apply(shop, active, early)
    assert not _apply(shop, active, now)
    assert shop.look().status == "expired"
    assert shop.changes()[-1] == "expired"


def test_every_change_is_in_the_history_and_no_change_is_not(shop: Shop) -> None:
    shop.subscribe()
    now, lines = clock.system_now(), len(shop.changes())
    assert _apply(shop, _said(shop), now)
    assert len(shop.changes()) == lines
    _apply(shop, _said(shop, status="past_due"), now + timedelta(seconds=1))
    assert shop.look().past_due_since is not None
    _apply(shop, _said(shop, status="active"), now + timedelta(seconds=2))
    assert shop.look().past_due_since is None
    cancelled = _said(shop, status="cancelled", cancel_at_period_end=True, cancelled_at=clock.now())
    _apply(shop, cancelled, now + timedelta(seconds=3))
    back = _said(shop, status="active", cancel_at_period_end=False, cancelled_at=None)
    _apply(shop, back, now + timedelta(seconds=4))
    upgraded = _said(shop, tier_id=shop.tier_id("business"))
    _apply(shop, upgraded, now + timedelta(seconds=5))
    assert shop.changes()[lines:] == ["past_due", "activated", "cancelled", "reactivated", "tier_changed"]
    told = shop.rows("SELECT id FROM notifications WHERE vendor_id = :vendor AND kind = 'billing.past_due'")
    assert told


def test_differences_are_listed_once_and_closed_when_they_are_gone(shop: Shop) -> None:
    shop.subscribe()
    state = _said(shop, status="past_due")
    for _ in range(2):
        with shop.session() as session:
            subscription = subscription_service.get_subscription(session, shop.vendor_id)
            found = sync_service.compare(subscription, state)
            assert found == {"status": ("active", "past_due")}
            assert sync_service.note_differences(session, subscription, found) == 1
    rows = shop.rows("SELECT field, resolved_at FROM sync_differences WHERE vendor_id = :vendor")
    assert [(row.field, row.resolved_at) for row in rows] == [("status", None)]
    with shop.session() as session:
        subscription = subscription_service.get_subscription(session, shop.vendor_id)
        sync_service.note_differences(session, subscription, {})
    rows = shop.rows("SELECT resolved_at FROM sync_differences WHERE vendor_id = :vendor")
    assert [row.resolved_at is not None for row in rows] == [True]


def test_people_cannot_change_past_stripe_what_stripe_bills(shop: Shop) -> None:
    shop.subscribe()
    with shop.session() as session:
        subscription_service.get_subscription(session, shop.vendor_id).stripe_subscription_id = "sub_1"
    with pytest.raises(BilledByStripeError), shop.session() as session:
        subscription_service.cancel(session, shop.vendor_id, BY_PERSON)
    assert shop.look().status == "active"
