"""What a channel may sell, by SKU."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.database import ScopedSession, TenantScope
from app.core.i18n import FALLBACK
from app.modules.catalog import facade as catalog
from app.modules.marketplace.contracts import CHANNEL_STOCK


def vendor_of(session: Session) -> UUID:
    """The vendor in whose scope the session works."""
    assert isinstance(session, ScopedSession)
    assert isinstance(session.scope, TenantScope)
    return session.scope.vendor_id


def units_by_sku(session: Session, channel: str, skus: Sequence[str] | None = None) -> dict[str, int]:
    """Units that a channel may sell of each tracked product, or of these; nothing where nobody counts stock."""
    stock = CHANNEL_STOCK.find_for(vendor_of(session))
    if stock is None:
        return {}
    if skus is None:
        units = stock.available(session, channel, None)
        names = catalog.skus_by_id(session, units.keys())
    else:
        names = {one.id: one.sku for one in catalog.find_ordered(session, language=FALLBACK, skus=skus)}
        units = stock.available(session, channel, list(names))
    return {names[key]: count for key, count in units.items() if key in names}
