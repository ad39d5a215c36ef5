"""How complete the catalogue is for each channel, and which products lack what."""

from collections.abc import Sequence
from typing import Any

from fastapi import Response
from sqlalchemy import ColumnElement, or_

from app.core.i18n import LANGUAGES
from app.modules.catalog.contracts import ProductCheck
from app.modules.marketplace.routes.vendor import LANGUAGE_OPTIONS
from app.modules.marketplace.services import completeness_service, feed_settings_service
from app.modules.marketplace.services.completeness_service import PRODUCT_KEY, PROFILES
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, ListSpec, RowLink
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")

_EDIT_PRODUCT = "catalog.products.edit"
# Checks of texts are about one language; the others are of the product.
_OF_TEXTS = (
    ProductCheck.TITLE,
    ProductCheck.TITLE_LENGTH,
    ProductCheck.DESCRIPTION,
    ProductCheck.DESCRIPTION_LENGTH,
    ProductCheck.LINK,
)


@router.page("marketplace.vendor.completeness")
def completeness(ctx: PageContext, channel: str = "", language: str = "") -> Response:
    """What a channel asks for, and how many products lack it."""
    channel = channel if channel in PROFILES else next(iter(PROFILES))
    language = language if language in LANGUAGES else feed_settings_service.default_language(ctx.session)
    found = completeness_service.completeness(ctx.session, channel, language=language)
    here, rows = ctx.url("marketplace.vendor.completeness"), ctx.url("marketplace.vendor.incomplete")
    tabs = [
        (ctx.t(f"marketplace.channels.{one}"), f"{here}?channel={one}&language={language}", one == channel)
        for one in PROFILES
    ]
    return ctx.render(
        "marketplace/vendor/completeness.html",
        found=found,
        tabs=tabs,
        here=here,
        languages=[(code, ctx.t(key)) for code, key in LANGUAGE_OPTIONS],
        items=[(one, f"{rows}?missing={_value(one.check, language)}") for one in found.items],
    )


def _value(check: ProductCheck, language: str) -> str:
    return f"{check}.{language}" if check in _OF_TEXTS else str(check)


def _options(ctx: PageContext) -> list[tuple[str, str]]:
    checks = list(dict.fromkeys(check for one in PROFILES.values() for check in _checks(one)))
    plain = [(str(check), ctx.t(f"marketplace.checks.{check}")) for check in checks if check not in _OF_TEXTS]
    return plain + [
        (_value(check, code), f"{ctx.t(f'marketplace.checks.{check}')} ({ctx.t(key)})")
        for code, key in LANGUAGE_OPTIONS
        for check in checks
        if check in _OF_TEXTS
    ]


def _checks(profile: Any) -> Sequence[ProductCheck]:
    return (*profile.required, *profile.recommended)


def _lacking(values: Sequence[str]) -> ColumnElement[bool]:
    parts = [value.partition(".") for value in values]
    return or_(
        *(completeness_service.lacking([check], language or LANGUAGES[0]) for check, _, language in parts)
    )


mount_list(
    router,
    ListSpec(
        page_id="marketplace.vendor.incomplete",
        texts="marketplace.incomplete",
        select=lambda _session, language: completeness_service.select_products(language),
        key=PRODUCT_KEY,
        columns=(
            Column("title", "marketplace.fields.title", is_wide=True),
            Column("sku", "marketplace.fields.external_id", "code"),
            Column("brand", "marketplace.fields.brand"),
            Column("price_cents", "marketplace.fields.price", "money"),
            # By id, which grows with time and has an index.
            Column("updated_at", "marketplace.fields.updated_at", "datetime", sort=PRODUCT_KEY),
        ),
        default_sort="-updated_at",
        filters=(Filter("missing", "marketplace.fields.missing_item", _lacking, options=_options),),
        row_page="catalog.vendor.product",
        row_id="product_id",
        row_links=(
            RowLink(
                "marketplace.incomplete.edit",
                "catalog.vendor.edit_product",
                "product_id",
                _EDIT_PRODUCT,
                icon="pencil",
            ),
        ),
        prefix="prd",
        icon="badge-check",
        has_intro=True,
    ),
)
