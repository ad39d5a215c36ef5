"""Orders in the API: a vendor's own, and those of all vendors for the operator to read."""

from dataclasses import fields, replace
from typing import Annotated, Any

from fastapi import Query

from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.pages import read_spec
from app.modules.customers.contracts import Address, Buyer
from app.modules.orders.contracts import NewLine, NewOrder
from app.modules.orders.models.order import Order
from app.modules.orders.schemas.orders import (
    AddressGiven,
    LineGiven,
    OrderDetails,
    OrderGiven,
    OrderItem,
    OrderPlaced,
    OrderQuery,
)
from app.modules.orders.services import order_reads
from app.modules.orders.services.api_answers import by_key, order_ids, show_order
from app.modules.orders.services.order_reads import PREFIX
from app.modules.orders.services.place_service import place_order
from app.modules.pagekit.lists import Column, Filter, ListSpec

router = ApiRouter()

_LIST = ListSpec(
    "orders.api.orders",
    "orders.orders",
    lambda _session, _language: order_reads.select_orders(),
    Order.id,
    columns=(Column("placed_at", "orders.fields.placed_at", "datetime", sort=Order.placed_at),),
    default_sort="-placed_at",
    search=order_reads.matching,
    filters=(
        Filter("status", "orders.fields.status", lambda chosen: Order.status.in_(chosen)),
        Filter("channel", "orders.fields.channel", lambda chosen: Order.channel.in_(chosen)),
        Filter(
            "held",
            "orders.fields.held_for",
            lambda chosen: Order.held_for.is_not(None) if chosen == ("yes",) else Order.held_for.is_(None),
        ),
    ),
)
_OF_ALL_VENDORS = replace(_LIST, search=order_reads.matching_of_all_vendors)


@router.both("GET", "/orders", permission="orders.orders.view")
def orders_list(ctx: ApiContext, query: Annotated[OrderQuery, Query()]) -> Page[OrderItem]:
    """List orders."""
    return read_spec(ctx, _LIST if ctx.area == "vendor" else _OF_ALL_VENDORS, query, _item)


@router.both("GET", "/orders/{order_id}", permission="orders.orders.view")
def orders_get(ctx: ApiContext, order_id: str) -> OrderDetails:
    """Get an order with its lines and exceptions."""
    return show_order(ctx, key_of(PREFIX, order_id))


@router.vendor("POST", "/orders", permission="orders.orders.edit", status=201)
def orders_place(ctx: ApiContext, given: OrderGiven) -> OrderPlaced:
    """Place an order.

    Stock is reserved at once. The same `channel` and `external_id` give the same order again. What the plan has no room
    for is stored and held. A line whose product is not found by SKU or GTIN is an exception of the order.
    """
    placed = place_order(ctx.session, ctx.vendor.id, _new(given), when_short=given.when_short, by=by_key(ctx))
    order_id = to_public(PREFIX, placed.order_id)
    ctx.location(f"/vendor/orders/{order_id}")
    told = {name: getattr(placed, name) for name in OrderPlaced.model_fields if name != "id"}
    return OrderPlaced(id=order_id, **told)


def _item(row: Any) -> OrderItem:
    return shown(OrderItem, row, PREFIX, **order_ids(row))


def _new(given: OrderGiven) -> NewOrder:
    values = {name: getattr(given, name) for name in OrderGiven.model_fields if name != "when_short"}
    return NewOrder(
        **values
        | {
            "buyer": Buyer(**given.buyer.model_dump()),
            "shipping_address": _given_address(given.shipping_address),
            "billing_address": _given_address(given.billing_address),
            "lines": [_given_line(line) for line in given.lines],
        }
    )


def _given_address(given: AddressGiven | None) -> Address | None:
    return Address(**given.model_dump()) if given else None


def _given_line(given: LineGiven) -> NewLine:
    known = {one.name for one in fields(NewLine)}
    values = {name: value for name, value in given.model_dump().items() if name in known}
    product_id = key_of("prd", given.product_id) if given.product_id else None
    return NewLine(**values | {"product_id": product_id, "external_unit_ids": tuple(given.external_unit_ids)})
