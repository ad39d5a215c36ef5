"""Subscriptions: every way in which one changes. What is not in ``TRANSITIONS`` is refused."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id
from app.modules.billing.config import BillingConfig
from app.modules.billing.contracts import BY_TASK, By, SubscriptionInfo
from app.modules.billing.enums import CancelFeedback, ChangeKind, ChangeSource, Interval, SubscriptionStatus
from app.modules.billing.exceptions import (
    BilledByStripeError,
    BillingInputError,
    SubscriptionError,
    SubscriptionExistsError,
    SubscriptionNotFoundError,
)
from app.modules.billing.models.subscription import Subscription, SubscriptionAddon
from app.modules.billing.models.subscription_tier import SubscriptionTier
from app.modules.billing.services import (
    history_service,
    invoice_service,
    period_service,
    tier_service,
    usage_service,
)
from app.modules.billing.services.lock_service import as_vendor, lock_name, locked_subscription

TRIAL, ACTIVE, PAST_DUE, CANCELLED, EXPIRED = SubscriptionStatus
_MAX_REASON = 500

# What may be done in which state.
TRANSITIONS: Mapping[str, frozenset[SubscriptionStatus]] = {
    "extend_trial": frozenset({TRIAL}),
    "end_trial": frozenset({TRIAL}),
    "change_tier": frozenset({TRIAL, ACTIVE}),
    "activate": frozenset({TRIAL, PAST_DUE, EXPIRED}),
    "cancel": frozenset({TRIAL, ACTIVE, PAST_DUE}),
    "reactivate": frozenset({CANCELLED}),
    "mark_past_due": frozenset({ACTIVE}),
    "mark_paid": frozenset({PAST_DUE, CANCELLED, EXPIRED}),
    "expire": frozenset({TRIAL, ACTIVE, PAST_DUE, CANCELLED}),
    "book": frozenset({TRIAL, ACTIVE}),
    "give_up": frozenset({TRIAL, ACTIVE, PAST_DUE}),
}


def find_subscription(session: Session, vendor_id: UUID) -> Subscription | None:
    """A vendor's subscription, of those that the session may see."""
    return session.scalar(select(Subscription).where(Subscription.vendor_id == vendor_id))


def get_subscription(session: Session, vendor_id: UUID) -> Subscription:
    """The same; SubscriptionNotFoundError."""
    subscription = find_subscription(session, vendor_id)
    if subscription is None:
        raise SubscriptionNotFoundError
    return subscription


def select_subscriptions() -> Select[Any]:
    """Subscriptions with the code and names of their plan, of those that the reader may see."""
    return select(
        Subscription, SubscriptionTier.code.label("tier_code"), SubscriptionTier.names.label("tier_names")
    ).join(SubscriptionTier, SubscriptionTier.id == Subscription.tier_id)


def find_info(session: Session, vendor_id: UUID) -> SubscriptionInfo | None:
    """A vendor's subscription for other modules."""
    row = session.execute(select_subscriptions().where(Subscription.vendor_id == vendor_id)).one_or_none()
    if row is None:
        return None
    found: Subscription = row.Subscription
    return SubscriptionInfo(
        vendor_id=found.vendor_id,
        platform_id=found.platform_id,
        tier_code=row.tier_code,
        interval=found.interval,
        status=found.status,
        period_start=found.period_start,
        period_end=found.period_end,
        ends_at=ends_at(found),
    )


def ends_at(subscription: Subscription) -> datetime | None:
    """When access ends if nobody does anything; None while it goes on."""
    if subscription.status == TRIAL:
        return subscription.trial_ends_at
    if subscription.status == CANCELLED:
        return _paid_until(subscription)
    if subscription.status == PAST_DUE and subscription.past_due_since is not None:
        return subscription.past_due_since + timedelta(days=BillingConfig().grace_days)
    return None


def is_ended(subscription: Subscription, moment: datetime) -> bool:
    """Whether access has ended, noticed by a task or not yet; a trial's end is for the task alone to decide."""
    if subscription.status in (TRIAL, ACTIVE):
        return False
    end = ends_at(subscription)
    return end is None or end <= moment


def start_trial(
    session: Session,
    vendor_id: UUID,
    platform_id: UUID,
    tier_code: str,
    interval: str = Interval.MONTH,
    by: By = BY_TASK,
) -> Subscription:
    """A vendor's first subscription: a trial without a card.

    Raises SubscriptionExistsError, TierNotFoundError, TierArchivedError.
    """
    tier = tier_service.get_sold_tier(session, platform_id, tier_code)
    now = clock.now()
    end = now + timedelta(days=BillingConfig().trial_days)
    with as_vendor(session, vendor_id):
        lock_name(session, "subscription", vendor_id)
        if find_subscription(session, vendor_id) is not None:
            raise SubscriptionExistsError
        subscription = Subscription(
            id=new_id(),
            vendor_id=vendor_id,
            platform_id=platform_id,
            tier_id=tier.id,
            interval=Interval(interval),
            status=TRIAL,
            trial_ends_at=end,
            anchor_at=end,
            period_start=now,
            period_end=end,
        )
        session.add(subscription)
        session.flush()
        change = (None, f"{tier.code}/{interval}")
        history_service.note(session, subscription, ChangeKind.TRIAL_STARTED, by, change)
    return subscription


