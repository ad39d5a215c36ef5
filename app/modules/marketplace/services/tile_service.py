"""The marketplace's figures on the home pages."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.ids import to_public
from app.modules.core.contracts import Tile
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.services import channel_home_service
from app.modules.marketplace.services.import_service import IMPORT_PREFIX, list_imports
from app.modules.pages import PageContext


def vendor_tiles(ctx: PageContext, session: Session) -> Sequence[Tile]:
    """Orders that marketplaces wait for, and how many rows of the last import failed."""
    return [*channel_home_service.tiles(ctx, session), *_of_imports(ctx, session)]


def admin_tiles(ctx: PageContext, session: Session) -> Sequence[Tile]:
    """Connections to marketplaces that fail."""
    if "marketplace.channels.view" not in ctx.who.permissions:
        return ()
    failing = select(func.count()).select_from(Connection).where(Connection.is_on, Connection.failures > 0)
    count = session.scalar(failing) or 0
    url = ctx.url("marketplace.admin.hub", tab="settings")
    return (Tile(ctx.t("marketplace.tiles.failing"), count, url, "danger" if count else "success"),)


def _of_imports(ctx: PageContext, session: Session) -> Sequence[Tile]:
    if "marketplace.imports.view" not in ctx.who.permissions:
        return ()
    last = next(iter(list_imports(session, limit=1)), None)
    if last is None:
        return ()
    row = last.row
    url = ctx.url("marketplace.vendor.import", import_id=to_public(IMPORT_PREFIX, row.id))
    tone = "warning" if row.failed else "success"
    return (Tile(ctx.t("marketplace.tiles.failed_rows"), row.failed, url, tone, row.source_name[-60:]),)
