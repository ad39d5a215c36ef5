"""What billing does when something happened elsewhere."""

from sqlalchemy.orm import Session

from app.modules.billing.services.trial_service import start_for
from app.modules.tenancy.events import VendorCreated


def on_vendor_created(session: Session, event: VendorCreated) -> None:
    """Start a new vendor's trial."""
    start_for(session, event.vendor_id)
