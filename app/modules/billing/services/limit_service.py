"""Limits of a vendor: an exception of its own, else the plan's, else the feature's default; add-ons come on top."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Uuid,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
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
# In this order each goes over the one before; what add-ons bring is added.
_PLANS, _OWN, _ADDED = 1, 2, 3
_VENDOR, _NOW = bindparam("vendor_id", type_=Uuid()), bindparam("now", type_=DateTime(timezone=True))
_LIMITS: Any = union_all(
    select(literal(_PLANS).label("rank"), TierLimit.feature_code, cast(TierLimit.limit_value, BigInteger))
    .join(Subscription, Subscription.tier_id == TierLimit.tier_id)
    .where(Subscription.vendor_id == _VENDOR),
    select(literal(_OWN), LimitOverride.feature_code, LimitOverride.limit_value).where(
        LimitOverride.vendor_id == _VENDOR,
        or_(LimitOverride.expires_at.is_(None), LimitOverride.expires_at > _NOW),
    ),
    select(literal(_ADDED), Addon.feature_code, func.sum(SubscriptionAddon.quantity * Addon.amount))
    .join(Addon, Addon.id == SubscriptionAddon.addon_id)
    .where(
        SubscriptionAddon.vendor_id == _VENDOR,
        Addon.feature_code.is_not(None),
        or_(SubscriptionAddon.ends_at.is_(None), SubscriptionAddon.ends_at > _NOW),
    )
    .group_by(Addon.feature_code),
).order_by("rank")


def effective_limit(session: Session, vendor_id: UUID, feature_code: str) -> int | None:
    """The limit that holds now; None is unlimited. Without a subscription it is the feature's default."""
    return effective_limits(session, vendor_id).get(feature_code)


def effective_limits(session: Session, vendor_id: UUID) -> dict[str, int | None]:
    """The limits of all features that hold now, by one statement."""
    limits = {code: feature.default_limit for code, feature in features().items()}
    more: dict[str, int] = {}
    for rank, code, value in session.execute(_LIMITS, {"vendor_id": vendor_id, "now": clock.now()}):
        if rank == _ADDED:
            more[code] = int(value)
        else:
            limits[code] = None if value is None else int(value)
    return {code: None if limit is None else limit + more.get(code, 0) for code, limit in limits.items()}


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
