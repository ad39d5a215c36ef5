"""Forms of an order: send goods, cancel, give money back, take goods back. Each asks how many of which line."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from app.core.errors import ValidationFailedError
from app.core.i18n import format_money
from app.modules.orders.contracts import By, RefundOf, RefundTerms
from app.modules.orders.enums import LineKind, RefundMethod, Source
from app.modules.orders.exceptions import OrdersException
from app.modules.orders.models.order import OrderLine
from app.modules.orders.services import (
    cancel_service,
    order_reads,
    refund_service,
    shipment_service,
)
from app.modules.orders.services.order_reads import PREFIX, OrderView
from app.modules.orders.services.parcel_form_service import parcel_fields, parcels_of
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")
Left = Callable[[OrderView, OrderLine], int]


def _view(ctx: PageContext) -> OrderView:
    return order_reads.get_order_view(ctx.session, public_id(PREFIX, ctx.path["order_id"]))


def _back(ctx: PageContext) -> tuple[str, str]:
    view = _view(ctx)
    url = ctx.url("orders.vendor.order", order_id=view.public_id)
    return url, ctx.t("orders.page.title", number=view.order.number)


def _to_send(view: OrderView, line: OrderLine) -> int:
    return view.remaining.get(line.id, 0)


def _to_refund(_view: OrderView, line: OrderLine) -> int:
    if line.refunded_cents >= line.gross_cents:
        return 0
    return line.quantity - line.cancelled_quantity - line.refunded_quantity


def _to_take_back(_view: OrderView, line: OrderLine) -> int:
    return line.shipped_quantity - line.returned_quantity


def _asked(view: OrderView, left: Left) -> list[OrderLine]:
    return [line for line in view.lines if left(view, line) > 0]


def _title(ctx: PageContext, line: OrderLine) -> str:
    return line.title if line.kind == LineKind.PRODUCT else ctx.t("orders.page.shipping")


def _line_fields(ctx: PageContext, left: Left) -> list[Field]:
    """One field for each line of which there is something left."""
    view = _view(ctx)
    return [
        Field(
            f"line_{line.position}",
            "orders.lines.quantity",
            "number",
            is_required=False,
            hint_key=None,
            max_length=9,
            label=ctx.t(
                "orders.forms.of_line",
                title=_title(ctx, line),
                left=left(view, line),
                amount=format_money(ctx.language, line.gross_cents, view.order.currency),
            ),
            attrs={"inputmode": "numeric"},
            section_key="orders.forms.lines" if index == 0 else None,
        )
        for index, line in enumerate(_asked(view, left))
    ]


def _all(left: Left) -> Callable[[PageContext], Mapping[str, Any]]:
    def load(ctx: PageContext) -> Mapping[str, Any]:
        view = _view(ctx)
        return {f"line_{line.position}": left(view, line) for line in _asked(view, left)}

    return load


def _none(left: Left) -> Callable[[PageContext], Mapping[str, Any]]:
    def load(ctx: PageContext) -> Mapping[str, Any]:
        return dict.fromkeys(_all(left)(ctx), 0)

    return load


def _chosen(ctx: PageContext, values: Mapping[str, Any], left: Left) -> list[tuple[UUID, int]]:
    """Line and quantity of what was asked for; an error where that is nothing or less than nothing."""
    view = _view(ctx)
    found = [(line, values.get(f"line_{line.position}") or 0) for line in _asked(view, left)]
    if any(quantity < 0 for _, quantity in found) or not any(quantity for _, quantity in found):
        raise ValidationFailedError("Nothing was chosen.", message_key="orders.forms.nothing")
    return [(line.id, quantity) for line, quantity in found if quantity]


def _mount(
    name: str,
    fields: Callable[[PageContext], Sequence[Field]],
    load: Callable[[PageContext], Mapping[str, Any]],
    act: Callable[[PageContext, UUID, Mapping[str, Any], By], object],
    *,
    is_danger: bool = False,
) -> None:
    def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
        try:
            act(ctx, public_id(PREFIX, ctx.path["order_id"]), values, By(Source.USER, ctx.who.user_id))
        except ValidationFailedError:
            raise
        except OrdersException as error:  # said above the form, with everything typed kept
            raise ValidationFailedError(
                error.detail, message_key=error.message_key, **error.params
            ) from error
        ctx.flash("success", f"orders.forms.{name}.saved")
        return _back(ctx)[0]

    mount_form(
        router,
        FormSpec(
            f"orders.vendor.{name}",
            f"orders.forms.{name}",
            fields,
            save,
            load=load,
            back=_back,
            has_intro=True,
            is_danger=is_danger,
        ),
    )


def _ship_fields(ctx: PageContext) -> list[Field]:
    sent = Field("is_sent", "orders.forms.is_sent", "checkbox", hint_key="orders.forms.is_sent_hint")
    return [*_line_fields(ctx, _to_send), *parcel_fields(ctx), sent]


def _ship(ctx: PageContext, order_id: UUID, values: Mapping[str, Any], by: By) -> None:
    act = shipment_service.ship if values["is_sent"] else shipment_service.prepare_shipment
    act(ctx.session, order_id, _chosen(ctx, values, _to_send), parcels_of(values), by)


def _reason(section: str | None = None) -> Field:
    return Field("reason", "orders.forms.reason", "textarea", max_length=500, section_key=section)


def _cancel_fields(ctx: PageContext) -> list[Field]:
    return [*_line_fields(ctx, _to_send), _reason("orders.forms.why")]


def _cancel(ctx: PageContext, order_id: UUID, values: Mapping[str, Any], by: By) -> None:
    cancel_service.cancel(ctx.session, order_id, values["reason"], by, lines=_chosen(ctx, values, _to_send))


def _refund_fields(ctx: PageContext) -> list[Field]:
    return [
        *_line_fields(ctx, _to_refund),
        _reason("orders.forms.why"),
        Field(
            "method",
            "orders.forms.method",
            "select",
            options=[(one.value, f"orders.refund_methods.{one}") for one in RefundMethod],
        ),
        Field("is_restocked", "orders.forms.is_restocked", "checkbox", is_required=False),
    ]


def _refund(ctx: PageContext, order_id: UUID, values: Mapping[str, Any], by: By) -> None:
    lines = [RefundOf(key, quantity) for key, quantity in _chosen(ctx, values, _to_refund)]
    terms = RefundTerms(values["reason"], RefundMethod(values["method"]), values["is_restocked"])
    refund_service.refund(ctx.session, order_id, lines, terms, by)


def _take_back(ctx: PageContext, order_id: UUID, values: Mapping[str, Any], by: By) -> None:
    refund_service.receive_return(ctx.session, order_id, _chosen(ctx, values, _to_take_back), by)


_mount("ship", _ship_fields, lambda ctx: {**_all(_to_send)(ctx), "is_sent": True}, _ship)
_mount("cancel_order", _cancel_fields, _all(_to_send), _cancel, is_danger=True)
_mount(
    "refund",
    _refund_fields,
    lambda ctx: {**_none(_to_refund)(ctx), "method": RefundMethod.ORIGINAL},
    _refund,
)
_mount(
    "receive_return",
    lambda ctx: _line_fields(ctx, _to_take_back),
    _none(_to_take_back),
    _take_back,
)
