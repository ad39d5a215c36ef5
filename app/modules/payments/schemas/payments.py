"""Payments in the API."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.modules.api import Input, ListQuery, PositiveCents, Versioned, example
from app.modules.payments.enums import Payee, PaymentState, Provider, RefundState

_ID = "pay_01m838cj1be8a8mtx8xj3yxfvz"
_PAYMENT = {
    "id": _ID,
    "vendor_id": "vnd_01m838cj1be8a8mtx8xj3yxfvz",
    "payee": "vendor",
    "provider": "bank_transfer",
    "reference": "order-1001",
    "description": "Order 1001",
    "amount_cents": 4990,
    "captured_cents": 4990,
    "refunded_cents": 0,
    "currency": "EUR",
    "state": "captured",
    "failure_code": None,
    "customer_email": "anna@example.lu",
    "created_at": "2026-11-23T07:00:00Z",
    "captured_at": "2026-11-23T07:05:00Z",
    "version": 3,
}
_REFUND = {
    "id": "rfn_01m838cj1be8a8mtx8xj3yxfvz",
    "payment_id": _ID,
    "amount_cents": 990,
    "reason": "One part was missing",
    "state": "pending",
    "failure_code": None,
    "created_at": "2026-11-23T08:00:00Z",
}


class PaymentDetails(Versioned):
    """Money from a customer to the vendor, or from the vendor to the operator."""

    model_config = example(**_PAYMENT)

    id: str
    vendor_id: str
    payee: Payee
    provider: Provider
    reference: str = Field(description="What whoever asked for the payment calls it; unique in a vendor.")
    description: str
    amount_cents: int
    captured_cents: int
    refunded_cents: int = Field(description="Given back; refunds that are under way count.")
    currency: str
    state: PaymentState
    failure_code: str | None
    customer_email: str | None
    created_at: datetime
    captured_at: datetime | None


class PaymentQuery(ListQuery):
    """Pages of the list of payments."""

    state: list[PaymentState] = Field([], description="In any of these states.")
    provider: list[Provider] = Field([], description="By any of these providers.")
    sort: Literal["created_at", "-created_at"] = "-created_at"


class RefundDetails(BaseModel):
    """Money that goes back."""

    model_config = example(**_REFUND)

    id: str
    payment_id: str
    amount_cents: int
    reason: str
    state: RefundState
    failure_code: str | None
    created_at: datetime


class RefundList(BaseModel):
    """All refunds of a payment, the oldest first."""

    model_config = example(data=[_REFUND])

    data: list[RefundDetails]


class NewRefund(Input):
    """Money to give back."""

    model_config = example(amount_cents=990, reason="One part was missing")

    amount_cents: PositiveCents
    reason: str = Field("", max_length=300)
