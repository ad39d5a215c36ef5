"""Counting on a page: a row for each place, into which people type what lies there."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Form, Response

from app.core import clock
from app.core.i18n import format_datetime
from app.core.ids import from_public, to_public
from app.modules.inventory.services import count_service, list_service, warehouse_service
from app.modules.inventory.services.count_service import COUNT_PREFIX
from app.modules.inventory.services.product_part_service import LEVEL_PREFIX
from app.modules.inventory.services.warehouse_service import WAREHOUSE_PREFIX
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")
MOST_ROWS = 100


@router.page("inventory.vendor.count_sheet")
def count_sheet(ctx: PageContext, q: str = "", warehouse: str = "") -> Response:
    """The places that are to be counted: those of a warehouse, or what a search finds."""
    words = q.strip()
    rows = list_service.places_to_count(
        *(ctx.session, ctx.language, words, from_public(WAREHOUSE_PREFIX, warehouse)), limit=MOST_ROWS + 1
    )
    return ctx.render(
        "inventory/vendor/count_sheet.html",
        rows=[(to_public(LEVEL_PREFIX, row.id), row) for row in rows[:MOST_ROWS]],
        is_full=len(rows) > MOST_ROWS,
        most=MOST_ROWS,
        query=words,
        warehouse=warehouse,
        warehouses=warehouse_service.warehouse_options(ctx),
        suggested=format_datetime(ctx.language, clock.now(), timezone=ctx.time_zone),
    )


@router.action("/inventory/counts/sheet", permission="inventory.stock.adjust")
def draw_up(
    ctx: PageContext,
    place: Annotated[Sequence[str], Form()] = (),
    units: Annotated[Sequence[str], Form()] = (),
    name: Annotated[str, Form()] = "",
) -> Response:
    """Make a count of the rows in which something was typed; the stock is changed once it is applied."""
    typed = {
        key: said.strip()
        for shown, said in zip(place, units, strict=False)
        if said.strip() and (key := from_public(LEVEL_PREFIX, shown))
    }
    places = list_service.places_of(ctx.session, list(typed)[:MOST_ROWS])
    rows = [(*found, typed[key], "") for key, found in places.items()]
    if not rows:
        ctx.flash("danger", "inventory.count_sheet.nothing")
        return ctx.redirect("inventory.vendor.count_sheet")
    title = name.strip()[:100] or format_datetime(ctx.language, clock.now(), timezone=ctx.time_zone)
    count = count_service.create_count(ctx.session, ctx.vendor.id, title, rows, user_id=ctx.who.user_id)
    return ctx.redirect("inventory.vendor.count", count_id=to_public(COUNT_PREFIX, count.id))
