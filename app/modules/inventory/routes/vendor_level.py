"""A product at a place: its page, adjusting it, carrying it elsewhere, and tracking a product anew."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response

from app.core.errors import FieldError, ValidationFailedError
from app.core.i18n import format_number
from app.core.ids import from_public, to_public
from app.modules.catalog import facade as catalog
from app.modules.inventory.contracts import Outcome, Place
from app.modules.inventory.enums import Reason
from app.modules.inventory.exceptions import LevelNotFoundError, NotEnoughStockError
from app.modules.inventory.models.level import Level
from app.modules.inventory.routes.vendor import STATE_TONES
from app.modules.inventory.services import level_service, warehouse_service
from app.modules.inventory.services.list_service import product_places
from app.modules.inventory.services.product_part_service import (
    LEVEL_PREFIX,
    PRODUCT_PREFIX,
    movements_block,
    places_block,
)
from app.modules.inventory.services.warehouse_service import WAREHOUSE_PREFIX, warehouse_options
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_F = "inventory.fields"
_MOST_UNITS = 10**9


def _level(ctx: PageContext) -> Level:
    found = ctx.session.get(Level, public_id(LEVEL_PREFIX, ctx.path["level_id"]))
    if found is None:
        raise LevelNotFoundError
    return found


def _place(level: Level) -> Place:
    return Place(level.product_id, level.warehouse_id, level.bin_location)


@router.page("inventory.vendor.level")
def level(ctx: PageContext, level_id: str) -> Response:
    """One place of a product: its figures, the other places, and the ledger."""
    found = _level(ctx)
    row = next(one for one in product_places(ctx.session, found.product_id) if one.id == found.id)
    product_url = ctx.url("catalog.vendor.product", product_id=to_public(PRODUCT_PREFIX, found.product_id))
    facts = [
        Fact(ctx.t(f"{_F}.on_hand"), row.on_hand, "number"),
        Fact(ctx.t(f"{_F}.reserved"), row.reserved, "number"),
        Fact(ctx.t(f"{_F}.available"), row.available, "number"),
        Fact(ctx.t(f"{_F}.low_stock_level"), row.low_stock_level, "number"),
    ]
    about = [
        Fact(ctx.t(f"{_F}.sku"), row.sku, "code", product_url),
        Fact(ctx.t(f"{_F}.warehouse"), row.warehouse, "code"),
        Fact(ctx.t(f"{_F}.bin_location"), row.bin_location or None, "code"),
        Fact(ctx.t(f"{_F}.changed_at"), row.updated_at, "datetime"),
    ]
    actions = []
    if "inventory.stock.adjust" in ctx.who.permissions:
        actions = [
            _link(ctx, "adjust", level_id, "pencil", is_first=True),
            _link(ctx, "transfer", level_id, "truck"),
        ]
    return show_detail(
        ctx,
        Detail(
            found.id,
            " · ".join(filter(None, [row.sku, row.warehouse, row.bin_location])),
            (
                Block("figures", ctx.t("inventory.blocks.figures"), facts, order=5),
                Block("about", ctx.t("inventory.blocks.about"), about, column="side", order=5),
                places_block(ctx, found.product_id),
                movements_block(ctx, found.product_id),
            ),
            subtitle=row.title,
            back=(ctx.url("inventory.vendor.levels"), ctx.t("inventory.pages.levels")),
            badges=((STATE_TONES[row.state], ctx.t(f"inventory.states.{row.state}")),),
            actions=actions,
            target=level_id,
        ),
    )


def _link(ctx: PageContext, act: str, level_id: str, icon: str, *, is_first: bool = False) -> Action:
    url = ctx.url(f"inventory.vendor.{act}", level_id=level_id)
    return Action(
        ctx.t(f"inventory.actions.{act}"), url, icon, "primary" if is_first else "secondary", is_post=False
    )


def _here(ctx: PageContext) -> tuple[str, str]:
    row = _level(ctx)
    url = ctx.url("inventory.vendor.level", level_id=ctx.path["level_id"])
    return url, catalog.get_product(ctx.session, row.product_id, language=ctx.language).summary.sku


def _figures_text(ctx: PageContext) -> str:
    row = _level(ctx)
    figures = {"on_hand": row.on_hand, "reserved": row.reserved, "available": row.on_hand - row.reserved}
    return ctx.t(
        "inventory.adjust.now",
        **{name: format_number(ctx.language, value) for name, value in figures.items()},
    )


def _refused(error: NotEnoughStockError) -> ValidationFailedError:
    refused = FieldError("units", "not_enough", "inventory.adjust.not_enough", error.params)
    return ValidationFailedError(errors=[refused])


def _said(ctx: PageContext, done: Outcome) -> None:
    before, after = format_number(ctx.language, done.before), format_number(ctx.language, done.after)
    ctx.flash("success", "inventory.adjust.done", before=before, after=after)


def _units(*, is_signed: bool) -> Any:
    def clean(typed: str) -> int:
        plain = typed.replace(" ", "").replace("−", "-")
        head = plain[1:] if is_signed and plain[:1] in "+-" else plain
        if not (head.isascii() and head.isdigit()) or int(head) > _MOST_UNITS:
            raise FieldProblem("ui.form.number")
        return int(plain)

    return clean


def _adjust_fields(ctx: PageContext) -> list[Field]:
    return [
        Field("now", "", "note", label=_figures_text(ctx)),
        Field(
            "mode",
            f"{_F}.mode",
            "radios",
            options=[(mode, f"inventory.adjust.{mode}") for mode in ("change", "set")],
        ),
        Field(
            "units",
            f"{_F}.units",
            max_length=12,
            clean=_units(is_signed=True),
            hint_key="inventory.adjust.units_hint",
            attrs={"inputmode": "text"},
        ),
        Field(
            "reason",
            f"{_F}.reason",
            "select",
            options=[
                ("", "inventory.adjust.choose"),
                *((one.value, f"inventory.reasons.{one}") for one in Reason),
            ],
        ),
        Field("note", f"{_F}.note", "textarea", is_required=False, max_length=500),
    ]


def _adjust(ctx: PageContext, values: Mapping[str, Any]) -> str:
    place, units, is_set = _place(_level(ctx)), values["units"], values["mode"] == "set"
    if is_set and units < 0:
        raise ValidationFailedError(errors=[FieldError("units", "number", "ui.form.number", {})])
    act = level_service.set_level if is_set else level_service.adjust
    try:
        done = act(
            ctx.session,
            place,
            units,
            Reason(values["reason"]),
            note=values["note"] or None,
            user_id=ctx.who.user_id,
        )
    except NotEnoughStockError as error:
        raise _refused(error) from None
    _said(ctx, done)
    return ctx.url("inventory.vendor.level", level_id=ctx.path["level_id"])


mount_form(
    router,
    FormSpec(
        "inventory.vendor.adjust",
        "inventory.adjust",
        _adjust_fields,
        _adjust,
        load=lambda _ctx: {"mode": "change"},
        back=_here,
    ),
)


def _transfer_fields(ctx: PageContext) -> list[Field]:
    return [
        Field("now", "", "note", label=_figures_text(ctx)),
        Field(
            "units",
            f"{_F}.units",
            max_length=12,
            clean=_units(is_signed=False),
            attrs={"inputmode": "numeric"},
        ),
        *_target_fields(ctx),
        Field("note", f"{_F}.note", "textarea", is_required=False, max_length=500),
    ]


def _target_fields(ctx: PageContext) -> list[Field]:
    found = warehouse_service.list_warehouses(ctx.session)
    if not found:
        warehouse_service.default_warehouse(ctx.session, ctx.vendor.id)
    return [
        Field("warehouse", f"{_F}.warehouse", "select", options=lambda ctx: list(warehouse_options(ctx))),
        Field(
            "bin_location",
            f"{_F}.bin_location",
            is_required=False,
            max_length=60,
            hint_key="inventory.adjust.bin_hint",
        ),
    ]


def _transfer(ctx: PageContext, values: Mapping[str, Any]) -> str:
    origin = _place(_level(ctx))
    target = Place(
        origin.product_id, public_id(WAREHOUSE_PREFIX, values["warehouse"]), values["bin_location"]
    )
    if target == origin:
        refused = FieldError("warehouse", "same", "inventory.transfer.same", {})
        raise ValidationFailedError(errors=[refused])
    try:
        done = level_service.transfer(
            ctx.session, origin, target, values["units"], note=values["note"] or None, user_id=ctx.who.user_id
        )
    except NotEnoughStockError as error:
        raise _refused(error) from None
    _said(ctx, done)
    return ctx.url("inventory.vendor.level", level_id=ctx.path["level_id"])


mount_form(
    router,
    FormSpec("inventory.vendor.transfer", "inventory.transfer", _transfer_fields, _transfer, back=_here),
)


def _track_fields(ctx: PageContext) -> list[Field]:
    return [
        Field("sku", f"{_F}.sku", max_length=50),
        *_target_fields(ctx),
        Field(
            "units",
            f"{_F}.on_hand",
            max_length=12,
            clean=_units(is_signed=False),
            attrs={"inputmode": "numeric"},
        ),
        Field(
            "reason",
            f"{_F}.reason",
            "select",
            options=[
                ("", "inventory.adjust.choose"),
                *((one.value, f"inventory.reasons.{one}") for one in Reason),
            ],
        ),
    ]


def _track_load(ctx: PageContext) -> Mapping[str, Any]:
    key = from_public(PRODUCT_PREFIX, ctx.request.query_params.get("product", ""))
    if key is None:
        return {}
    return {"sku": catalog.get_product(ctx.session, key, language=ctx.language).summary.sku}


def _track(ctx: PageContext, values: Mapping[str, Any]) -> str:
    product_id = catalog.find_product_id(ctx.session, values["sku"])
    if product_id is None:
        refused = FieldError("sku", "unknown", "inventory.track.unknown_sku", {"sku": values["sku"]})
        raise ValidationFailedError(errors=[refused])
    warehouse_id = public_id(WAREHOUSE_PREFIX, values["warehouse"])
    place = Place(product_id, warehouse_id, values["bin_location"])
    try:
        done = level_service.set_level(
            ctx.session, place, values["units"], Reason(values["reason"]), user_id=ctx.who.user_id
        )
    except NotEnoughStockError as error:
        raise _refused(error) from None
    _said(ctx, done)
    row = next(
        one
        for one in product_places(ctx.session, product_id)
        if (one.warehouse_id, one.bin_location) == (warehouse_id, values["bin_location"])
    )
    return ctx.url("inventory.vendor.level", level_id=to_public(LEVEL_PREFIX, row.id))


mount_form(
    router,
    FormSpec(
        "inventory.vendor.track",
        "inventory.track",
        _track_fields,
        _track,
        load=_track_load,
        back=lambda ctx: (ctx.url("inventory.vendor.levels"), ctx.t("inventory.pages.levels")),
        has_intro=True,
    ),
)
