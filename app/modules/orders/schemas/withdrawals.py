"""Withdrawals in the API."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from app.modules.api import Input, ListQuery, Versioned, example, id_pattern
from app.modules.orders.enums import RefundMethod, WithdrawalSource, WithdrawalStatus
from app.modules.orders.schemas.acts import LineQuantity
from app.modules.orders.schemas.orders import LINE_ID, ORDER_ID, Reason

_WHEN = "2026-11-23T07:00:00Z"
_ITEM: dict[str, Any] = {
    "id": "wdr_01m838cj1be8a8mtx8xj3yxfvz",
    "order_id": ORDER_ID,
    "number": "1001-W1",
    "source": "email",
    "status": "open",
    "received_at": _WHEN,
    "refund_until": "2026-12-07",
    "goods_received_at": None,
    "closed_at": None,
    "created_at": _WHEN,
    "version": 1,
}


class WithdrawalItem(Versioned):
    """A notice of withdrawal as lists show it."""

    model_config = example(**_ITEM)

    id: str
    order_id: str
    number: str
    source: WithdrawalSource
    status: WithdrawalStatus
    received_at: datetime
    refund_until: date = Field(description="The last day, in Luxembourg: fourteen after the notice.")
    goods_received_at: datetime | None
    closed_at: datetime | None
    created_at: datetime


class WithdrawalLineShown(BaseModel):
    """How many of a line go back."""

    line_id: str
    quantity: int


class WithdrawalDetails(WithdrawalItem):
    """A notice of withdrawal with its lines and texts."""

    model_config = example(
        **_ITEM,
        message="Too small",
        refusal=None,
        is_in_time=True,
        lines=[{"line_id": LINE_ID, "quantity": 1}],
    )

    message: str | None
    refusal: str | None
    is_in_time: bool = Field(description="Whether it came within fourteen days of delivery.")
    lines: list[WithdrawalLineShown]


class WithdrawalQuery(ListQuery):
    """Filters of the list of withdrawals."""

    status: list[WithdrawalStatus] | None = Field(None, max_length=5)
    order_id: str | None = Field(None, pattern=id_pattern("ord"))


class WithdrawalGiven(Input):
    """What a buyer said."""

    model_config = example(
        lines=[{"line_id": LINE_ID, "quantity": 1}], source="email", received_at=_WHEN, message="Too small"
    )

    lines: list[LineQuantity] = Field(min_length=1, max_length=500)
    source: WithdrawalSource
    received_at: AwareDatetime | None = Field(None, description="Now, if left out.")
    message: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] | None = None


class RefusalGiven(Input):
    """Why a withdrawal is refused."""

    model_config = example(reason="Sealed goods were opened")

    reason: Reason


class GoodsGiven(Input):
    """Goods that are back."""

    model_config = example(is_restocked=True)

    is_restocked: bool = Field(False, strict=True, description="Also put them back into stock.")


class WithdrawalRefundGiven(Input):
    """How the money goes back."""

    model_config = example(method="original")

    method: RefundMethod = RefundMethod.ORIGINAL
