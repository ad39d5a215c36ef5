"""The vendor's orders of every channel: the list, and what is done with many at once."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import AppError
from app.modules.orders.contracts import By
from app.modules.orders.enums import OrderStatus, Source
from app.modules.orders.models.order import Order
from app.modules.orders.services import decide_service, order_list_service, order_reads, shipment_service
from app.modules.orders.services.order_reads import PREFIX
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, Link, ListSpec, View
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")

_F = "orders.fields"


def _each(act: Callable[[Session, UUID, By], object]) -> Callable[[Session, Sequence[UUID]], BulkOutcome]:
    """One after the other, each whole or not at all."""

    def apply(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
        failed = {}
        for key in ids:
            try:
                with session.begin_nested():
                    act(session, key, By(Source.USER))
            except AppError as error:
                failed[key] = error.message_key
        return BulkOutcome(len(ids) - len(failed), failed)

    return apply


def _confirm(session: Session, order_id: UUID, by: By) -> None:
    decide_service.confirm_lines(session, order_id, None, by)


def _ship(session: Session, order_id: UUID, by: By) -> None:
    shipment_service.ship(session, order_id, None, (), by)


ORDERS = ListSpec(
    page_id="orders.vendor.orders",
    texts="orders.list",
    select=lambda _session, _language: order_reads.select_orders(),
    key=Order.id,
    columns=(
        Column("number", f"{_F}.number", "code", sort=Order.number),
        Column("placed_at", f"{_F}.placed_at", "datetime", sort=Order.placed_at),
        Column("buyer_name", f"{_F}.buyer"),
        Column("channel", f"{_F}.channel", "tags", value=lambda row: [row.channel]),
        Column(
            "status",
            f"{_F}.status",
            "badge",
            text_prefix="orders.status",
            tones=order_list_service.STATUS_TONES,
        ),
        Column(
            "confirm_before", f"{_F}.confirm_before", "datetime", sort=Order.confirm_before, is_default=False
        ),
        Column("total", f"{_F}.total", "money", lambda row: row.total_cents, sort=Order.total_cents),
        Column("pending_exceptions", f"{_F}.exceptions", "number", is_default=False),
        Column("paid_at", f"{_F}.paid_at", "datetime", sort=Order.paid_at, is_default=False),
        Column("external_number", f"{_F}.external_number", "code", is_default=False),
        Column("ship_country", f"{_F}.country", is_default=False),
    ),
    default_sort="-placed_at",
    search=order_reads.matching,
    filters=(
        Filter(
            "status",
            f"{_F}.status",
            lambda values: Order.status.in_(values),
            options=[(one.value, f"orders.status.{one}") for one in OrderStatus],
        ),
        Filter(
            "channel",
            f"{_F}.channel",
            lambda values: Order.channel.in_(values),
            options=order_list_service.channel_options,
        ),
        Filter(
            "needs",
            "orders.list.needs",
            order_list_service.needs,
            options=[(name, f"orders.needs.{name}") for name in ("exception", "plan", "buyer", "payment")],
        ),
        Filter("since", "orders.list.since", order_list_service.placed_since, kind="date_from"),
        Filter("until", "orders.list.until", order_list_service.placed_until, kind="date_to"),
        Filter(
            "country",
            f"{_F}.country",
            lambda values: Order.ship_country == values[0].upper(),
            kind="text",
        ),
    ),
    bulk=(
        BulkAction("confirm", "orders.act.confirm", "orders.orders.edit", _each(_confirm), icon="check"),
        BulkAction("ship", "orders.act.mark_shipped", "orders.orders.ship", _each(_ship), icon="truck"),
    ),
    views=(
        View("to_confirm", "orders.list.views.to_confirm", "status=pending"),
        View("to_ship", "orders.list.views.to_ship", "status=processing"),
        View("partially_shipped", "orders.status.partially_shipped", "status=partially_shipped"),
        View("exceptions", "orders.list.views.exceptions", "needs=exception"),
        View("shipped", "orders.status.shipped", "status=shipped&status=delivered"),
        View("cancelled", "orders.status.cancelled", "status=cancelled"),
    ),
    actions=(
        Link("orders.pages.print", "orders.vendor.print", "orders.orders.view", "file-text"),
        Link("orders.pages.new_order", "orders.vendor.new_order", "orders.orders.edit", "plus"),
    ),
    row_page="orders.vendor.order",
    row_id="order_id",
    prefix=PREFIX,
    icon="shopping-cart",
    is_in_palette=True,
)
mount_list(router, ORDERS)
