"""What is for sale: plans with their limits, and add-ons."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import NOT_PERSONAL, Base, Keyed, TableScope, Versioned


class SubscriptionTier(Keyed, Versioned, Base):
    """A plan of a platform. Its code never changes; it is archived, not deleted. ``names`` by language."""

    __tablename__ = "subscription_tiers"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.GLOBAL
    __table_args__ = (
        UniqueConstraint("platform_id", "code"),
        CheckConstraint("monthly_cents >= 0 AND annual_cents >= 0", name="prices"),
        CheckConstraint("code ~ '^[a-z0-9][a-z0-9_-]{1,31}$'", name="code_form"),
    )

    platform_id: Mapped[UUID]
    code: Mapped[str]
    names: Mapped[dict[str, Any]]
    order_index: Mapped[int]
    monthly_cents: Mapped[int]
    annual_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(default="EUR")
    is_public: Mapped[bool] = mapped_column(default=True)
    archived_at: Mapped[datetime | None]
    stripe_product_id: Mapped[str | None]
    stripe_monthly_price_id: Mapped[str | None]
    stripe_annual_price_id: Mapped[str | None]


class TierLimit(Base):
    """How much of a feature a plan holds; no value: without limit. A feature without a row has its own default."""

    __tablename__ = "tier_limits"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.GLOBAL
    __table_args__ = (CheckConstraint("limit_value >= 0", name="limit_value"),)

    tier_id: Mapped[UUID] = mapped_column(ForeignKey("subscription_tiers.id"), primary_key=True)
    feature_code: Mapped[str] = mapped_column(primary_key=True)
    limit_value: Mapped[int | None]


class Addon(Keyed, Versioned, Base):
    """What can be booked on top of a plan: ``amount`` more of a feature, where it names one."""

    __tablename__ = "addons"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.GLOBAL
    __table_args__ = (
        UniqueConstraint("platform_id", "code"),
        CheckConstraint("price_cents >= 0 AND amount >= 0", name="amounts"),
        CheckConstraint("interval IN ('month', 'year')", name="interval"),
    )

    platform_id: Mapped[UUID]
    code: Mapped[str]
    names: Mapped[dict[str, Any]]
    price_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(default="EUR")
    interval: Mapped[str]
    feature_code: Mapped[str | None]
    amount: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]
    stripe_product_id: Mapped[str | None]
    stripe_price_id: Mapped[str | None]
