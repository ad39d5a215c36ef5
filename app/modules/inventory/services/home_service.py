"""What the stock puts on the vendor's home page, and tells people by itself."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.modules.core.contracts import NotificationKind, WorkItem
from app.modules.inventory.services.change_service import LOW
from app.modules.inventory.services.list_service import count_low
from app.modules.pages import PageContext


def worklist(ctx: PageContext, session: Session) -> Sequence[WorkItem]:
    """Products of which little is left."""
    if ctx.area != "vendor" or "inventory.stock.view" not in ctx.who.permissions:
        return ()
    low = count_low(session)
    if not low:
        return ()
    url = ctx.url("inventory.vendor.levels") + "?state=low&state=out"
    return (WorkItem(ctx.t("inventory.worklist.low"), low, url, "warning"),)


def kinds() -> Sequence[NotificationKind]:
    """That little is left of a product."""
    return (NotificationKind(LOW, "inventory.notifications.stock_low", by_email=True, areas=("vendor",)),)
