"""Limits of a vendor: an exception of its own, else the plan's, else the feature's default; add-ons come on top."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id
from app.modules.billing.contracts import By, OverrideInput
from app.modules.billing.enums import ChangeKind
from app.modules.billing.exceptions import BillingInputError, OverrideNotFoundError
from app.modules.billing.models.subscription import LimitOverride, Subscription, SubscriptionAddon
from app.modules.billing.models.subscription_tier import Addon, TierLimit
from app.modules.billing.services import history_service
from app.modules.billing.services.lock_service import locked_subscription
from app.modules.entitlements import features

OVERRIDE_PREFIX = "ovr"


def effective_limit(session: Session, vendor_id: UUID, feature_code: str) -> int | None:
    """The limit that holds now; None is unlimited. Without a subscription it is the feature's default."""
    now = clock.now()
    override, tier = LimitOverride, TierLimit
    row = session.execute(
        select(
            override.id.label("override_id"),
            override.limit_value.label("own"),
            tier.tier_id.label("limit_of"),
            tier.limit_value.label("limit"),
            _booked(vendor_id, feature_code, now).label("more"),
        )
        .select_from(Subscription)
        .outerjoin(
            override,
            (override.vendor_id == Subscription.vendor_id)
            & (override.feature_code == feature_code)
            & or_(override.expires_at.is_(None), override.expires_at > now),
        )
        .outerjoin(tier, (tier.tier_id == Subscription.tier_id) & (tier.feature_code == feature_code))
        .where(Subscription.vendor_id == vendor_id)
    ).one_or_none()
    if row is not None and row.override_id is not None:
        limit = row.own
    elif row is not None and row.limit_of is not None:
        limit = row.limit
    else:
        feature = features().get(feature_code)
        limit = feature.default_limit if feature else None
    return None if limit is None else limit + (int(row.more) if row else 0)


def list_overrides(session: Session, vendor_id: UUID) -> Sequence[LimitOverride]:
    """A vendor's exceptions, expired ones too, by feature."""
    return session.scalars(
        select(LimitOverride).where(LimitOverride.vendor_id == vendor_id).order_by(LimitOverride.feature_code)
    ).all()


def add_override(
    session: Session, vendor_id: UUID, feature_code: str, values: OverrideInput, by: By
) -> LimitOverride:
    """Give a vendor a limit of its own, in place of an earlier one.

    Raises BillingInputError, SubscriptionNotFoundError.
    """
    _check(feature_code, values)
    with locked_subscription(session, vendor_id) as subscription:
        row = _find(session, vendor_id, feature_code)
        before = str(row.limit_value) if row else None
        if row is None:
            row = LimitOverride(id=new_id(), vendor_id=vendor_id, feature_code=feature_code)
            session.add(row)
        row.limit_value, row.reason = values.limit, values.reason.strip()
        row.expires_at, row.created_by = values.expires_at, by.user_id
        change = (before, str(values.limit))
        details = {"feature": feature_code, "reason": row.reason}
        history_service.note(session, subscription, ChangeKind.OVERRIDE_SET, by, change, **details)
    return row


def remove_override(session: Session, vendor_id: UUID, feature_code: str, by: By) -> None:
    """Let the plan's limit hold again. Raises OverrideNotFoundError, SubscriptionNotFoundError."""
    with locked_subscription(session, vendor_id) as subscription:
        row = _find(session, vendor_id, feature_code)
        if row is None:
            raise OverrideNotFoundError
        before = str(row.limit_value)
        session.delete(row)
        change = (before, None)
        kind = ChangeKind.OVERRIDE_REMOVED
        history_service.note(session, subscription, kind, by, change, feature=feature_code)


def _check(feature_code: str, values: OverrideInput) -> None:
    if feature_code not in features():
        raise BillingInputError("feature_code", "feature")
    if values.limit is not None and values.limit < 0:
        raise BillingInputError("limit_value", "negative")
    if not values.reason.strip():
        raise BillingInputError("reason", "missing")
    if values.expires_at is not None and values.expires_at <= clock.now():
        raise BillingInputError("expires_at", "past")


def _find(session: Session, vendor_id: UUID, feature_code: str) -> LimitOverride | None:
    return session.scalar(
        select(LimitOverride).where(
            LimitOverride.vendor_id == vendor_id, LimitOverride.feature_code == feature_code
        )
    )


def _booked(vendor_id: UUID, feature_code: str, moment: datetime) -> Any:
    amount = func.coalesce(func.sum(SubscriptionAddon.quantity * Addon.amount), 0)
    return (
        select(amount)
        .join(Addon, Addon.id == SubscriptionAddon.addon_id)
        .where(
            SubscriptionAddon.vendor_id == vendor_id,
            Addon.feature_code == feature_code,
            or_(SubscriptionAddon.ends_at.is_(None), SubscriptionAddon.ends_at > moment),
        )
        .scalar_subquery()
    )
