"""What was read at Stripe, taken over: whose subscription it is, what it says in our words, its add-ons and invoices.

A subscription is written under its row's lock, and only what was read later than what is known: late messages and
slow reads change nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import from_public
from app.modules.billing.contracts import BY_STRIPE, RemoteState
from app.modules.billing.enums import ChangeKind, Interval, SubscriptionStatus
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.models.subscription_tier import SubscriptionTier
from app.modules.billing.services import history_service, stripe_addon_service, sync_service, tier_service
from app.modules.billing.services.history_service import SUBSCRIPTION_PREFIX
from app.modules.billing.services.lock_service import as_vendor, locked_subscription
from app.modules.billing.services.stripe_addon_service import Billed
from app.modules.billing.services.stripe_remote_service import (
    ENDED,
    UNBEGUN,
    RemoteItem,
    RemoteSubscription,
    main_item,
)
from app.modules.billing.services.stripe_service import PLANNED_KEY, SUBSCRIPTION_KEY
from app.modules.billing.services.tier_service import TIER_PREFIX
from app.tasks.dispatcher import dispatch

log = structlog.get_logger(__name__)

_END_DUPLICATE = "app.modules.billing.tasks.stripe.end_duplicate"
_STATUSES: Mapping[str, SubscriptionStatus] = {
    "trialing": SubscriptionStatus.TRIAL,
    "active": SubscriptionStatus.ACTIVE,
    "past_due": SubscriptionStatus.PAST_DUE,
    "unpaid": SubscriptionStatus.EXPIRED,
    "paused": SubscriptionStatus.EXPIRED,
    "canceled": SubscriptionStatus.EXPIRED,
    "incomplete_expired": SubscriptionStatus.EXPIRED,
}
_RUNNING = (SubscriptionStatus.TRIAL, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
Tiers = Mapping[str, SubscriptionTier]
Differing = dict[str, tuple[str | None, str | None]]


class Applied(StrEnum):
    """What became of a subscription that was read."""

    DONE = "done"
    OLDER = "older"  # something read later is known
    FOREIGN = "foreign"  # not ours, or not begun
    DUPLICATE = "duplicate"  # the vendor has another one that runs


def apply_subscription(
    session: Session, remote: RemoteSubscription, *, account_platform_id: UUID | None = None
) -> Applied:
    """Make the local subscription what Stripe says. ``account_platform_id``: whose account it was read of, where that
    is a platform's own.

    A vendor's that has none yet is linked to it; one that runs beside another is left to a job that ends it.
    """
    vendor_id = find_owner(session, remote)
    if vendor_id is None:
        return _foreign(remote)
    if _is_noted_as_same(session, vendor_id, remote, account_platform_id):
        return Applied.DONE
    with locked_subscription(session, vendor_id) as local:
        return apply_to(session, local, remote, account_platform_id)


def apply_to(
    session: Session, local: Subscription, remote: RemoteSubscription, account_platform_id: UUID | None
) -> Applied:
    """The same for the owner's subscription, which is locked in its vendor's scope."""
    if remote.status == "incomplete" or account_platform_id not in (None, local.platform_id):
        return _foreign(remote)
    is_link = local.stripe_subscription_id != remote.id
    if is_link and remote.status in ENDED | UNBEGUN:
        return _foreign(remote)
    if is_link and local.stripe_subscription_id and local.status != SubscriptionStatus.EXPIRED:
        _end_duplicate(session, local.vendor_id, remote)
        return Applied.DUPLICATE
    known_at = local.stripe_read_at
    if known_at is not None and known_at >= remote.read_at:
        return Applied.OLDER
    if is_link:
        _link(local, remote)
    _apply(session, local, remote, is_link=is_link)
    return Applied.DONE


def _is_noted_as_same(
    session: Session, vendor_id: UUID, remote: RemoteSubscription, account_platform_id: UUID | None
) -> bool:
    """Most messages say what is known: then only the time of reading is written, and nobody waits for a lock."""
    mine = select(Subscription).where(Subscription.vendor_id == vendor_id)
    local = session.scalars(mine.execution_options(populate_existing=True)).one()
    if account_platform_id not in (None, local.platform_id):
        return False
    billed = stripe_addon_service.billed(session, [vendor_id])
    if not is_same(local, remote, tiers_of(session, [remote]), billed.get(vendor_id, {})):
        return False
    with as_vendor(session, vendor_id):
        return sync_service.note_read(session, local, remote.read_at)


def find_owner(session: Session, remote: RemoteSubscription) -> UUID | None:
    """The vendor whose subscription this is: the linked one, else the one that it was made for."""
    linked = select(Subscription.vendor_id).where(Subscription.stripe_subscription_id == remote.id)
    found = session.scalar(linked.limit(1))
    if found is not None:
        return found
    key = from_public(SUBSCRIPTION_PREFIX, remote.metadata.get(SUBSCRIPTION_KEY, ""))
    if key is None:
        return None
    made_for = select(Subscription.vendor_id).where(
        Subscription.id == key, Subscription.stripe_customer_id == remote.customer_id
    )
    return session.scalar(made_for)


def tiers_of(session: Session, remotes: Iterable[RemoteSubscription]) -> dict[str, SubscriptionTier]:
    """The plans that the subscriptions' prices are for, by product."""
    products = {item.product_id for remote in remotes for item in remote.items}
    rows = select(SubscriptionTier).where(SubscriptionTier.stripe_product_id.in_(products))
    return {str(tier.stripe_product_id): tier for tier in session.scalars(rows)}


