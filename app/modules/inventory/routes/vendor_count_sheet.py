"""Counting on a page: a row for each place, into which people type what lies there."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Form, Response

from app.core import clock
from app.core.i18n import format_datetime
from app.core.ids import from_public, to_public
from app.modules.inventory.enums import CountStatus
from app.modules.inventory.models.planning import StockCount
from app.modules.inventory.services import count_service, list_service, warehouse_service
from app.modules.inventory.services.count_service import COUNT_PREFIX
from app.modules.inventory.services.product_part_service import LEVEL_PREFIX
from app.modules.inventory.services.warehouse_service import WAREHOUSE_PREFIX
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")
MOST_ROWS = 100


@router.page("inventory.vendor.count_sheet")
def count_sheet(
    ctx: PageContext, q: str = "", warehouse: str = "", after: str = "", count: str = ""
) -> Response:
    """The places that are to be counted: those of a warehouse, or what a search finds. ``after``: those that come
    after a place; ``count``: what was typed before is in this one."""
    words = q.strip()
    rows = list_service.places_to_count(
        *(ctx.session, ctx.language, words, from_public(WAREHOUSE_PREFIX, warehouse)),
        after=from_public(LEVEL_PREFIX, after),
        limit=MOST_ROWS + 1,
    )
    begun = _begun(ctx, count)
    return ctx.render(
        "inventory/vendor/count_sheet.html",
        rows=[(to_public(LEVEL_PREFIX, row.id), row) for row in rows[:MOST_ROWS]],
        is_full=len(rows) > MOST_ROWS,
        most=MOST_ROWS,
        query=words,
        warehouse=warehouse,
        warehouses=warehouse_service.warehouse_options(ctx),
        suggested=format_datetime(ctx.language, clock.now(), timezone=ctx.time_zone),
        begun=(count, begun.name, count_service.count_lines(ctx.session, begun.id)[0]) if begun else None,
    )


@router.action("/inventory/counts/sheet", permission="inventory.stock.adjust")
def draw_up(
    ctx: PageContext,
    place: Annotated[Sequence[str], Form()] = (),
    units: Annotated[Sequence[str], Form()] = (),
    name: Annotated[str, Form()] = "",
    then: Annotated[str, Form()] = "",
    count: str = "",
) -> Response:
    """Make a count of the rows in which something was typed, or add them to the one that was begun; the stock is
    changed once it is applied. ``then``: next, for the places that come after these."""
    typed = {
        key: said.strip()
        for shown, said in zip(place, units, strict=False)
        if said.strip() and (key := from_public(LEVEL_PREFIX, shown))
    }
    places = list_service.places_of(ctx.session, list(typed)[:MOST_ROWS])
    rows = [(*found, typed[key], "") for key, found in places.items()]
    begun = _begun(ctx, count)
    if begun is not None:
        count_service.add_rows(ctx.session, begun, rows)
    elif rows:
        title = name.strip()[:100] or format_datetime(ctx.language, clock.now(), timezone=ctx.time_zone)
        begun = count_service.create_count(ctx.session, ctx.vendor.id, title, rows, user_id=ctx.who.user_id)
    count_id = to_public(COUNT_PREFIX, begun.id) if begun else ""
    if then == "next" and place:
        asked = {one: ctx.request.query_params.get(one, "") for one in ("q", "warehouse")}
        return ctx.redirect("inventory.vendor.count_sheet", **asked, after=place[-1], count=count_id)
    if begun is None:
        ctx.flash("danger", "inventory.count_sheet.nothing")
        return ctx.redirect("inventory.vendor.count_sheet")
    return ctx.redirect("inventory.vendor.count", count_id=count_id)


def _begun(ctx: PageContext, count: str) -> StockCount | None:
    """The open count to which the sheet adds."""
    key = from_public(COUNT_PREFIX, count)
    found = count_service.get_count(ctx.session, key) if key else None
    return found if found is not None and found.status == CountStatus.OPEN else None
