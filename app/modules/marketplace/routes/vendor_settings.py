"""What a vendor's feeds go by."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from app.modules.marketplace.routes.vendor import LANGUAGE_OPTIONS
from app.modules.marketplace.services import feed_settings_service
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")

_TAX_RATES = ("17", "14", "8", "3", "0")
_DELIVERY_METHODS = ("nationwide", "package_delivery", "self_collect")
_PLAIN = ("default_language", "boost_sort", "delivery_method", "preorder_days")
_MAX_DAYS = 3650


def _boost(typed: str) -> Decimal:
    try:
        value = Decimal(typed.replace(",", "."))
    except InvalidOperation:
        raise FieldProblem("marketplace.feed_settings.boost_wrong") from None
    if not value.is_finite() or not 0 <= value <= 10 or value != value.quantize(Decimal("0.1")):
        raise FieldProblem("marketplace.feed_settings.boost_wrong")
    return value


def _days(typed: str) -> int:
    if not typed.isdecimal() or int(typed[:6]) > _MAX_DAYS:
        raise FieldProblem("marketplace.feed_settings.days_wrong")
    return int(typed)


_FIELDS = (
    Field(
        "default_language",
        "marketplace.feed_settings.default_language",
        "select",
        options=LANGUAGE_OPTIONS,
        hint_key="marketplace.feed_settings.default_language_hint",
    ),
    Field(
        "default_tax_rate",
        "marketplace.feed_settings.default_tax_rate",
        "select",
        options=[(rate, f"marketplace.tax_rates.{rate}") for rate in _TAX_RATES],
        section_key="marketplace.feed_settings.exports",
    ),
    Field(
        "delivery_method",
        "marketplace.feed_settings.delivery_method",
        "select",
        options=[(method, f"marketplace.delivery_methods.{method}") for method in _DELIVERY_METHODS],
    ),
    Field(
        "preorder_days",
        "marketplace.feed_settings.preorder_days",
        hint_key="marketplace.feed_settings.preorder_days_hint",
        clean=_days,
        attrs={"inputmode": "numeric"},
    ),
    Field(
        "boost_sort",
        "marketplace.feed_settings.boost_sort",
        hint_key="marketplace.feed_settings.boost_sort_hint",
        clean=_boost,
        attrs={"inputmode": "decimal"},
    ),
)


def _load(ctx: PageContext) -> Mapping[str, Any]:
    settings = feed_settings_service.find_feed_settings(ctx.session)
    if settings is None:  # the vendor is brand new
        return {"default_language": feed_settings_service.default_language(ctx.session)}
    values = {name: getattr(settings, name) for name in (*_PLAIN, "version")}
    values["default_tax_rate"] = str(settings.default_tax_rate)
    return values


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    wanted = {name: values[name] for name in _PLAIN}
    wanted["default_tax_rate"] = int(values["default_tax_rate"])
    feed_settings_service.change_feed_settings(ctx.session, vendor_id=ctx.vendor.id, values=wanted)
    return ctx.url("marketplace.vendor.feed_settings")


mount_form(
    router,
    FormSpec(
        "marketplace.vendor.feed_settings",
        "marketplace.feed_settings",
        _FIELDS,
        _save,
        load=_load,
        has_intro=True,
    ),
)
