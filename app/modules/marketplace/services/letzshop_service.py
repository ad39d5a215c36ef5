"""Letzshop as a connector: its lines to vendors, and its directory of shops."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.modules.marketplace.adapters.letzshop import names
from app.modules.marketplace.adapters.letzshop.channel import PAGE, LetzshopChannel, read_pages
from app.modules.marketplace.adapters.letzshop.client import LetzshopClient
from app.modules.marketplace.adapters.letzshop.reader import CODE, NAME, read_shop
from app.modules.marketplace.contracts import Ability, Access, AccessField, CheckReport, DirectoryPage
from app.modules.marketplace.exceptions import ChannelNotConfiguredError, SchemaDriftError
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.directory_shop import ListedShop
from app.modules.marketplace.services import letzshop_credentials_service as credentials

_LABELS, _HINTS = "marketplace.connection_fields", "marketplace.connection_key"


class LetzshopConnector:
    """Everything but stock: what is available stands in the feeds, which Letzshop fetches."""

    code, name = CODE, NAME
    abilities = frozenset(Ability) - {Ability.STOCK}
    fields: tuple[AccessField, ...] = (
        AccessField("key", f"{_LABELS}.key", f"{_HINTS}.hint", is_secret=True, max_length=600),
        AccessField("shop", f"{_LABELS}.shop", f"{_HINTS}.shop_hint", is_required=False),
    )

    def keep(self, session: Session, connection_id: UUID, given: Mapping[str, str]) -> None:
        """Store the key sealed, and which of its shops is meant. Raises ValidationFailedError at ``key``."""
        credentials.store_key(session, connection_id, given["key"])
        credentials.choose_shop(session, connection_id, given.get("shop", "").strip() or None)

    def show(self, session: Session, connection_id: UUID) -> Access:
        """The last letters of the key, and the shop."""
        found = credentials.find(session, connection_id)
        if found is None:
            return Access()
        return Access({"key": found.hint, "shop": found.shop_slug or ""}, found.set_at)

    def forget(self, session: Session, connection_id: UUID) -> None:
        """Remove the key."""
        credentials.forget_key(session, connection_id)

    def open(self, session: Session, connection_id: UUID) -> LetzshopChannel:
        """A line with the key of a connection of the session's vendor. Raises ChannelNotConfiguredError."""
        vendor_id = session.scalar(select(Connection.vendor_id).where(Connection.id == connection_id))
        key = credentials.read_key(session, connection_id) if vendor_id else None
        if vendor_id is None or key is None:
            raise ChannelNotConfiguredError("The connection has no key of Letzshop.")
        return LetzshopChannel(LetzshopClient(key), _shop(session, connection_id, vendor_id))

    def try_key(self, typed: str) -> CheckReport:
        """Test a key that is stored nowhere yet; outside of transactions. Raises ValidationFailedError."""
        with LetzshopClient(credentials.clean_key(typed)) as client:
            return LetzshopChannel(client).check()

    def read_directory(self, cursor: str | None) -> DirectoryPage:
        """Letzshop's shops, as it shows them to everybody."""
        with LetzshopClient() as client:
            page = read_pages(client, names.VENDORS, "vendors", PAGE, cursor)
        if page.is_cut:
            raise SchemaDriftError("The API gives no cursors, so that not all shops can be read.")
        shops = [shop for node in page.nodes if (shop := read_shop(node))]
        return DirectoryPage(shops, page.cursor, page.total)


def _shop(session: Session, connection_id: UUID, vendor_id: UUID) -> str | None:
    """Which shop of the key is meant: as the vendor has said, else as the operator has matched them."""
    found = credentials.find(session, connection_id)
    if found is not None and found.shop_slug:
        return found.shop_slug
    matched = select(ListedShop.slug).where(ListedShop.connector == CODE, ListedShop.vendor_id == vendor_id)
    return session.scalar(matched)


LETZSHOP = LetzshopConnector()
