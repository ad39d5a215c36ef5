"""What the marketplace does when something happened elsewhere."""

from sqlalchemy.orm import Session

from app.modules.marketplace.services.feed_settings_service import create_feed_settings
from app.modules.tenancy.events import VendorCreated


def on_vendor_created(session: Session, event: VendorCreated) -> None:
    """Give a new vendor its feed settings."""
    create_feed_settings(session, vendor_id=event.vendor_id, language=event.default_language)
