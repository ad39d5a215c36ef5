"""Events of billing."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.modules.events import Event


@dataclass(frozen=True, slots=True)
class SubscriptionStarted(Event):
    """A vendor has a subscription now; ``status`` is trial or active."""

    name: ClassVar[str] = "billing.subscription_started"

    vendor_id: UUID
    tier_code: str
    interval: str
    status: str


@dataclass(frozen=True, slots=True)
class SubscriptionChanged(Event):
    """Its plan, interval or status changed, other than by being cancelled or expiring; ``kind`` says how."""

    name: ClassVar[str] = "billing.subscription_changed"

    vendor_id: UUID
    kind: str
    tier_code: str
    interval: str
    status: str


@dataclass(frozen=True, slots=True)
class SubscriptionCancelled(Event):
    """It ends when what was paid for ends."""

    name: ClassVar[str] = "billing.subscription_cancelled"

    vendor_id: UUID
    tier_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class SubscriptionExpired(Event):
    """It has ended: the shop can be read and exported, not changed."""

    name: ClassVar[str] = "billing.subscription_expired"

    vendor_id: UUID
    tier_code: str
