"""The operator's home."""

from fastapi import Response

from app.modules.core.contracts import ADMIN_TILES
from app.modules.core.services.home_service import collect_tiles
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("admin")


@router.page("core.admin.home")
def home(ctx: PageContext) -> Response:
    """Figures of all modules, each a link to its list."""
    return ctx.render("core/home.html", tiles=collect_tiles(ctx, ADMIN_TILES))
