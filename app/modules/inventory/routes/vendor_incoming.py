"""Deliveries that are expected: the list, a new one, and its arrival."""

from collections.abc import Mapping
from typing import Any

from app.core.errors import FieldError, ValidationFailedError
from app.core.i18n import format_number
from app.modules.catalog import facade as catalog
from app.modules.inventory.contracts import Expected, Place
from app.modules.inventory.exceptions import DeliveryClosedError
from app.modules.inventory.models.planning import IncomingStock
from app.modules.inventory.services import incoming_service
from app.modules.inventory.services import list_service as lists
from app.modules.inventory.services.incoming_service import INCOMING_PREFIX
from app.modules.inventory.services.warehouse_service import WAREHOUSE_PREFIX, warehouse_options
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_F, _ADJUST = "inventory.fields", "inventory.stock.adjust"
_MOST_UNITS = 10**9

mount_list(
    router,
    ListSpec(
        page_id="inventory.vendor.incoming_list",
        texts="inventory.incoming_list",
        select=lists.select_incoming,
        key=IncomingStock.id,
        columns=(
            Column("sku", f"{_F}.sku", "code"),
            Column("title", f"{_F}.title", is_wide=True),
            Column("warehouse", f"{_F}.warehouse", "code"),
            Column("quantity", f"{_F}.quantity", "number"),
            Column("received", f"{_F}.received", "number"),
            Column("left", f"{_F}.left", "number", is_default=False),
            Column("expected_on", f"{_F}.expected_on", "date"),
            Column("supplier", f"{_F}.supplier"),
            Column(
                "state",
                f"{_F}.state",
                "badge",
                text_prefix="inventory.incoming_states",
                tones={"expected": "info", "closed": "neutral"},
                sort=IncomingStock.id,
            ),
        ),
        default_sort="-state",
        search=lambda words: catalog.is_found(IncomingStock.product_id, words),
        filters=(
            Filter(
                "state",
                f"{_F}.state",
                lambda chosen: (
                    IncomingStock.closed_at.is_(None)
                    if "expected" in chosen
                    else IncomingStock.closed_at.is_not(None)
                ),
                options=[(one, f"inventory.incoming_states.{one}") for one in ("expected", "closed")],
            ),
        ),
        actions=(Link("inventory.pages.new_incoming", "inventory.vendor.new_incoming", _ADJUST, "plus"),),
        row_page="inventory.vendor.receive",
        row_id="incoming_id",
        prefix=INCOMING_PREFIX,
        icon="truck",
        has_intro=True,
    ),
)


def _positive(value: str) -> int:
    plain = value.replace(" ", "")
    if not (plain.isascii() and plain.isdigit()) or not 0 < int(plain) <= _MOST_UNITS:
        raise FieldProblem("ui.form.number")
    return int(plain)


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    product_id = catalog.find_product_id(ctx.session, values["sku"])
    if product_id is None:
        refused = FieldError("sku", "unknown", "inventory.track.unknown_sku", {"sku": values["sku"]})
        raise ValidationFailedError(errors=[refused])
    place = Place(product_id, public_id(WAREHOUSE_PREFIX, values["warehouse"]))
    expected = Expected(
        values["quantity"], values["expected_on"], values["supplier"] or None, values["note"] or None
    )
    incoming_service.create_incoming(ctx.session, ctx.vendor.id, place, expected)
    return ctx.url("inventory.vendor.incoming_list")


mount_form(
    router,
    FormSpec(
        "inventory.vendor.new_incoming",
        "inventory.new_incoming",
        (
            Field("sku", f"{_F}.sku", max_length=50),
            Field("warehouse", f"{_F}.warehouse", "select", options=lambda ctx: list(warehouse_options(ctx))),
            Field("quantity", f"{_F}.quantity", clean=_positive, attrs={"inputmode": "numeric"}),
            Field("expected_on", f"{_F}.expected_on", "date", is_required=False),
            Field("supplier", f"{_F}.supplier", is_required=False, max_length=100),
            Field("note", f"{_F}.note", "textarea", is_required=False, max_length=500),
        ),
        _create,
        back=lambda ctx: (ctx.url("inventory.vendor.incoming_list"), ctx.t("inventory.pages.incoming_list")),
    ),
)


def _incoming(ctx: PageContext) -> IncomingStock:
    return incoming_service.get_incoming(ctx.session, public_id(INCOMING_PREFIX, ctx.path["incoming_id"]))


def _receive_fields(ctx: PageContext) -> list[Field]:
    found = _incoming(ctx)
    product = catalog.get_product(ctx.session, found.product_id, language=ctx.language).summary
    figures = {"quantity": found.quantity, "received": found.received}
    shown = {name: format_number(ctx.language, value) for name, value in figures.items()}
    return [
        Field("what", "", "note", label=f"{product.sku} · {product.title}"),
        Field("now", "", "note", label=ctx.t("inventory.receive.now", **shown)),
        Field("quantity", f"{_F}.arrived", "number", attrs={"inputmode": "numeric"}),
        Field(
            "bin_location",
            f"{_F}.bin_location",
            is_required=False,
            max_length=60,
            hint_key="inventory.adjust.bin_hint",
        ),
        Field(
            "is_last", f"{_F}.is_last", "checkbox", is_required=False, hint_key="inventory.receive.last_hint"
        ),
    ]


def _receive(ctx: PageContext, values: Mapping[str, Any]) -> str:
    if values["quantity"] < 0:
        raise ValidationFailedError(errors=[FieldError("quantity", "number", "ui.form.number", {})])
    try:
        incoming_service.receive(
            ctx.session,
            _incoming(ctx),
            values["quantity"],
            bin_location=values["bin_location"],
            user_id=ctx.who.user_id,
            is_last=values["is_last"],
        )
    except DeliveryClosedError as error:
        refused = FieldError("quantity", "too_many", "inventory.receive.too_many", error.params)
        raise ValidationFailedError(errors=[refused]) from None
    return ctx.url("inventory.vendor.incoming_list")


def _receive_load(ctx: PageContext) -> Mapping[str, Any]:
    found = _incoming(ctx)
    return {"quantity": found.quantity - found.received, "version": found.version}


mount_form(
    router,
    FormSpec(
        "inventory.vendor.receive",
        "inventory.receive",
        _receive_fields,
        _receive,
        load=_receive_load,
        back=lambda ctx: (ctx.url("inventory.vendor.incoming_list"), ctx.t("inventory.pages.incoming_list")),
    ),
)