def differences(
    session: Session, local: Subscription, remote: RemoteSubscription, tiers: Tiers
) -> tuple[Differing, Differing]:
    """What is not the same here and there, by field: what taking over puts right, and what it cannot."""
    lasting: Differing = {}
    if remote.items and main_item(remote.items, tiers) is None and remote.status not in ENDED:
        code = tier_service.get_tier(session, local.tier_id).code
        lasting["tier_id"] = (code, remote.items[0].price_id)
    return sync_service.compare(local, state_of(local, remote, tiers)), lasting


def is_same(local: Subscription, remote: RemoteSubscription, tiers: Tiers, billed: Billed) -> bool:
    """Whether taking over would change nothing. ``billed``: the add-ons that Stripe bills, as far as is known."""
    item = main_item(remote.items, tiers)
    planned = (local.next_tier_id, local.next_interval)
    return (
        local.stripe_subscription_id == remote.id
        and item is not None
        and remote.status not in ENDED | UNBEGUN
        and not sync_service.compare(local, state_of(local, remote, tiers))
        and planned == (_planned(remote, item) or (None, None))
        and billed == stripe_addon_service.items_of(remote, tiers)
    )


def state_of(local: Subscription, remote: RemoteSubscription, tiers: Tiers) -> RemoteState:
    """What Stripe says in our words. What it does not say stays as it is here."""
    item = main_item(remote.items, tiers) or (remote.items[0] if remote.items else None)
    tier = tiers.get(item.product_id) if item else None
    start, end = _period(local, item)
    waits = _noted_plan(remote, item) is not None  # one that ended before it began was never had
    interval = item.interval if item and item.interval in set(Interval) else local.interval
    status = _status(local, remote, end)
    is_over = status is SubscriptionStatus.EXPIRED
    cancelled_at = remote.cancelled_at
    if status is SubscriptionStatus.CANCELLED:
        cancelled_at = cancelled_at or local.cancelled_at or clock.now()
    return RemoteState(
        status=status,
        tier_id=None if waits or tier is None else tier.id,
        interval=interval,
        anchor_at=remote.anchor_at or local.anchor_at,
        period_start=start,
        period_end=end,
        trial_ends_at=remote.trial_ends_at or local.trial_ends_at,
        cancel_at_period_end=status is SubscriptionStatus.CANCELLED,
        cancelled_at=cancelled_at or (local.cancelled_at if is_over else None),
        has_payment_method=remote.has_payment_method,
    )


