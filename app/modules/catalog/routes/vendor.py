"""The vendor's products."""

from typing import Any

from fastapi import Response

from app.core.i18n import ntranslate
from app.core.ids import to_public
from app.modules.catalog.contracts import PRODUCT_FIELDS, ProductDetail, ProductPage, display_gtin
from app.modules.catalog.enums import Availability
from app.modules.catalog.services import product_service
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_PREFIX = "prd"
_TONES = {"in_stock": "success", "out_of_stock": "warning", "preorder": "info", "backorder": "info"}
# Shown with the price, as pictures, or in the heading.
_SHOWN_APART = frozenset(
    {
        "price_cents",
        "currency",
        "sale_price_cents",
        "sale_starts_at",
        "sale_ends_at",
        "additional_image_links",
    }
)


@router.page("catalog.vendor.products")
def products(
    ctx: PageContext, q: str = "", availability: str = "", after: str = "", before: str = ""
) -> Response:
    """Products by SKU, 50 a page; the address is the state."""
    query = q.strip()[:200]
    chosen = Availability(availability) if availability in set(Availability) else None
    page = product_service.list_products(
        ctx.session,
        language=ctx.language,
        query=query,
        availability=chosen,
        after=after or None,
        before=before or None,
    )
    filters = {"q": query, "availability": chosen.value if chosen else ""}
    return ctx.render(
        "catalog/vendor/products.html",
        products=page.products,
        query=query,
        availability=filters["availability"],
        is_filtered=any(filters.values()),
        options=[(value, ctx.t(f"catalog.availability.{value}")) for value in Availability],
        chips=_chips(ctx, filters),
        result_text=_result_text(ctx, page),
        previous_url=_url(ctx, filters, before=page.previous) if page.previous else None,
        next_url=_url(ctx, filters, after=page.next) if page.next else None,
        product_id=lambda product: to_public(_PREFIX, product.id),
        gtin=display_gtin,
        tones=_TONES,
    )


@router.page("catalog.vendor.product")
def product(ctx: PageContext, product_id: str) -> Response:
    """One product: facts, and its texts side by side."""
    found = product_service.get_product(ctx.session, public_id(_PREFIX, product_id), language=ctx.language)
    return ctx.render(
        "catalog/vendor/product.html",
        title=found.summary.title,
        product=found,
        facts=_facts(ctx, found),
        attributes=sorted(found.facts.attributes.items()),
        tones=_TONES,
    )


def _url(ctx: PageContext, filters: dict[str, str], **place: str) -> str:
    return ctx.url("catalog.vendor.products", **filters, **place)


def _chips(ctx: PageContext, filters: dict[str, str]) -> list[tuple[str, str]]:
    chosen = {name: value for name, value in filters.items() if value}
    return [
        (
            ctx.t(f"catalog.availability.{value}") if name == "availability" else f"“{value}”",
            _url(ctx, {**filters, name: ""}),
        )
        for name, value in chosen.items()
    ]


def _result_text(ctx: PageContext, page: ProductPage) -> str:
    text = ntranslate(ctx.language, "catalog.products.count", page.total)
    return ctx.t("catalog.products.more_than", text=text) if page.is_capped else text


def _facts(ctx: PageContext, found: ProductDetail) -> list[tuple[str, Any]]:
    """Label and value of what the product has, in the order of the columns."""
    facts = []
    for name in PRODUCT_FIELDS:
        value = getattr(found.facts, name)
        if name in _SHOWN_APART or value is None:
            continue
        if name == "gtin":
            value = display_gtin(value)
        elif name in ("availability", "condition"):
            value = ctx.t(f"catalog.{name}.{value}")
        label = ctx.t(f"catalog.fields.{name}")
        facts.append(
            (
                ctx.t("catalog.product.edited_field", field=label) if name in found.edited_fields else label,
                value,
            )
        )
    return facts
