"""Trials: one for each vendor, reminders before its end, and its end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.billing.contracts import BY_TASK
from app.modules.billing.enums import ChangeKind, SubscriptionStatus
from app.modules.billing.models.subscription import Subscription, SubscriptionChange
from app.modules.billing.services import (
    history_service,
    invoice_service,
    notice_service,
    period_service,
    subscription_service,
    tier_service,
)
from app.modules.billing.services.lock_service import locked_subscription
from app.modules.state import is_enabled
from app.modules.tenancy.facade import find_vendor, vendor_names
from app.tasks.dispatcher import dispatch

REMINDER_DAYS = (3, 1)  # of the calendar, before the day it ends on
LONGEST_REMINDER = timedelta(days=max(REMINDER_DAYS) + 1)
_START_TRIALS = "app.modules.billing.tasks.subscription.start_trials"


def start_for(session: Session, vendor_id: UUID) -> bool:
    """Start a vendor's trial with the first plan of the first of its platforms that sells one; whether it began.

    It does not where the vendor has, or had, a subscription.
    """
    vendor = find_vendor(vendor_id=vendor_id)
    if vendor is None or subscription_service.find_subscription(session, vendor_id) is not None:
        return False
    for platform_id in vendor.platform_ids:
        if not is_enabled("billing", [platform_id]):
            continue
        tiers = tier_service.list_tiers(session, platform_id, is_public=True)
        if tiers:
            subscription_service.start_trial(session, vendor_id, platform_id, tiers[0].code)
            return True
    return False


def start_missing(session: Session) -> int:
    """Start the trials of vendors that have none yet: from before billing was on, or before there was a plan; how many.

    Needs the system scope.
    """
    vendors = vendor_names()
    statement = (
        select(vendors.c.id)
        .outerjoin(Subscription, Subscription.vendor_id == vendors.c.id)
        .where(Subscription.id.is_(None))
        .order_by(vendors.c.id)
    )
    return sum(start_for(session, vendor_id) for vendor_id in session.scalars(statement).all())


def list_trials(session: Session, before: datetime) -> Sequence[UUID]:
    """Vendors whose trial ends before a moment, the earliest first."""
    return session.scalars(
        select(Subscription.vendor_id)
        .where(Subscription.status == SubscriptionStatus.TRIAL, Subscription.trial_ends_at <= before)
        .order_by(Subscription.trial_ends_at, Subscription.id)
    ).all()


def end_trial(session: Session, vendor_id: UUID) -> SubscriptionStatus | None:
    """What a trial becomes once it is over: active where there is a way to pay, else expired; None while it runs."""
    now = clock.now()
    with locked_subscription(session, vendor_id) as subscription:
        end = subscription.trial_ends_at
        if subscription.status != SubscriptionStatus.TRIAL or end is None or end > now:
            return None
        if not subscription.has_payment_method:
            subscription_service.expire(session, vendor_id, BY_TASK, "trial_ended")
            notice_service.tell_trial_ended(session, vendor_id)
            return SubscriptionStatus.EXPIRED
        subscription.status = SubscriptionStatus.ACTIVE
        for period in period_service.following(subscription.anchor_at, subscription.interval, end, now):
            subscription.period_start, subscription.period_end = period.start, period.end
            invoice_service.issue_cycle(session, subscription, period)
        change = (SubscriptionStatus.TRIAL, SubscriptionStatus.ACTIVE)
        history_service.note(session, subscription, ChangeKind.ACTIVATED, BY_TASK, change)
        return SubscriptionStatus.ACTIVE


def remind(session: Session, vendor_id: UUID) -> bool:
    """Say once that a trial ends in three days, and once that it ends tomorrow; whether it was said now."""
    now = clock.now()
    with locked_subscription(session, vendor_id) as subscription:
        end = subscription.trial_ends_at
        if subscription.status != SubscriptionStatus.TRIAL or end is None or end <= now:
            return False
        left = (end.date() - now.date()).days
        due = [days for days in REMINDER_DAYS if left <= days]
        if not due:
            return False
        fact = f"{end.isoformat()}/{min(due)}"
        told = select(SubscriptionChange.id).where(
            SubscriptionChange.vendor_id == vendor_id,
            SubscriptionChange.kind == ChangeKind.REMINDED,
            SubscriptionChange.to_value == fact,
        )
        if session.scalar(told.limit(1)) is not None:
            return False
        history_service.note(session, subscription, ChangeKind.REMINDED, BY_TASK, (None, fact))
        notice_service.tell_trial_ending(session, vendor_id, end)
        return True


def ask_for_trials(session: Session, _platform_id: UUID) -> None:
    """Billing was switched on: have the trials of a platform's vendors started as soon as a worker runs."""
    dispatch(session, _START_TRIALS, unique_key=_START_TRIALS)
