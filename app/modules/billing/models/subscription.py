"""What a vendor has: the subscription, its add-ons, exceptions from limits, counters and history."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.tables import NOT_PERSONAL, Base, Keyed, VendorOwned, Versioned
from app.modules.billing.enums import ChangeSource, Interval, SubscriptionStatus


def _among(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(str(one)) for one in values)})"


class Subscription(Keyed, VendorOwned, Versioned, Base):
    """A vendor's plan, one at most. Times are UTC.

    ``anchor_at``: periods begin at its day and time of day; in a trial that is the trial's end. ``period_start`` and
    ``period_end``: the present period, or the trial. ``next_*``: a smaller plan that waits for the period's end.
    ``stripe_read_at``: system time at which the applied state was read from Stripe.
    """

    __tablename__ = "subscriptions"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id"),
        UniqueConstraint("vendor_id", "id"),
        CheckConstraint(_among("status", SubscriptionStatus), name="status"),
        CheckConstraint(_among("interval", Interval), name="interval"),
        CheckConstraint(_among("next_interval", Interval), name="next_interval"),
        CheckConstraint("period_start < period_end", name="period"),
        CheckConstraint("status <> 'past_due' OR past_due_since IS NOT NULL", name="past_due"),
        CheckConstraint("status <> 'trial' OR trial_ends_at IS NOT NULL", name="trial"),
        CheckConstraint("status <> 'cancelled' OR cancelled_at IS NOT NULL", name="cancelled"),
        Index("ix_subscriptions_status_period_end", "status", "period_end"),
        Index("ix_subscriptions_stripe_customer_id", "stripe_customer_id"),
        Index("ix_subscriptions_stripe_subscription_id", "stripe_subscription_id"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    platform_id: Mapped[UUID]
    tier_id: Mapped[UUID] = mapped_column(ForeignKey("subscription_tiers.id"))
    interval: Mapped[str]
    status: Mapped[str]
    trial_ends_at: Mapped[datetime | None]
    anchor_at: Mapped[datetime]
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    cancel_at_period_end: Mapped[bool] = mapped_column(default=False)
    cancel_reason: Mapped[str | None]
    cancel_feedback: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]
    past_due_since: Mapped[datetime | None]
    next_tier_id: Mapped[UUID | None] = mapped_column(ForeignKey("subscription_tiers.id"))
    next_interval: Mapped[str | None]
    has_payment_method: Mapped[bool] = mapped_column(default=False)
    stripe_customer_id: Mapped[str | None]
    stripe_subscription_id: Mapped[str | None]
    stripe_read_at: Mapped[datetime | None]


class SubscriptionAddon(Keyed, VendorOwned, Versioned, Base):
    """An add-on a vendor has booked, so many times. One that ends stays until ``ends_at``."""

    __tablename__ = "subscription_addons"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "addon_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    addon_id: Mapped[UUID] = mapped_column(ForeignKey("addons.id"))
    quantity: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    stripe_item_id: Mapped[str | None]


class LimitOverride(Keyed, VendorOwned, Versioned, Base):
    """A limit of a vendor's own instead of the plan's, until it expires; no value: without limit."""

    __tablename__ = "limit_overrides"
    __personal__ = NOT_PERSONAL
    __table_args__ = (
        UniqueConstraint("vendor_id", "feature_code"),
        CheckConstraint("limit_value >= 0", name="limit_value"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    feature_code: Mapped[str]
    limit_value: Mapped[int | None]
    reason: Mapped[str]
    expires_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None]


class UsageCounter(VendorOwned, Base):
    """What was used of a feature in the month that began at ``period_start``. One of an earlier month counts as 0."""

    __tablename__ = "usage_counters"
    __personal__ = NOT_PERSONAL
    __table_args__ = (CheckConstraint("used >= 0", name="used"),)

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True, sort_order=-90)
    feature_code: Mapped[str] = mapped_column(primary_key=True)
    used: Mapped[int] = mapped_column(default=0)
    period_start: Mapped[datetime]


class SubscriptionChange(Keyed, VendorOwned, Base):
    """One line of a subscription's history, never changed."""

    __tablename__ = "subscription_changes"
    __personal__ = NOT_PERSONAL
    __verbs__ = "SI"
    __table_args__ = (
        CheckConstraint(_among("source", ChangeSource), name="source"),
        Index("ix_subscription_changes_vendor_id_id", "vendor_id", "id"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), sort_order=-90)
    kind: Mapped[str]
    from_value: Mapped[str | None]
    to_value: Mapped[str | None]
    source: Mapped[str]
    user_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime] = mapped_column(default=clock.now)
