"""What the stock adds to the catalogue's pages: a column and a filter of the list, a block of a product's page."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import SQLColumnExpression, exists
from sqlalchemy.orm import Session

from app.core.ids import to_public
from app.modules.catalog.facade import get_product
from app.modules.inventory.models.level import Level
from app.modules.inventory.services.level_service import get_figures
from app.modules.inventory.services.list_service import product_places, recent_movements, states
from app.modules.pagekit.details import Block
from app.modules.pagekit.list_parts import ListPart
from app.modules.pagekit.lists import Column, Filter
from app.modules.pages import PageContext

LEVEL_PREFIX, PRODUCT_PREFIX = "stk", "prd"
SHOWN_MOVEMENTS = 12
_VIEW, _F = "inventory.stock.view", "inventory.fields"


def products_part(key: SQLColumnExpression[UUID]) -> ListPart:
    """What there is of each product; nothing where it is not tracked."""

    def in_state(chosen: Sequence[str]) -> Any:
        tracked = exists().where(Level.product_id == key)
        found = tracked & states(chosen, key)
        return found | ~tracked if "untracked" in chosen else found

    return ListPart(
        permission=_VIEW,
        columns=(
            Column("available", f"{_F}.available", "number"),
            Column("on_hand", f"{_F}.on_hand", "number"),
            Column("reserved", f"{_F}.reserved", "number"),
        ),
        values=_values,
        filters=(
            Filter(
                "stock",
                "inventory.list_part.stock",
                in_state,
                options=[(state, f"inventory.states.{state}") for state in ("ok", "low", "out", "untracked")],
            ),
        ),
    )


def _values(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
    return {
        key: {"available": found.available, "on_hand": found.on_hand, "reserved": found.reserved}
        for key, found in get_figures(session, ids).items()
    }


def product_blocks(ctx: PageContext, page_id: str, record_id: UUID) -> Sequence[Block]:
    """On a product's page: where it lies, and what became of it lately."""
    if page_id != "catalog.vendor.product" or _VIEW not in ctx.who.permissions:
        return ()
    return (places_block(ctx, record_id), movements_block(ctx, record_id))


def places_block(ctx: PageContext, product_id: UUID) -> Block:
    """The places of a product."""
    places = product_places(ctx.session, product_id)
    product = to_public(PRODUCT_PREFIX, product_id)
    can_adjust = "inventory.stock.adjust" in ctx.who.permissions
    context = {
        "places": [
            (row, ctx.url("inventory.vendor.level", level_id=to_public(LEVEL_PREFIX, row.id)))
            for row in places
        ],
        "total": get_figures(ctx.session, [product_id]).get(product_id),
        "track_url": ctx.url("inventory.vendor.track", product=product) if can_adjust else None,
        "rules_url": ctx.url("inventory.vendor.product_rules", product_id=product)
        if "inventory.settings.edit" in ctx.who.permissions
        else None,
    }
    title = ctx.t("inventory.blocks.places")
    template = "inventory/vendor/places.html"
    return Block("stock", title, template=template, context=context, column="full", order=16)


def movements_block(ctx: PageContext, product_id: UUID) -> Block:
    """The last lines of a product's ledger."""
    product = get_product(ctx.session, product_id, language=ctx.language)
    context = {
        "movements": recent_movements(ctx.session, product_id, limit=SHOWN_MOVEMENTS),
        "history_url": ctx.url("inventory.vendor.history", sku=product.summary.sku),
    }
    title = ctx.t("inventory.blocks.movements")
    template = "inventory/vendor/movements.html"
    return Block("movements", title, template=template, context=context, column="full", order=17)
