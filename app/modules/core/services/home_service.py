"""What the home pages show."""

from collections.abc import Sequence

from app.modules.core.contracts import Tile, TileProvider
from app.modules.pages import PageContext
from app.modules.providers import ProviderPoint


def collect_tiles(ctx: PageContext, point: ProviderPoint[TileProvider]) -> Sequence[Tile]:
    """The tiles of all enabled modules; a failing one is left out."""
    answers = point.collect(
        ctx.session, lambda provider: list(provider(ctx, ctx.session)), ctx.who.platform_ids
    )
    return [tile for tiles in answers for tile in tiles]
