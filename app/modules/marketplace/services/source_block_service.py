"""The feed's values beside the catalogue's, as a block of a product's page and of a row's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import literal

from app.core.i18n import format_date, format_money
from app.core.ids import to_public
from app.modules.catalog import facade as catalog
from app.modules.catalog.contracts import ProductDetail, display_gtin
from app.modules.marketplace.services import source_service
from app.modules.marketplace.services.source_service import SOURCE_PREFIX, Difference
from app.modules.pagekit.details import Block
from app.modules.pages import PageContext

COPY = "marketplace.products.copy"


@dataclass(frozen=True, slots=True)
class ShownDifference:
    """A line of the table: what the field is called, both values, which field to reset, where it is explained."""

    label: str
    ours: str
    theirs: str
    is_same: bool
    field: str
    language: str
    origin_url: str


def product_blocks(ctx: PageContext, page_id: str, record_id: UUID) -> Sequence[Block]:
    """On a product's page: the rows it came from, and every edited field beside what the feed says."""
    if page_id != "catalog.vendor.product" or "marketplace.products.view" not in ctx.who.permissions:
        return ()
    sources = source_service.list_languages(ctx.session, catalog.sku_of(literal(record_id)))
    if not sources:
        return ()
    product = catalog.get_product(ctx.session, record_id, language=ctx.language)
    links = [
        (
            row.language,
            ctx.url("marketplace.vendor.source", source_id=to_public(SOURCE_PREFIX, row.id)),
            row.updated_at,
        )
        for row in sources
    ]
    return (difference_block(ctx, product, links=links),)


def difference_block(ctx: PageContext, product: ProductDetail, *, links: Sequence[Any] = ()) -> Block:
    """The table of differences, with buttons for those who may change products."""
    url = ctx.url("catalog.vendor.product", product_id=to_public("prd", product.summary.id))
    origin_url = ctx.url("marketplace.vendor.origin", product_id=to_public("prd", product.summary.id))
    found = source_service.list_differences(ctx.session, product)
    context = {
        "links": links,
        "origin_url": origin_url,
        "differences": [_shown(ctx, one, product.summary.currency, origin_url) for one in found],
        "reset_url": f"{url}/feed-value" if COPY in ctx.who.permissions else None,
    }
    return Block(
        "source",
        ctx.t("marketplace.source_block.title"),
        template="marketplace/vendor/differences.html",
        context=context,
        column="full",
        order=15,
    )


def _shown(ctx: PageContext, found: Difference, currency: str, origin_url: str) -> ShownDifference:
    label = ctx.t(f"catalog.fields.{found.field}")
    if found.language:
        label = f"{label} ({ctx.t(f'core.languages.{found.language}')})"
    return ShownDifference(
        label,
        value_text(ctx, found.field, found.ours, currency),
        value_text(ctx, found.field, found.theirs, currency),
        found.ours == found.theirs,
        found.field,
        found.language or "",
        f"{origin_url}?{urlencode({'field': found.field, 'language': found.language or ''})}",
    )


def value_text(ctx: PageContext, field: str, value: Any, currency: str) -> str:
    """A value of the catalogue as people read it; "" for none."""
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return ctx.t("ui.yes" if value else "ui.no")
    if field.endswith("_cents"):
        return format_money(ctx.language, value, currency)
    if field == "gtin":
        return display_gtin(value)
    if field in ("availability", "condition"):
        return ctx.t(f"catalog.{field}.{value}")
    if isinstance(value, datetime | date):
        return format_date(ctx.language, value.date() if isinstance(value, datetime) else value)
    return ", ".join(value) if isinstance(value, list) else str(value)
