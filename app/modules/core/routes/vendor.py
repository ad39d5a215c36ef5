"""The vendor's home."""

from fastapi import Response

from app.modules.core.contracts import VENDOR_TILES
from app.modules.core.services.home_service import collect_tiles
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")


@router.page("core.vendor.home")
def home(ctx: PageContext) -> Response:
    """Figures of all modules, each a link to its list."""
    return ctx.render("core/home.html", tiles=collect_tiles(ctx, VENDOR_TILES))
