"""The marketplace's figures on the vendor's home page."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.core.ids import to_public
from app.modules.core.contracts import Tile
from app.modules.marketplace.services.import_service import IMPORT_PREFIX, list_imports
from app.modules.pages import PageContext


def vendor_tiles(ctx: PageContext, session: Session) -> Sequence[Tile]:
    """How many rows of the last import failed."""
    if "marketplace.imports.view" not in ctx.who.permissions:
        return ()
    last = next(iter(list_imports(session, limit=1)), None)
    if last is None:
        return ()
    row = last.row
    url = ctx.url("marketplace.vendor.import", import_id=to_public(IMPORT_PREFIX, row.id))
    tone = "warning" if row.failed else "success"
    return (Tile(ctx.t("marketplace.tiles.failed_rows"), row.failed, url, tone, row.source_name[-60:]),)
