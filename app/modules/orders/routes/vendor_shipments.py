"""What was packed and sent, over all orders: the list, a shipment's page, and its parcels."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response
from sqlalchemy import Select, func, select

from app.core.errors import ValidationFailedError
from app.core.ids import to_public
from app.modules.orders.contracts import By
from app.modules.orders.enums import ShipmentStatus, Source
from app.modules.orders.exceptions import OrdersException, ShipmentNotFoundError
from app.modules.orders.models.order import Order
from app.modules.orders.models.shipment import Parcel, Shipment
from app.modules.orders.services import order_reads, shipment_service
from app.modules.orders.services.order_page_service import SHIP
from app.modules.orders.services.order_reads import PREFIX, SHIPMENT_PREFIX
from app.modules.orders.services.parcel_form_service import parcel_fields, parcels_of
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")
_F = "orders.fields"
_TONES: Mapping[str, str] = {
    ShipmentStatus.PREPARED: "warning",
    ShipmentStatus.SHIPPED: "info",
    ShipmentStatus.DELIVERED: "success",
    ShipmentStatus.CANCELLED: "neutral",
}
_OPEN = (ShipmentStatus.PREPARED, ShipmentStatus.SHIPPED)


def _select(*_: object) -> Select[Any]:
    parcels = (
        select(func.string_agg(func.coalesce(Parcel.tracking_number, Parcel.carrier_code), ", "))
        .where(Parcel.shipment_id == Shipment.id)
        .scalar_subquery()
    )
    return select(
        Shipment.id,
        Shipment.number,
        Shipment.status,
        Shipment.created_at,
        Shipment.shipped_at,
        Shipment.delivered_at,
        Order.number.label("order_number"),
        order_reads.BUYER_NAME.label("buyer_name"),
        parcels.label("tracking"),
    ).join(Order, Order.id == Shipment.order_id)


mount_list(
    router,
    ListSpec(
        page_id="orders.vendor.shipments",
        texts="orders.shipments",
        select=_select,
        key=Shipment.id,
        columns=(
            Column("number", f"{_F}.number", "code", sort=Shipment.number),
            Column("order_number", "orders.pages.order", "code"),
            Column("buyer_name", f"{_F}.buyer", is_wide=True),
            Column("tracking", "orders.forms.tracking", "code"),
            Column("status", f"{_F}.status", "badge", text_prefix="orders.shipment_status", tones=_TONES),
            Column("created_at", "orders.steps.packed", "datetime", sort=Shipment.created_at),
            Column("shipped_at", f"{_F}.shipped_at", "datetime", sort=Shipment.shipped_at),
            Column("delivered_at", "orders.steps.delivered", "datetime", is_default=False),
        ),
        default_sort="-created_at",
        search=lambda words: Shipment.order_id.in_(select(Order.id).where(order_reads.matching(words))),
        filters=(
            Filter(
                "status",
                f"{_F}.status",
                lambda values: Shipment.status.in_(values),
                options=[(one.value, f"orders.shipment_status.{one}") for one in ShipmentStatus],
            ),
        ),
        views=(
            View("prepared", "orders.shipment_status.prepared", "status=prepared"),
            View("shipped", "orders.shipment_status.shipped", "status=shipped"),
        ),
        actions=(Link("orders.pages.carriers", "orders.vendor.carriers", "orders.settings.edit", "truck"),),
        row_page="orders.vendor.shipment",
        row_id="shipment_id",
        prefix=SHIPMENT_PREFIX,
        icon="truck",
    ),
)


def _shipment(ctx: PageContext) -> Shipment:
    found = ctx.session.get(Shipment, public_id(SHIPMENT_PREFIX, ctx.path["shipment_id"]))
    if found is None:
        raise ShipmentNotFoundError
    return found


@router.page("orders.vendor.shipment")
def shipment(ctx: PageContext, shipment_id: str) -> Response:
    """One shipment: its order, its goods, its parcels and where they are."""
    found = _shipment(ctx)
    view = next(iter(order_reads.view_shipments(ctx.session, [found])))
    order = order_reads.get_order_view(ctx.session, found.order_id)
    titles = {line.id: line.title for line in order.lines}
    order_url = ctx.url("orders.vendor.order", order_id=to_public(PREFIX, found.order_id))
    parcels = [
        Fact(one.carrier_name, one.tracking_number, "code", url=one.tracking_link) for one in view.parcels
    ]
    goods = [Fact(titles.get(line, ""), quantity, "number") for line, quantity in view.quantities.items()]
    about = [
        Fact(ctx.t("orders.pages.order"), order.order.number, url=order_url),
        Fact(ctx.t(f"{_F}.buyer"), order.buyer.name),
        Fact(ctx.t("orders.steps.packed"), found.created_at, "datetime"),
        Fact(ctx.t(f"{_F}.shipped_at"), found.shipped_at, "datetime"),
        Fact(ctx.t("orders.steps.delivered"), found.delivered_at, "datetime"),
    ]
    return show_detail(
        ctx,
        Detail(
            found.id,
            ctx.t("orders.shipments.title", number=found.number),
            [
                Block("goods", ctx.t("orders.page.lines"), goods, order=10),
                Block("parcels", ctx.t("orders.forms.parcels"), parcels, order=20),
                Block("about", ctx.t("orders.shipments.about"), about, column="side", order=10),
            ],
            back=(ctx.url("orders.vendor.shipments"), ctx.t("orders.pages.shipments")),
            badges=((_TONES[ShipmentStatus(found.status)], ctx.t(f"orders.shipment_status.{found.status}")),),
            actions=_actions(ctx, found, order_url),
            target=shipment_id,
            raw=found,
        ),
    )


def _actions(ctx: PageContext, found: Shipment, order_url: str) -> list[Action]:
    if SHIP not in ctx.who.permissions or found.status not in _OPEN:
        return []
    key = to_public(SHIPMENT_PREFIX, found.id)
    here = f"{order_url}/shipments/{key}"
    change = ctx.url("orders.vendor.shipment_parcels", shipment_id=key)
    edit = Action(ctx.t("orders.shipments.change_parcels"), change, "pencil", is_post=False)
    labels = ctx.url("orders.vendor.labels", shipment=key)
    label = Action(ctx.t("orders.act.print_labels"), labels, "file-text", is_post=False)
    if found.status == ShipmentStatus.PREPARED:
        return [
            Action(ctx.t("orders.act.mark_shipped"), f"{here}/shipped", "truck", "primary"),
            edit,
            label,
            Action(ctx.t("orders.act.cancel_shipment"), f"{here}/cancel", "x"),
        ]
    return [Action(ctx.t("orders.act.mark_delivered"), f"{here}/delivered", "check", "primary"), edit, label]


def _load(ctx: PageContext) -> Mapping[str, Any]:
    view = next(iter(order_reads.view_shipments(ctx.session, [_shipment(ctx)])))
    numbers = [one.tracking_number for one in view.parcels if one.tracking_number]
    carrier = view.parcels[0].carrier_code if view.parcels else ""
    return {"carrier": carrier, "tracking": "\n".join(numbers)}


def _back(ctx: PageContext) -> tuple[str, str]:
    found = _shipment(ctx)
    return ctx.url("orders.vendor.shipment", shipment_id=ctx.path["shipment_id"]), found.number


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    by = By(Source.USER, ctx.who.user_id)
    try:
        shipment_service.set_parcels(ctx.session, _shipment(ctx).id, parcels_of(values), by)
    except ValidationFailedError:
        raise
    except OrdersException as error:
        raise ValidationFailedError(error.detail, message_key=error.message_key, **error.params) from error
    return _back(ctx)[0]


mount_form(
    router,
    FormSpec(
        "orders.vendor.shipment_parcels",
        "orders.forms.shipment_parcels",
        parcel_fields,
        _save,
        load=_load,
        back=_back,
        has_intro=True,
    ),
)
