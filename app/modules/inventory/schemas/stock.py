"""The stock in the API."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.modules.api import WHOLE, Input, ListQuery, example
from app.modules.inventory.enums import MovementKind, Reason

_LEVEL_ID = "stk_01m838cj1be8a8mtx8xj3yxfvz"
_WAREHOUSE_ID = "whs_01m838cj1be8a8mtx8xj3yxfvz"
Sku = Annotated[str, Field(min_length=1, max_length=200)]
Place = Annotated[str, Field(max_length=60, description="A place in the warehouse; empty where it has none.")]


class LevelItem(BaseModel):
    """What lies of a product at one place."""

    model_config = example(
        id=_LEVEL_ID,
        sku="MOS-011",
        warehouse="LUX",
        bin_location="SA-01-01",
        on_hand=12,
        reserved=3,
        available=9,
        low_stock_level=4,
        state="ok",
        updated_at="2026-11-23T07:00:00Z",
    )

    id: str
    sku: str
    warehouse: str
    bin_location: str
    on_hand: int
    reserved: int
    available: int
    low_stock_level: int | None
    state: Literal["ok", "low", "out"] = Field(description="Of the product, over all places.")
    updated_at: datetime


class LevelQuery(ListQuery):
    """Search and filters of the stock."""

    q: str | None = Field(
        None, max_length=200, description="Words that title, SKU, GTIN or brand begin with."
    )
    state: list[Literal["ok", "low", "out"]] | None = Field(None, max_length=3)
    sort: Literal["sku", "-sku", "available", "-available"] = Field(
        "sku", description="With `-` in front: descending."
    )


class MovementItem(BaseModel):
    """A line of the ledger."""

    model_config = example(
        id="mov_01m838cj1be8a8mtx8xj3yxfvz",
        at="2026-11-23T07:00:00Z",
        sku="MOS-011",
        warehouse="LUX",
        bin_location="SA-01-01",
        kind="adjust",
        reason="damaged",
        on_hand_change=-1,
        on_hand_after=11,
        reserved_change=0,
        reserved_after=3,
        reference_label=None,
        note="A box fell",
    )

    id: str
    at: datetime
    sku: str | None
    warehouse: str
    bin_location: str
    kind: MovementKind
    reason: Reason | None
    on_hand_change: int
    on_hand_after: int
    reserved_change: int
    reserved_after: int
    reference_label: str | None
    note: str | None


class MovementQuery(ListQuery):
    """Filters of the ledger."""

    kind: list[MovementKind] | None = Field(None, max_length=9)
    sku: str | None = Field(None, max_length=200)
    sort: Literal["at", "-at"] = Field("-at", description="With `-` in front: descending.")


class WarehouseItem(BaseModel):
    """Where goods lie; orders take from the lowest priority first."""

    model_config = example(
        id=_WAREHOUSE_ID,
        code="LUX",
        name="Luxembourg-Gasperich",
        priority=10,
        is_default=True,
        on_hand=480,
        reserved=12,
        state="used",
    )

    id: str
    code: str
    name: str
    priority: int
    is_default: bool
    on_hand: int
    reserved: int
    state: Literal["used", "archived"]


class Adjustment(Input):
    """A change of what lies at a place: so many more or fewer, or with `set` so many in all."""

    model_config = example(
        sku="MOS-011", warehouse="LUX", bin_location="SA-01-01", mode="change", units=-1, reason="damaged"
    )

    sku: Sku
    warehouse: str | None = Field(
        None, max_length=20, description="Its code; the default one where it is left out."
    )
    bin_location: Place = ""
    mode: Literal["change", "set"] = "change"
    units: Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000), WHOLE]
    reason: Reason
    note: str | None = Field(None, max_length=500)


class AdjustmentResult(BaseModel):
    """What became of the place."""

    model_config = example(
        sku="MOS-011", warehouse="LUX", bin_location="SA-01-01", before=12, after=11, reserved=3, available=8
    )

    sku: str
    warehouse: str
    bin_location: str
    before: int
    after: int
    reserved: int
    available: int
