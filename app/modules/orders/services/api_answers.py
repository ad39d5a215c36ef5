"""What the API's operations of orders have alike: who acts, what is given, and what is told."""

from typing import Any
from uuid import UUID

from app.core.ids import to_public
from app.modules.api import ApiContext, key_of
from app.modules.api.answers import shown
from app.modules.customers.contracts import Address, Buyer
from app.modules.orders.contracts import By
from app.modules.orders.enums import Source
from app.modules.orders.models.order import OrderLine
from app.modules.orders.schemas.acts import LineQuantity
from app.modules.orders.schemas.orders import (
    AddressShown,
    BuyerShown,
    CandidateShown,
    ExceptionShown,
    LineShown,
    OrderDetails,
)
from app.modules.orders.services import order_reads
from app.modules.orders.services.order_reads import EXCEPTION_PREFIX, LINE_PREFIX, PREFIX


def by_key(ctx: ApiContext) -> By:
    """Who acts: the program, in the name of the person whose key it is."""
    return By(Source.API, ctx.principal.user_id)


def quantities(lines: list[LineQuantity] | None) -> list[tuple[UUID, int]] | None:
    """Lines by their keys, with how many of each."""
    return None if lines is None else [(key_of(LINE_PREFIX, one.line_id), one.quantity) for one in lines]


def show_order(ctx: ApiContext, order_id: UUID) -> OrderDetails:
    """All of an order, as it is now. Raises OrderNotFoundError."""
    ctx.session.flush()
    order, lines, exceptions = order_reads.get_order_parts(ctx.session, order_id)
    return shown(
        OrderDetails,
        order,
        PREFIX,
        **order_ids(order),
        buyer=BuyerShown(**Buyer.from_json(order.buyer).to_json()),
        shipping_address=_address(order.shipping_address),
        billing_address=_address(order.billing_address),
        lines=[_line(line) for line in lines],
        exceptions=[show_exception(one) for one in exceptions],
    )


def show_exception(row: Any) -> ExceptionShown:
    """An exception with public ids."""
    candidates = [
        CandidateShown(**one | {"product_id": to_public("prd", UUID(one["product_id"]))})
        for one in row.candidates
    ]
    return shown(
        ExceptionShown,
        row,
        EXCEPTION_PREFIX,
        order_id=to_public(PREFIX, row.order_id),
        line_id=to_public(LINE_PREFIX, row.line_id),
        product_id=_product(row.product_id),
        candidates=candidates,
    )


def _line(line: OrderLine) -> LineShown:
    return shown(LineShown, line, LINE_PREFIX, product_id=_product(line.product_id))


def _product(product_id: UUID | None) -> str | None:
    return to_public("prd", product_id) if product_id else None


def _address(stored: dict[str, Any] | None) -> AddressShown | None:
    return AddressShown(**Address.from_json(stored).to_json()) if stored else None


def order_ids(row: Any) -> dict[str, Any]:
    """The ids of an order's row in their public form."""
    customer = to_public("cus", row.customer_id) if row.customer_id else None
    return {"vendor_id": to_public("vnd", row.vendor_id), "customer_id": customer}
