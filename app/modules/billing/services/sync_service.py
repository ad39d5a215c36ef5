"""Stripe's word about a subscription, taken over where it is newer than what is known."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id
from app.modules.billing.contracts import BY_STRIPE, RemoteState
from app.modules.billing.enums import ChangeKind, SubscriptionStatus
from app.modules.billing.models.remote import SyncDifference
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.services import history_service, notice_service, tier_service, usage_service

_COPIED = (
    *("interval", "status", "anchor_at", "period_start", "period_end", "trial_ends_at"),
    *("cancel_at_period_end", "cancelled_at", "has_payment_method"),
)
# Which line of history a new status is.
_KINDS: Mapping[str, ChangeKind] = {
    SubscriptionStatus.TRIAL: ChangeKind.SYNCED,
    SubscriptionStatus.ACTIVE: ChangeKind.ACTIVATED,
    SubscriptionStatus.PAST_DUE: ChangeKind.PAST_DUE,
    SubscriptionStatus.CANCELLED: ChangeKind.CANCELLED,
    SubscriptionStatus.EXPIRED: ChangeKind.EXPIRED,
}


def compare(subscription: Subscription, state: RemoteState) -> dict[str, tuple[str | None, str | None]]:
    """What is not the same here and there, by field, as texts: (here, there)."""
    fields = [*_COPIED, *(["tier_id"] if state.tier_id else [])]
    return {
        name: (_text(here), _text(there))
        for name in fields
        if (here := getattr(subscription, name)) != (there := getattr(state, name))
    }


def apply_state(session: Session, subscription: Subscription, state: RemoteState, read_at: datetime) -> bool:
    """Make a subscription, locked in its vendor's scope, what Stripe said at ``read_at`` (system time); False where a
    later word is known.

    Writes a line of history for each of status, plan and the rest that changed, and tells people what they must know.
    """
    if subscription.stripe_read_at is not None and subscription.stripe_read_at >= read_at:
        return False
    vendor_id, found = subscription.vendor_id, compare(subscription, state)
    before_status, before_tier = subscription.status, _plan(session, subscription)
    is_moved = "anchor_at" in found and state.status == before_status
    since = usage_service.month_start(session, vendor_id) if is_moved else None
    for name in _COPIED:
        setattr(subscription, name, getattr(state, name))
    subscription.tier_id = state.tier_id or subscription.tier_id
    subscription.stripe_read_at = read_at
    _set_past_due(subscription)
    if "tier_id" in found or "interval" in found:
        subscription.next_tier_id = subscription.next_interval = None
    session.flush()
    if since is not None:
        usage_service.keep_counters(session, vendor_id, since)
    _note(session, subscription, before_status, before_tier, found)
    return True


def note_read(session: Session, subscription: Subscription, read_at: datetime) -> bool:
    """Stripe said the same at ``read_at``, in the vendor's scope; False where the row has changed since it was loaded.

    Nobody's form becomes stale by it.
    """
    row = Subscription
    unchanged = row.id == subscription.id, row.version == subscription.version
    is_later = or_(row.stripe_read_at.is_(None), row.stripe_read_at < read_at)
    noted = update(row).where(*unchanged, is_later).values(stripe_read_at=read_at, updated_at=row.updated_at)
    found = session.execute(noted.returning(row.id), execution_options={"synchronize_session": False})
    return found.first() is not None


def note_differences(
    session: Session, subscription: Subscription, found: Mapping[str, tuple[str | None, str | None]]
) -> int:
    """Keep what differed when the two were compared, and close what does no longer; how many are open now."""
    rows = select(SyncDifference).where(
        SyncDifference.vendor_id == subscription.vendor_id,
        SyncDifference.subscription_id == subscription.id,
        SyncDifference.resolved_at.is_(None),
    )
    open_rows = {row.field: row for row in session.scalars(rows)}
    now = clock.now()
    for name, (here, there) in found.items():
        row = open_rows.pop(name, None)
        if row is None:
            row = SyncDifference(
                id=new_id(),
                vendor_id=subscription.vendor_id,
                subscription_id=subscription.id,
                field=name,
                found_at=now,
            )
            session.add(row)
        row.local_value, row.remote_value = here, there
    for row in open_rows.values():
        row.resolved_at = now
    session.flush()
    return len(found)


def _set_past_due(subscription: Subscription) -> None:
    if subscription.status == SubscriptionStatus.PAST_DUE:
        subscription.past_due_since = subscription.past_due_since or clock.now()
    else:
        subscription.past_due_since = None


def _note(
    session: Session,
    subscription: Subscription,
    before_status: str,
    before_tier: str,
    found: Mapping[str, tuple[str | None, str | None]],
) -> None:
    status, tier = subscription.status, _plan(session, subscription)
    if tier != before_tier:
        change: tuple[str | None, str | None] = (before_tier, tier)
        history_service.note(session, subscription, ChangeKind.TIER_CHANGED, BY_STRIPE, change)
    if status != before_status:
        kind = ChangeKind.REACTIVATED if _is_taken_back(before_status, status) else _KINDS[status]
        history_service.note(session, subscription, kind, BY_STRIPE, (before_status, status))
        if status == SubscriptionStatus.PAST_DUE:
            notice_service.tell_past_due(session, subscription.vendor_id)
    elif tier == before_tier and found:
        fields = sorted(found)
        history_service.note(session, subscription, ChangeKind.SYNCED, BY_STRIPE, fields=fields)


def _is_taken_back(before: str, after: str) -> bool:
    running = (SubscriptionStatus.TRIAL, SubscriptionStatus.ACTIVE)
    return before == SubscriptionStatus.CANCELLED and after in running


def _plan(session: Session, subscription: Subscription) -> str:
    return f"{tier_service.get_tier(session, subscription.tier_id).code}/{subscription.interval}"


def _text(value: object) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)