def extend_trial(session: Session, vendor_id: UUID, days: int, by: By, reason: str = "") -> Subscription:
    """Let a trial last so many days longer. Raises SubscriptionError, BillingInputError."""
    if not 1 <= days <= 365:
        raise BillingInputError("days", "days")
    with locked_subscription(session, vendor_id) as subscription:
        require(subscription, "extend_trial", by)
        former = subscription.trial_ends_at
        assert former is not None
        end = max(former, clock.now()) + timedelta(days=days)
        since = usage_service.month_start(session, vendor_id)
        subscription.trial_ends_at = subscription.anchor_at = subscription.period_end = end
        session.flush()
        usage_service.keep_counters(session, vendor_id, since)
        _move_addons(session, vendor_id, former, end)
        change = (former.isoformat(), end.isoformat())
        history_service.note(session, subscription, ChangeKind.TRIAL_EXTENDED, by, change, reason=reason)
    return subscription


def change_tier(
    session: Session, vendor_id: UUID, tier_code: str, by: By, interval: str | None = None
) -> Subscription:
    """Another plan or interval: at once in a trial and for a larger plan, else when the period ends.

    Asking for what is there drops a change that waits. Raises SubscriptionError, TierNotFoundError,
    TierArchivedError, BilledByStripeError.
    """
    with locked_subscription(session, vendor_id) as subscription:
        require(subscription, "change_tier", by)
        wanted = Interval(interval or subscription.interval)
        former = tier_service.get_tier(session, subscription.tier_id)
        tier = tier_service.get_sold_tier(session, subscription.platform_id, tier_code)
        is_same = tier.id == former.id and wanted == subscription.interval
        change = (f"{former.code}/{subscription.interval}", f"{tier.code}/{wanted}")
        is_now = subscription.status == TRIAL or (
            wanted == subscription.interval and tier.order_index > former.order_index
        )
        had_plan = subscription.next_tier_id is not None
        if is_same or is_now:
            subscription.next_tier_id = subscription.next_interval = None
        if is_same:
            if had_plan:
                kind = ChangeKind.TIER_CHANGE_DROPPED
                history_service.note(session, subscription, kind, by, change)
        elif is_now:
            subscription.tier_id, subscription.interval = tier.id, wanted
            history_service.note(session, subscription, ChangeKind.TIER_CHANGED, by, change)
        elif (subscription.next_tier_id, subscription.next_interval) != (tier.id, wanted):
            subscription.next_tier_id, subscription.next_interval = tier.id, wanted
            history_service.note(session, subscription, ChangeKind.TIER_CHANGE_PLANNED, by, change)
    return subscription


def activate(
    session: Session, vendor_id: UUID, tier_code: str, by: By, interval: str | None = None
) -> Subscription:
    """Begin a paid period now, of this plan: out of a trial, after the end, or to settle what is past due.

    Raises SubscriptionError, TierNotFoundError, TierArchivedError, BilledByStripeError.
    """
    with locked_subscription(session, vendor_id) as subscription:
        require(subscription, "activate", by)
        former = tier_service.get_tier(session, subscription.tier_id)
        tier = tier_service.get_sold_tier(session, subscription.platform_id, tier_code)
        change = (
            f"{former.code}/{subscription.interval}",
            f"{tier.code}/{interval or subscription.interval}",
        )
        before = subscription.status
        subscription.tier_id = tier.id
        subscription.interval = Interval(interval or subscription.interval)
        now = clock.now()
        if before == TRIAL:
            _move_addons(session, vendor_id, subscription.anchor_at, now)
            subscription.trial_ends_at = now
        _begin_period(session, subscription, now)
        history_service.note(session, subscription, ChangeKind.ACTIVATED, by, change, status=before)
    return subscription


def cancel(
    session: Session, vendor_id: UUID, by: By, reason: str = "", feedback: CancelFeedback | None = None
) -> Subscription:
    """End the subscription when what was paid for, or the trial, ends; ``feedback`` and ``reason`` say why.

    Raises SubscriptionError, BilledByStripeError.
    """
    with locked_subscription(session, vendor_id) as subscription:
        require(subscription, "cancel", by)
        before = subscription.status
        subscription.status, subscription.cancel_at_period_end = CANCELLED, True
        subscription.cancelled_at, subscription.cancel_feedback = clock.now(), feedback
        subscription.cancel_reason = reason.strip()[:_MAX_REASON] or None
        subscription.next_tier_id = subscription.next_interval = None
        details = {"reason": reason, "feedback": feedback}
        history_service.note(session, subscription, ChangeKind.CANCELLED, by, (before, CANCELLED), **details)
    return subscription


