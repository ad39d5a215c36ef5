"""The home page of both areas, and going somewhere by typing."""

from fastapi import Response

from app.modules.core.contracts import ADMIN_TILES, VENDOR_TILES
from app.modules.core.services.home_service import collect_steps, collect_tiles, collect_worklist
from app.modules.pagekit.palette import show_palette
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("admin", "vendor")


@router.page("core.{area}.home")
def home(ctx: PageContext) -> Response:
    """What waits, what is left to set up, and figures of all modules."""
    is_vendor = ctx.area == "vendor"
    steps = collect_steps(ctx) if is_vendor else []
    done = sum(step.is_done for step in steps)
    return ctx.render(
        "core/home.html",
        worklist=collect_worklist(ctx),
        steps=steps if done < len(steps) else [],
        steps_done=done,
        tiles=collect_tiles(ctx, VENDOR_TILES if is_vendor else ADMIN_TILES),
    )


@router.page("core.{area}.palette")
def palette(ctx: PageContext, q: str = "") -> Response:
    """Pages, records and actions that fit what somebody types."""
    return show_palette(ctx, q.strip()[:100])