def _apply(session: Session, local: Subscription, remote: RemoteSubscription, *, is_link: bool) -> None:
    tiers = tiers_of(session, [remote])
    state = state_of(local, remote, tiers)
    if is_link:
        # A past subscription has ended, so this one begins, whatever that one still owes.
        local.past_due_since = None
    if state.status not in (SubscriptionStatus.CANCELLED, SubscriptionStatus.EXPIRED):
        local.cancel_reason = local.cancel_feedback = None
    sync_service.apply_state(session, local, state, remote.read_at)
    _set_planned(session, local, _planned(remote, main_item(remote.items, tiers)))
    stripe_addon_service.apply_addons(session, local, remote, is_link=is_link)


def _link(local: Subscription, remote: RemoteSubscription) -> None:
    local.stripe_subscription_id = remote.id
    local.stripe_customer_id = remote.customer_id
    local.next_tier_id = local.next_interval = None


def _status(local: Subscription, remote: RemoteSubscription, period_end: datetime) -> SubscriptionStatus:
    status = _STATUSES.get(remote.status)
    if status is None:
        log.warning("stripe_status_unknown", status=remote.status, subscription=remote.id)
        return SubscriptionStatus(local.status)
    if status is SubscriptionStatus.TRIAL and not (remote.trial_ends_at or local.trial_ends_at):
        status = SubscriptionStatus.ACTIVE
    is_known = local.stripe_read_at is not None and local.stripe_subscription_id == remote.id
    if status is SubscriptionStatus.PAST_DUE and local.status == SubscriptionStatus.EXPIRED and is_known:
        return SubscriptionStatus.EXPIRED  # the grace was over; only a payment opens it again
    is_ending = remote.is_ending or (remote.cancel_at is not None and remote.cancel_at <= period_end)
    return SubscriptionStatus.CANCELLED if is_ending and status in _RUNNING else status


def _period(local: Subscription, item: RemoteItem | None) -> tuple[datetime, datetime]:
    if item and item.period_start and item.period_end and item.period_start < item.period_end:
        return item.period_start, item.period_end
    return local.period_start, local.period_end


def _planned(remote: RemoteSubscription, item: RemoteItem | None) -> tuple[UUID, str] | None:
    """The plan and interval that wait for the period's end, as long as that period runs."""
    return None if remote.status in ENDED else _noted_plan(remote, item)


def _noted_plan(remote: RemoteSubscription, item: RemoteItem | None) -> tuple[UUID, str] | None:
    """The plan and interval whose price stands there already, and that begin with the next period."""
    plan, _, moment = remote.metadata.get(PLANNED_KEY, "").partition("@")
    public_id, _, interval = plan.partition("/")
    key = from_public(TIER_PREFIX, public_id)
    if key is None or interval not in set(Interval) or not moment.isdecimal():
        return None
    end = datetime.fromtimestamp(int(moment), UTC)
    if item is None or item.period_end is None or item.period_end > end:
        return None
    return key, interval


def _set_planned(session: Session, local: Subscription, planned: tuple[UUID, str] | None) -> None:
    former = (local.next_tier_id, local.next_interval)
    wanted = planned or (None, None)
    if former == wanted:
        return
    local.next_tier_id, local.next_interval = wanted
    session.flush()
    kind = ChangeKind.TIER_CHANGE_PLANNED if planned else ChangeKind.TIER_CHANGE_DROPPED
    before = tier_service.get_tier(session, local.tier_id).code
    after = tier_service.get_tier(session, planned[0]).code if planned else before
    change = (f"{before}/{local.interval}", f"{after}/{planned[1] if planned else local.interval}")
    history_service.note(session, local, kind, BY_STRIPE, change)


def _end_duplicate(session: Session, vendor_id: UUID, remote: RemoteSubscription) -> None:
    log.warning("stripe_subscription_duplicate", vendor_id=str(vendor_id), subscription=remote.id)
    dispatch(
        session,
        _END_DUPLICATE,
        kwargs={"duplicate": remote.id},
        vendor_id=vendor_id,
        unique_key=f"billing:duplicate:{remote.id}",
    )


def _foreign(remote: RemoteSubscription) -> Applied:
    log.info("stripe_subscription_ignored", subscription=remote.id, status=remote.status)
    return Applied.FOREIGN
