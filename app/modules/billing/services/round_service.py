"""What becomes due with time: periods that end, payments that do not come, access that is over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.billing.config import BillingConfig
from app.modules.billing.contracts import BY_TASK
from app.modules.billing.enums import ChangeKind, Interval, SubscriptionStatus
from app.modules.billing.models.subscription import Subscription, UsageCounter
from app.modules.billing.services import (
    history_service,
    invoice_service,
    period_service,
    subscription_service,
    tier_service,
    usage_service,
)
from app.modules.billing.services.lock_service import locked_subscription

_RUNNING = (SubscriptionStatus.TRIAL, SubscriptionStatus.ACTIVE)
_MONTH = timedelta(days=28)  # no month is shorter: a younger counter is of the present one


def list_ended_periods(session: Session, moment: datetime) -> Sequence[UUID]:
    """Vendors whose period has ended, or who have counters that may be of an earlier month."""
    old = select(UsageCounter.vendor_id).where(
        UsageCounter.period_start <= moment - _MONTH, UsageCounter.used > 0
    )
    return session.scalars(
        select(Subscription.vendor_id)
        .where(Subscription.status.in_(_RUNNING))
        .where(or_(Subscription.period_end <= moment, Subscription.vendor_id.in_(old)))
        .order_by(Subscription.id)
    ).all()


def roll_period(session: Session, vendor_id: UUID) -> int:
    """Move a trial's or an active subscription's period on until it holds the present moment; by how many periods.

    Each is invoiced where Stripe does not bill; a plan that waits for the period's end begins with the first; counters
    of earlier months become nought. Done again, it does nothing.
    """
    now = clock.now()
    with locked_subscription(session, vendor_id) as subscription:
        if subscription.status not in _RUNNING:
            return 0
        if subscription.period_end <= now and subscription.next_tier_id is not None:
            _begin_planned(session, subscription)
        periods = period_service.following(
            subscription.anchor_at, subscription.interval, subscription.period_end, now
        )
        for period in periods:
            subscription.period_start, subscription.period_end = period.start, period.end
            if subscription.status == SubscriptionStatus.ACTIVE:
                invoice_service.issue_cycle(session, subscription, period)
        session.flush()
        usage_service.reset_counters(session, vendor_id)
        return len(periods)


def list_ended(session: Session, moment: datetime) -> Sequence[UUID]:
    """Vendors whose access may be over: cancelled, or past due for longer than the grace."""
    status, grace = Subscription.status, timedelta(days=BillingConfig().grace_days)
    is_cancelled = status == SubscriptionStatus.CANCELLED
    is_late = (status == SubscriptionStatus.PAST_DUE) & (Subscription.past_due_since <= moment - grace)
    return session.scalars(
        select(Subscription.vendor_id).where(or_(is_cancelled, is_late)).order_by(Subscription.id)
    ).all()


def expire_ended(session: Session, vendor_id: UUID) -> bool:
    """Expire a subscription whose access is over; whether it is."""
    with locked_subscription(session, vendor_id) as subscription:
        is_running = subscription.status in (*_RUNNING, SubscriptionStatus.EXPIRED)
        if is_running or not subscription_service.is_ended(subscription, clock.now()):
            return False
        reason = "grace_over" if subscription.status == SubscriptionStatus.PAST_DUE else "cancelled"
        subscription_service.expire(session, vendor_id, BY_TASK, reason)
    return True


def _begin_planned(session: Session, subscription: Subscription) -> None:
    former = tier_service.get_tier(session, subscription.tier_id)
    before = f"{former.code}/{subscription.interval}"
    if subscription.next_interval == Interval.YEAR and subscription.interval == Interval.MONTH:
        subscription.anchor_at = subscription.period_end
    assert subscription.next_tier_id is not None
    subscription.tier_id = subscription.next_tier_id
    subscription.interval = subscription.next_interval or subscription.interval
    subscription.next_tier_id = subscription.next_interval = None
    after = f"{tier_service.get_tier(session, subscription.tier_id).code}/{subscription.interval}"
    history_service.note(session, subscription, ChangeKind.TIER_CHANGED, BY_TASK, (before, after))
