"""Rules of the stock: for all products, and for one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core.ids import to_public
from app.modules.catalog import facade as catalog
from app.modules.catalog.contracts import ProductSummary
from app.modules.inventory.contracts import Rule
from app.modules.inventory.services import rule_service
from app.modules.inventory.services.product_part_service import PRODUCT_PREFIX
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_F = "inventory.fields"
CHANNELS = ("direct", "letzshop")
_MOST_UNITS = 10**9


def _units(typed: str) -> int:
    plain = typed.replace(" ", "")
    if not (plain.isascii() and plain.isdigit()) or int(plain) > _MOST_UNITS:
        raise FieldProblem("ui.form.number")
    return int(plain)


def _field(name: str, channel: str | None, section: str | None = None) -> Field:
    return Field(
        f"{name}_{channel}" if channel else name,
        f"{_F}.{name}",
        is_required=False,
        max_length=10,
        clean=_units,
        hint_key=f"inventory.rules.{name}_hint" if channel is None else None,
        section_key=section,
        attrs={"inputmode": "numeric"},
    )


_FIELDS = (
    _field("low_stock_level", None),
    _field("kept_back", None, "inventory.rules.all_channels"),
    _field("most_listed", None),
    *(
        _field(name, channel, f"inventory.channels.{channel}" if name == "kept_back" else None)
        for channel in CHANNELS
        for name in ("kept_back", "most_listed")
    ),
)


def _load(ctx: PageContext, product_id: UUID | None) -> Mapping[str, Any]:
    values: dict[str, Any] = {}
    for rule in rule_service.list_rules(ctx.session, product_id):
        ending = f"_{rule.channel}" if rule.channel else ""
        for name in ("low_stock_level", "kept_back", "most_listed"):
            value = getattr(rule, name)
            values[f"{name}{ending}"] = "" if value is None else value
    return values


def _save(ctx: PageContext, values: Mapping[str, Any], product_id: UUID | None) -> None:
    def given(name: str) -> int | None:
        value = values.get(name)
        return None if value in ("", None) else int(str(value))

    for channel in (None, *CHANNELS):
        ending = f"_{channel}" if channel else ""
        level = given("low_stock_level") if channel is None else None
        said = Rule(level, given(f"kept_back{ending}"), given(f"most_listed{ending}"))
        rule_service.set_rule(ctx.session, ctx.vendor.id, product_id, channel, said)


def _save_all(ctx: PageContext, values: Mapping[str, Any]) -> str:
    _save(ctx, values, None)
    return ctx.url("inventory.vendor.levels")


def _product_id(ctx: PageContext) -> UUID:
    return public_id(PRODUCT_PREFIX, ctx.path["product_id"])


def _product_page(ctx: PageContext) -> str:
    return ctx.url("catalog.vendor.product", product_id=to_public(PRODUCT_PREFIX, _product_id(ctx)))


def _save_product(ctx: PageContext, values: Mapping[str, Any]) -> str:
    _save(ctx, values, _product(ctx).id)
    return _product_page(ctx)


def _product(ctx: PageContext) -> ProductSummary:
    return catalog.get_product(ctx.session, _product_id(ctx), language=ctx.language).summary


def _sku(ctx: PageContext) -> str:
    return _product(ctx).sku


mount_form(
    router,
    FormSpec(
        "inventory.vendor.rules",
        "inventory.rules",
        _FIELDS,
        _save_all,
        load=lambda ctx: _load(ctx, None),
        back=lambda ctx: (ctx.url("inventory.vendor.levels"), ctx.t("inventory.pages.levels")),
        has_intro=True,
    ),
)
mount_form(
    router,
    FormSpec(
        "inventory.vendor.product_rules",
        "inventory.product_rules",
        _FIELDS,
        _save_product,
        load=lambda ctx: _load(ctx, _product_id(ctx)),
        back=lambda ctx: (_product_page(ctx), _sku(ctx)),
        has_intro=True,
    ),
)