def reactivate(session: Session, vendor_id: UUID, by: By) -> Subscription:
    """Take a cancellation back before the end. Raises SubscriptionError, BilledByStripeError."""
    with locked_subscription(session, vendor_id) as subscription:
        require(subscription, "reactivate", by)
        if is_ended(subscription, clock.now()):
            raise refused(subscription, "reactivate")
        subscription.status = _before_cancel(subscription)
        _forget_cancel(subscription)
        change = (CANCELLED, subscription.status)
        history_service.note(session, subscription, ChangeKind.REACTIVATED, by, change)
    return subscription


def mark_past_due(session: Session, vendor_id: UUID, by: By = BY_TASK) -> Subscription:
    """A payment failed: the grace begins. Raises SubscriptionError."""
    with locked_subscription(session, vendor_id) as subscription:
        require(subscription, "mark_past_due", by)
        subscription.status, subscription.past_due_since = PAST_DUE, clock.now()
        history_service.note(session, subscription, ChangeKind.PAST_DUE, by, (ACTIVE, PAST_DUE))
    return subscription


def mark_paid(session: Session, vendor_id: UUID, by: By) -> Subscription:
    """What was owed is paid: active again, one that had expired with a period from now on. A cancelled one ends
    nevertheless. Raises SubscriptionError."""
    with locked_subscription(session, vendor_id) as subscription:
        require(subscription, "mark_paid", by)
        before = subscription.status
        if before == CANCELLED and subscription.past_due_since is None:
            raise refused(subscription, "mark_paid")
        subscription.past_due_since = None
        if before == PAST_DUE:
            subscription.status = ACTIVE
        elif before == EXPIRED:
            _begin_period(session, subscription, clock.now())
        history_service.note(session, subscription, ChangeKind.PAID, by, (before, subscription.status))
    return subscription


def expire(session: Session, vendor_id: UUID, by: By = BY_TASK, reason: str = "") -> Subscription:
    """The end: the shop is read-only until somebody subscribes or pays. Raises SubscriptionError."""
    with locked_subscription(session, vendor_id) as subscription:
        require(subscription, "expire", by)
        before = subscription.status
        subscription.status, subscription.cancel_at_period_end = EXPIRED, False
        subscription.next_tier_id = subscription.next_interval = None
        history_service.note(session, subscription, ChangeKind.EXPIRED, by, (before, EXPIRED), reason=reason)
    return subscription


def count_by_status(session: Session) -> dict[str, int]:
    """How many subscriptions stand where, of those that the session may see; every status is in it."""
    found = session.execute(select(Subscription.status, func.count()).group_by(Subscription.status))
    return {status.value: 0 for status in SubscriptionStatus} | dict(found.tuples().all())


def require(subscription: Subscription, action: str, by: By) -> None:
    """Raise SubscriptionError where the state does not allow the action, BilledByStripeError where a person asks for
    what only Stripe can do."""
    if SubscriptionStatus(subscription.status) not in TRANSITIONS[action]:
        raise refused(subscription, action)
    if subscription.stripe_subscription_id is not None and by.source is ChangeSource.USER:
        raise BilledByStripeError


def refused(subscription: Subscription, action: str) -> SubscriptionError:
    """The error that says which state does not allow what."""
    return SubscriptionError(
        f"A subscription that is {subscription.status} does not allow {action}.",
        status=str(subscription.status),
        action=action,
    )


def _paid_until(subscription: Subscription) -> datetime:
    cancelled, trial = subscription.cancelled_at, subscription.trial_ends_at
    if trial is not None and cancelled is not None and cancelled < trial:
        return trial
    return subscription.period_end


def _before_cancel(subscription: Subscription) -> SubscriptionStatus:
    if subscription.past_due_since is not None:
        return PAST_DUE
    trial = subscription.trial_ends_at
    return TRIAL if trial is not None and trial > clock.now() else ACTIVE


def _forget_cancel(subscription: Subscription) -> None:
    subscription.cancel_at_period_end = False
    subscription.cancelled_at = subscription.cancel_reason = subscription.cancel_feedback = None


def _begin_period(session: Session, subscription: Subscription, anchor: datetime) -> None:
    period = period_service.period_at(anchor, subscription.interval, anchor)
    subscription.anchor_at, subscription.status = anchor, ACTIVE
    subscription.period_start, subscription.period_end = period.start, period.end
    subscription.past_due_since = subscription.next_tier_id = subscription.next_interval = None
    _forget_cancel(subscription)
    session.flush()
    invoice_service.issue_cycle(session, subscription, period)


def _move_addons(session: Session, vendor_id: UUID, before: datetime, after: datetime) -> None:
    """Add-ons that wait for the trial's end begin when it does."""
    session.execute(
        update(SubscriptionAddon)
        .where(SubscriptionAddon.vendor_id == vendor_id, SubscriptionAddon.started_at == before)
        .values(started_at=after)
    )
