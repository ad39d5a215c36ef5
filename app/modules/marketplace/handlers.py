"""What the marketplace does when something happened elsewhere."""

from sqlalchemy.orm import Session

from app.modules.catalog.events import ProductUpdated
from app.modules.marketplace.services import act_service, feed_push_service
from app.modules.marketplace.services.feed_settings_service import create_feed_settings
from app.modules.orders.events import (
    OrderCancelled,
    OrderConfirmed,
    ParcelsChanged,
    ShipmentShipped,
    UnitsCancelled,
    UnitsReturned,
)
from app.modules.tenancy.events import VendorCreated


def on_vendor_created(session: Session, event: VendorCreated) -> None:
    """Give a new vendor its feed settings."""
    create_feed_settings(session, vendor_id=event.vendor_id, language=event.default_language)


def on_product_updated(session: Session, _event: ProductUpdated) -> None:
    """Have the vendor's marketplaces told."""
    feed_push_service.note_changed(session)


def on_order_changed(
    session: Session, event: OrderConfirmed | OrderCancelled | UnitsCancelled | UnitsReturned
) -> None:
    """Have the marketplace told what became of the order's units."""
    act_service.tell_units(session, event.order_id)


def on_parcels(session: Session, event: ShipmentShipped | ParcelsChanged) -> None:
    """Have the marketplace told how the shipment can be followed."""
    act_service.tell_shipment(session, event.order_id, event.shipment_id)
