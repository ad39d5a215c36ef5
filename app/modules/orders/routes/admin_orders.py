"""Orders of all vendors, for the operator to look at: the list and an order's page."""

from typing import Any

from fastapi import Response
from sqlalchemy import Select

from app.modules.orders.enums import OrderStatus
from app.modules.orders.models.order import Order
from app.modules.orders.services import order_list_service, order_reads
from app.modules.orders.services.order_list_service import STATUS_TONES
from app.modules.orders.services.order_page_service import order_badges, order_blocks, order_notice
from app.modules.orders.services.order_reads import PREFIX, VENDORS, matching_of_vendors
from app.modules.pagekit.details import Detail, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import find_vendor

router = AreaRouter("admin")
_F = "orders.fields"
_VENDOR = Column("vendor_name", f"{_F}.vendor", sort=VENDORS.c.name)


def _orders(*_: object) -> Select[Any]:
    named = order_reads.select_orders().add_columns(
        VENDORS.c.name.label("vendor_name"), VENDORS.c.code.label("vendor_code")
    )
    return named.join(VENDORS, VENDORS.c.id == Order.vendor_id)


mount_list(
    router,
    ListSpec(
        page_id="orders.admin.orders",
        texts="orders.list",
        select=_orders,
        key=Order.id,
        columns=(
            Column("number", f"{_F}.number", "code", sort=Order.number),
            _VENDOR,
            Column("placed_at", f"{_F}.placed_at", "datetime", sort=Order.placed_at),
            Column("buyer_name", f"{_F}.buyer", is_wide=True, is_default=False),
            Column("channel", f"{_F}.channel"),
            Column("status", f"{_F}.status", "badge", text_prefix="orders.status", tones=STATUS_TONES),
            Column("confirm_before", f"{_F}.confirm_before", "datetime", sort=Order.confirm_before),
            Column("total", f"{_F}.total", "money", lambda row: row.total_cents, sort=Order.total_cents),
            Column("pending_exceptions", f"{_F}.exceptions", "number", is_default=False),
        ),
        default_sort="-placed_at",
        search=matching_of_vendors,
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
                options=[
                    (name, f"orders.needs.{name}")
                    for name in ("exception", "plan", "buyer", "payment", "late")
                ],
            ),
        ),
        views=(
            View("to_confirm", "orders.list.views.to_confirm", "status=pending"),
            View("late", "orders.list.views.late", "needs=late"),
            View("exceptions", "orders.list.views.exceptions", "needs=exception"),
        ),
        row_page="orders.admin.order",
        row_id="order_id",
        prefix=PREFIX,
        icon="shopping-cart",
        is_in_palette=True,
    ),
)


@router.page("orders.admin.order")
def order(ctx: PageContext, order_id: str) -> Response:
    """One order as its vendor sees it, to look at only: who acts for a vendor does so on the vendor's own pages."""
    view = order_reads.get_order_view(ctx.session, public_id(PREFIX, order_id))
    vendor = find_vendor(vendor_id=view.order.vendor_id)
    return show_detail(
        ctx,
        Detail(
            view.order.id,
            ctx.t("orders.page.title", number=view.order.number),
            order_blocks(ctx, view),
            subtitle=vendor.name if vendor else None,
            back=(ctx.url("orders.admin.orders"), ctx.t("orders.pages.orders")),
            badges=order_badges(ctx, view),
            target=order_id,
            notice=order_notice(ctx, view),
            raw=view.order,
        ),
    )
