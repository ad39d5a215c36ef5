"""The stock in the API."""

from typing import Annotated

from fastapi import Query

from app.core.errors import FieldError, ValidationFailedError
from app.modules.api import ApiContext, ApiRouter, ListQuery, Page
from app.modules.api.answers import shown
from app.modules.api.pages import read_list
from app.modules.catalog import facade as catalog
from app.modules.inventory.contracts import Place
from app.modules.inventory.schemas.stock import (
    Adjustment,
    AdjustmentResult,
    LevelItem,
    LevelQuery,
    MovementItem,
    MovementQuery,
    WarehouseItem,
)
from app.modules.inventory.services import level_service, warehouse_service
from app.modules.inventory.services.product_part_service import LEVEL_PREFIX
from app.modules.inventory.services.warehouse_service import WAREHOUSE_PREFIX

router = ApiRouter()

_VIEW, _ADJUST = "inventory.stock.view", "inventory.stock.adjust"


@router.vendor("GET", "/inventory", permission=_VIEW)
def levels_list(ctx: ApiContext, query: Annotated[LevelQuery, Query()]) -> Page[LevelItem]:
    """List what lies where."""
    return read_list(ctx, "inventory.vendor.levels", query, lambda row: shown(LevelItem, row, LEVEL_PREFIX))


@router.vendor("GET", "/inventory/movements", permission=_VIEW)
def movements_list(ctx: ApiContext, query: Annotated[MovementQuery, Query()]) -> Page[MovementItem]:
    """List the ledger, the newest line first."""
    return read_list(ctx, "inventory.vendor.history", query, lambda row: shown(MovementItem, row, "mov"))


@router.vendor("GET", "/warehouses", permission=_VIEW)
def warehouses_list(ctx: ApiContext, query: Annotated[ListQuery, Query()]) -> Page[WarehouseItem]:
    """List warehouses, in the order in which orders take from them."""
    return read_list(
        ctx, "inventory.vendor.warehouses", query, lambda row: shown(WarehouseItem, row, WAREHOUSE_PREFIX)
    )


@router.vendor("POST", "/inventory/adjustments", permission=_ADJUST, status=201, needs_key=True)
def adjustments_create(ctx: ApiContext, adjustment: Adjustment) -> AdjustmentResult:
    """Change what lies at a place. A product is tracked from its first adjustment on.

    Refused with 409 where orders hold more than would be left.
    """
    product_id = catalog.find_product_id(ctx.session, adjustment.sku)
    if product_id is None:
        raise _unknown("sku", adjustment.sku)
    if adjustment.warehouse is None:
        warehouse = warehouse_service.default_warehouse(ctx.session, ctx.vendor.id)
    else:
        found = warehouse_service.find_by_code(ctx.session, adjustment.warehouse)
        if found is None or found.archived_at is not None:
            raise _unknown("warehouse", adjustment.warehouse)
        warehouse = found
    if adjustment.mode == "set" and adjustment.units < 0:
        raise ValidationFailedError(errors=[FieldError("units", "number", "ui.form.number", {})])
    act = level_service.set_level if adjustment.mode == "set" else level_service.adjust
    done = act(
        ctx.session,
        Place(product_id, warehouse.id, adjustment.bin_location.strip()),
        adjustment.units,
        adjustment.reason,
        note=adjustment.note,
        user_id=ctx.principal.user_id,
    )
    return AdjustmentResult(
        sku=adjustment.sku,
        warehouse=warehouse.code,
        bin_location=done.place.bin_location,
        before=done.before,
        after=done.after,
        reserved=done.reserved,
        available=done.after - done.reserved,
    )


def _unknown(pointer: str, value: str) -> ValidationFailedError:
    return ValidationFailedError(
        errors=[FieldError(pointer, "unknown", f"inventory.api.unknown_{pointer}", {"value": value[:50]})]
    )
