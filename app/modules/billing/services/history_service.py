"""What became of a subscription: a line of history for each change, an event for those who listen, and the audit of
what people did."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.ids import new_id, to_public
from app.modules.billing.contracts import By
from app.modules.billing.enums import ChangeKind, ChangeSource
from app.modules.billing.events import (
    SubscriptionCancelled,
    SubscriptionChanged,
    SubscriptionExpired,
    SubscriptionStarted,
)
from app.modules.billing.models.subscription import Subscription, SubscriptionChange
from app.modules.billing.models.subscription_tier import SubscriptionTier
from app.modules.events import Event, publish
from app.modules.tenancy.facade import record_audit

SUBSCRIPTION_PREFIX = "sub"
_QUIET = frozenset(
    {ChangeKind.REMINDED, ChangeKind.OVERRIDE_SET, ChangeKind.OVERRIDE_REMOVED}
    | {ChangeKind.ADDON_ADDED, ChangeKind.ADDON_REMOVED}
)


def note(
    session: Session,
    subscription: Subscription,
    kind: ChangeKind,
    by: By,
    change: tuple[str | None, str | None] = (None, None),
    **details: Any,
) -> None:
    """Write down a change that was just made, in the vendor's scope; ``change``: the former and the new value."""
    before, after = change
    session.add(
        SubscriptionChange(
            id=new_id(),
            vendor_id=subscription.vendor_id,
            kind=kind,
            from_value=before,
            to_value=after,
            source=by.source,
            user_id=by.user_id,
            details=details,
        )
    )
    session.flush()
    if by.source is ChangeSource.USER:
        record_audit(
            session,
            f"billing.{kind}",
            vendor_id=subscription.vendor_id,
            actor_id=by.user_id,
            target=to_public(SUBSCRIPTION_PREFIX, subscription.id),
            before=before,
            after=after,
            **details,
        )
    if kind not in _QUIET:
        _publish(session, subscription, kind)


def list_changes(session: Session, vendor_id: UUID, *, limit: int = 50) -> Sequence[SubscriptionChange]:
    """A subscription's history, the newest first."""
    return session.scalars(
        select(SubscriptionChange)
        .where(SubscriptionChange.vendor_id == vendor_id)
        .order_by(SubscriptionChange.id.desc())
        .limit(limit)
    ).all()


def _publish(session: Session, subscription: Subscription, kind: ChangeKind) -> None:
    vendor_id = subscription.vendor_id
    code = session.get_one(SubscriptionTier, subscription.tier_id).code
    interval, status = subscription.interval, subscription.status
    event: Event
    if kind is ChangeKind.TRIAL_STARTED:
        event = SubscriptionStarted(vendor_id, code, interval, status)
    elif kind is ChangeKind.CANCELLED:
        event = SubscriptionCancelled(vendor_id, code, subscription.cancel_reason or "")
    elif kind is ChangeKind.EXPIRED:
        event = SubscriptionExpired(vendor_id, code)
    else:
        event = SubscriptionChanged(vendor_id, kind.value, code, interval, status)
    publish(session, event, vendor_id=vendor_id, aggregate=str(vendor_id))
