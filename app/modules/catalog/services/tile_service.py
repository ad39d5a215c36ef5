"""The catalogue's figures on the vendor's home page."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.modules.catalog.services.product_service import MAX_COUNTED, count_products
from app.modules.core.contracts import Tile
from app.modules.pages import PageContext


def vendor_tiles(ctx: PageContext, session: Session) -> Sequence[Tile]:
    """How many products there are."""
    if "catalog.products.view" not in ctx.who.permissions:
        return ()
    total = count_products(session)
    hint = ctx.t("catalog.tiles.products_many") if total > MAX_COUNTED else ""
    url = ctx.url("catalog.vendor.products")
    return (Tile(ctx.t("catalog.tiles.products"), min(total, MAX_COUNTED), url, hint=hint),)
