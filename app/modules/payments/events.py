"""Events of payments."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.modules.events import Event


@dataclass(frozen=True, slots=True)
class PaymentCaptured(Event):
    """Money was taken. ``amount_cents`` is what was captured in all."""

    name: ClassVar[str] = "payments.payment_captured"

    payment_id: UUID
    vendor_id: UUID
    subject_type: str
    subject_id: UUID
    amount_cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class PaymentFailed(Event):
    """A payment will not happen any more: declined, expired or refused by the provider."""

    name: ClassVar[str] = "payments.payment_failed"

    payment_id: UUID
    vendor_id: UUID
    subject_type: str
    subject_id: UUID
    failure_code: str


@dataclass(frozen=True, slots=True)
class RefundSucceeded(Event):
    """Money was given back. ``amount_cents`` is this refund's, ``refunded_cents`` that of all refunds."""

    name: ClassVar[str] = "payments.refund_succeeded"

    refund_id: UUID
    payment_id: UUID
    vendor_id: UUID
    subject_type: str
    subject_id: UUID
    amount_cents: int
    refunded_cents: int
    currency: str
