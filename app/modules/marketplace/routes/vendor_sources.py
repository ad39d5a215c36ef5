"""The rows that feeds brought: browsing them, comparing them with the catalogue, copying them into it."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Form, Response
from sqlalchemy.orm import Session

from app.core.ids import to_public
from app.modules.catalog import facade as catalog
from app.modules.marketplace.models.marketplace_product import MarketplaceProduct
from app.modules.marketplace.routes.vendor import LANGUAGE_OPTIONS
from app.modules.marketplace.services import source_block_service, source_service
from app.modules.marketplace.services.feed_columns import COLUMN_FIELDS
from app.modules.marketplace.services.import_service import IMPORT_PREFIX
from app.modules.marketplace.services.source_block_service import COPY
from app.modules.marketplace.services.source_service import SOURCE_PREFIX
from app.modules.pagekit.details import Action, Block, Detail, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, Link, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_AVAILABILITY = ("in_stock", "out_of_stock", "preorder", "backorder")
_TONES = {"in_stock": "success", "out_of_stock": "warning", "preorder": "info", "backorder": "info"}


def _copy(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    made = source_service.copy_to_catalogue(session, ids)
    left = source_service.list_uncopied(session, ids) if catalog.is_full(session) else ()
    return BulkOutcome(made, dict.fromkeys(left, "catalog.limits.full"))


mount_list(
    router,
    ListSpec(
        page_id="marketplace.vendor.sources",
        texts="marketplace.sources_list",
        select=lambda _session, _language: source_service.select_sources(),
        key=MarketplaceProduct.id,
        columns=(
            Column("title", "marketplace.fields.title", is_wide=True),
            Column("external_id", "marketplace.fields.external_id", "code"),
            Column("language", "marketplace.fields.language", text_prefix="core.languages"),
            Column("price_cents", "marketplace.fields.price", "money"),
            Column(
                "availability",
                "marketplace.fields.availability",
                "badge",
                text_prefix="catalog.availability",
                tones=_TONES,
            ),
            Column(
                "product_id",
                "marketplace.fields.in_catalogue",
                "flag",
                value=lambda row: row.product_id is not None,
            ),
            Column("updated_at", "marketplace.fields.updated_at", "datetime"),
            # By id, which grows with time and has an index.
            Column(
                "created_at",
                "marketplace.fields.first_seen",
                "datetime",
                sort=MarketplaceProduct.id,
                is_default=False,
            ),
        ),
        default_sort="-created_at",
        search=source_service.matching,
        filters=(
            Filter(
                "language",
                "marketplace.fields.language",
                lambda values: MarketplaceProduct.language.in_(values),
                options=LANGUAGE_OPTIONS,
            ),
            Filter(
                "catalogue",
                "marketplace.fields.in_catalogue",
                source_service.in_catalogue,
                options=(("yes", "ui.yes"), ("no", "ui.no")),
            ),
            Filter(
                "availability",
                "marketplace.fields.availability",
                lambda values: MarketplaceProduct.availability.in_(values),
                options=[(value, f"catalog.availability.{value}") for value in _AVAILABILITY],
            ),
            Filter("import", "marketplace.import.title", source_service.of_import, kind="text"),
        ),
        bulk=(BulkAction("copy", "marketplace.sources_list.copy", COPY, _copy, icon="copy"),),
        views=(View("new", "marketplace.sources_list.views.new", "catalogue=no"),),
        actions=(
            Link(
                "marketplace.imports.new",
                "marketplace.vendor.new_import",
                "marketplace.imports.create",
                "upload",
            ),
        ),
        row_page="marketplace.vendor.source",
        row_id="source_id",
        prefix=SOURCE_PREFIX,
        icon="boxes",
        has_intro=True,
    ),
)


@router.page("marketplace.vendor.source")
def source(ctx: PageContext, source_id: str) -> Response:
    """What the feeds of all languages say of one id, and the product that it has become."""
    row = source_service.get_source(ctx.session, public_id(SOURCE_PREFIX, source_id))
    rows = source_service.list_languages(ctx.session, row.external_id)
    product_id = catalog.find_product_id(ctx.session, row.external_id)
    found = {name for one in rows for name in one.raw}
    names = [*(name for name in COLUMN_FIELDS if name in found), *sorted(found - COLUMN_FIELDS.keys())]
    cells = Block(
        "cells",
        ctx.t("marketplace.source.cells"),
        template="marketplace/vendor/source_cells.html",
        context={
            "rows": rows,
            "import_urls": [_import_url(ctx, one) for one in rows],
            "lines": [(name, [one.raw.get(name, "") for one in rows]) for name in names],
        },
        column="full",
        text=ctx.t("marketplace.source.cells_text"),
        order=10,
        is_flush=True,
    )
    blocks = [cells]
    if product_id:
        product = catalog.get_product(ctx.session, product_id, language=ctx.language)
        blocks.append(source_block_service.difference_block(ctx, product))
    badge = (
        ("success", "marketplace.source.is_product")
        if product_id
        else ("neutral", "marketplace.source.no_product")
    )
    return show_detail(
        ctx,
        Detail(
            row.id,
            row.title,
            blocks,
            subtitle=ctx.t("marketplace.source.subtitle", id=row.external_id),
            back=(ctx.url("marketplace.vendor.sources"), ctx.t("marketplace.sources_list.title")),
            badges=[(badge[0], ctx.t(badge[1]))],
            actions=_actions(ctx, source_id, product_id),
        ),
    )


@router.action("/marketplace-products/{source_id}/copy", permission=COPY)
def copy_source(ctx: PageContext, source_id: str) -> Response:
    """Make a product of a row that is none."""
    row = source_service.get_source(ctx.session, public_id(SOURCE_PREFIX, source_id))
    source_service.copy_to_catalogue(ctx.session, [row.id])
    product_id = catalog.find_product_id(ctx.session, row.external_id)
    if product_id is None:
        key = "catalog.limits.full" if catalog.is_full(ctx.session) else "marketplace.source.not_copied"
        ctx.flash("warning", key)
        return ctx.redirect("marketplace.vendor.source", source_id=source_id)
    ctx.flash("success", "marketplace.source.copied")
    return ctx.redirect("catalog.vendor.product", product_id=to_public("prd", product_id))


@router.action("/products/{product_id}/feed-value", permission=COPY)
def take_feed_value(
    ctx: PageContext,
    product_id: str,
    field: Annotated[str, Form()] = "",
    language: Annotated[str, Form()] = "",
) -> Response:
    """Give an edited field of a product the feed's value again."""
    source_service.take_value(
        ctx.session, public_id("prd", product_id), field, language or None, reader_language=ctx.language
    )
    ctx.flash("success", "marketplace.source_block.done")
    return ctx.redirect("catalog.vendor.product", product_id=product_id)


def _actions(ctx: PageContext, source_id: str, product_id: UUID | None) -> list[Action]:
    if product_id:
        url = ctx.url("catalog.vendor.product", product_id=to_public("prd", product_id))
        return [Action(ctx.t("marketplace.source.open_product"), url, "package", "primary", is_post=False)]
    if COPY not in ctx.who.permissions:
        return []
    url = ctx.url("marketplace.vendor.source", source_id=source_id)
    return [Action(ctx.t("marketplace.sources_list.copy"), f"{url}/copy", "copy", "primary")]


def _import_url(ctx: PageContext, row: MarketplaceProduct) -> str:
    return ctx.url("marketplace.vendor.import", import_id=to_public(IMPORT_PREFIX, row.import_id))
