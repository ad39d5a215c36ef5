"""What is done with orders, in the API."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from app.modules.api import WHOLE, Cents, Input, ListQuery, Versioned, example, id_pattern
from app.modules.orders.enums import ExceptionKind, RefundMethod, ShipmentStatus
from app.modules.orders.schemas.orders import LINE_ID, ORDER_ID, PRODUCT_ID, LineId, Quantity, Reason

_WHEN = "2026-11-23T07:00:00Z"
_SHIPMENT_ID = "shp_01m838cj1be8a8mtx8xj3yxfvz"


class LineQuantity(Input):
    """So many of a line."""

    model_config = example(line_id=LINE_ID, quantity=1)

    line_id: LineId
    quantity: Quantity


_LINES = Field(None, min_length=1, max_length=500, description="All that are left, if left out.")


class ConfirmGiven(Input):
    """Lines to say yes to."""

    model_config = example(line_ids=None)

    line_ids: list[LineId] | None = _LINES


class DeclineGiven(Input):
    """Lines to say no to, and why."""

    model_config = example(line_ids=[LINE_ID], reason="Damaged")

    line_ids: list[LineId] | None = _LINES
    reason: Reason


class CancelGiven(Input):
    """What to take out of the order, and why."""

    model_config = example(lines=None, reason="The buyer changed their mind")

    lines: list[LineQuantity] | None = _LINES
    reason: Reason


class PaymentGiven(Input):
    """How the order was paid."""

    model_config = example(method="bank_transfer")

    method: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]


class RefundLineGiven(Input):
    """Money back for a line."""

    model_config = example(line_id=LINE_ID, quantity=1)

    line_id: LineId
    quantity: Annotated[int, Field(ge=0, le=1_000_000), WHOLE] = Field(description="0 for an allowance.")
    gross_cents: Cents | None = Field(None, description="What these cost, if left out.")


class RefundGiven(Input):
    """Money to give back."""

    model_config = example(
        lines=[{"line_id": LINE_ID, "quantity": 1}], reason="Returned", method="original", is_restocked=True
    )

    lines: list[RefundLineGiven] = Field(min_length=1, max_length=500)
    reason: Reason
    method: RefundMethod = RefundMethod.ORIGINAL
    is_restocked: bool = Field(False, strict=True, description="Also put the goods back into stock.")


class RefundShown(BaseModel):
    """Money that was given back."""

    model_config = example(
        id="ref_01m838cj1be8a8mtx8xj3yxfvz",
        order_id=ORDER_ID,
        number="1001-R1",
        gross_cents=2490,
        vat_cents=362,
        reason="Returned",
        method="original",
        is_restocked=True,
        at=_WHEN,
    )

    id: str
    order_id: str
    number: str
    gross_cents: int
    vat_cents: int
    reason: str
    method: RefundMethod
    is_restocked: bool
    at: datetime


class ReturnGiven(Input):
    """Goods that came back."""

    model_config = example(lines=[{"line_id": LINE_ID, "quantity": 1}])

    lines: list[LineQuantity] = Field(min_length=1, max_length=500)


class ParcelGiven(Input):
    """A parcel; the carrier by its code."""

    model_config = example(carrier_code="post-lu", tracking_number="LX000000000LU")

    carrier_code: str = Field(pattern="^[a-z0-9][a-z0-9-]{0,39}$")
    tracking_number: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] | None = None


class ParcelsGiven(Input):
    """The parcels of a shipment, instead of those it has."""

    model_config = example(parcels=[{"carrier_code": "post-lu", "tracking_number": "LX000000000LU"}])

    parcels: list[ParcelGiven] = Field(max_length=50)


class ShipmentGiven(Input):
    """What to send."""

    model_config = example(
        lines=None, parcels=[{"carrier_code": "post-lu", "tracking_number": "LX000000000LU"}], is_shipped=True
    )

    lines: list[LineQuantity] | None = _LINES
    parcels: list[ParcelGiven] = Field([], max_length=50)
    is_shipped: bool = Field(True, strict=True, description="Else it is prepared and can be cancelled.")


class ParcelShown(BaseModel):
    """A parcel, and where it can be followed."""

    carrier_code: str
    carrier_name: str
    tracking_number: str | None
    tracking_link: str | None


class ShipmentLineShown(BaseModel):
    """How many of a line are in it."""

    line_id: str
    quantity: int


class ShipmentShown(Versioned):
    """A shipment."""

    model_config = example(
        id=_SHIPMENT_ID,
        order_id=ORDER_ID,
        number="1001-1",
        status="shipped",
        shipped_at=_WHEN,
        delivered_at=None,
        lines=[{"line_id": LINE_ID, "quantity": 1}],
        parcels=[
            {
                "carrier_code": "post-lu",
                "carrier_name": "POST Luxembourg",
                "tracking_number": None,
                "tracking_link": None,
            }
        ],
        version=2,
    )

    id: str
    order_id: str
    number: str
    status: ShipmentStatus
    shipped_at: datetime | None
    delivered_at: datetime | None
    lines: list[ShipmentLineShown]
    parcels: list[ParcelShown]


class ShipmentList(BaseModel):
    """The shipments of an order."""

    data: list[ShipmentShown]


class ExceptionQuery(ListQuery):
    """Filters of the list of exceptions."""

    kind: list[ExceptionKind] | None = Field(None, max_length=4)
    status: list[Literal["pending", "resolved", "ignored"]] | None = Field(None, max_length=3)


class ResolveGiven(Input):
    """The product that a line means."""

    model_config = example(product_id=PRODUCT_ID, is_remembered=True)

    product_id: str = Field(pattern=id_pattern("prd"))
    is_remembered: bool = Field(
        False, strict=True, description="Also for all other lines with the same GTIN or SKU, now and later."
    )


class FreedShown(BaseModel):
    """How many lines that freed."""

    model_config = example(freed=4)

    freed: int
