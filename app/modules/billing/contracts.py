"""What other modules may see of billing, and what its own parts hand to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from app.modules.billing.enums import ChangeSource


@dataclass(frozen=True, slots=True)
class By:
    """Who changes something: a person, a task, or Stripe's state."""

    source: ChangeSource
    user_id: UUID | None = None


BY_TASK = By(ChangeSource.TASK)
BY_STRIPE = By(ChangeSource.STRIPE)


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` until just before ``end``, both UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class TierInput:
    """What can be said of a plan. Prices in cents; ``limits`` by feature code, None is unlimited."""

    names: Mapping[str, str]
    order_index: int
    monthly_cents: int
    annual_cents: int
    currency: str = "EUR"
    is_public: bool = True
    limits: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AddonInput:
    """What can be said of an add-on. ``amount``: how much more of ``feature_code`` one of it gives."""

    names: Mapping[str, str]
    price_cents: int
    interval: str
    currency: str = "EUR"
    feature_code: str | None = None
    amount: int = 0


@dataclass(frozen=True, slots=True)
class OverrideInput:
    """A limit of a vendor's own; ``limit`` None is unlimited, without ``expires_at`` it holds until it is removed."""

    limit: int | None
    reason: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RemoteState:
    """A subscription as Stripe says it is, in our words. ``tier_id`` None: its price is none of ours."""

    status: str
    tier_id: UUID | None
    interval: str
    anchor_at: datetime
    period_start: datetime
    period_end: datetime
    trial_ends_at: datetime | None
    cancel_at_period_end: bool
    cancelled_at: datetime | None
    has_payment_method: bool


@dataclass(frozen=True, slots=True)
class SubscriptionInfo:
    """A vendor's subscription as other modules see it. ``ends_at``: when access ends, if nothing is done."""

    vendor_id: UUID
    platform_id: UUID
    tier_code: str
    interval: str
    status: str
    period_start: datetime
    period_end: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """What a change of the plan costs, as Stripe says. Cents; ``lines``: text and amount.

    ``credit_cents``: what is left over of what was paid, kept for the next invoices. ``next_cents``: what the first
    whole invoice of the new plan costs; without ``is_now`` that is the one of ``starts_at``.
    """

    tier_code: str
    interval: str
    is_now: bool
    currency: str
    due_now_cents: int
    credit_cents: int
    next_cents: int
    starts_at: datetime
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What became of something that was asked of Stripe. ``error``: Stripe's code, or one of ours."""

    id: UUID
    kind: str
    act: str
    state: Literal["waiting", "done", "failed"]
    result_url: str | None
    error: str | None
    preview: ChangePreview | None
    created_at: datetime
