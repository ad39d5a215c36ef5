"""What orders do when something happens elsewhere."""

from sqlalchemy.orm import Session

from app.modules.billing.events import SubscriptionChanged
from app.modules.catalog.events import ProductUpdated
from app.modules.customers.events import CustomerUpdated
from app.modules.orders.events import OrderConfirmed, OrderRefunded, ShipmentShipped
from app.modules.orders.services import document_round_service, exception_service, hold_service


def on_product_updated(session: Session, event: ProductUpdated) -> None:
    """A line may wait for just this product."""
    exception_service.retry_for_product(session, event.product_id)


def on_subscription_changed(session: Session, event: SubscriptionChanged) -> None:
    """A larger plan frees orders."""
    hold_service.free_held(session, event.vendor_id)


def on_customer_updated(session: Session, event: CustomerUpdated) -> None:
    """Who is no longer blocked gets what was held."""
    hold_service.free_of_buyer(session, event.customer_id)


def on_order_confirmed(session: Session, event: OrderConfirmed) -> None:
    """The moment at which some vendors issue the invoice."""
    document_round_service.invoice_due(session, event.order_id, document_round_service.ON_CONFIRM)


def on_shipment_shipped(session: Session, event: ShipmentShipped) -> None:
    """The moment at which others do."""
    document_round_service.invoice_due(session, event.order_id, document_round_service.ON_SHIP)


def on_order_refunded(session: Session, event: OrderRefunded) -> None:
    """Money that went back is taken off the invoice."""
    document_round_service.credit_due(session, event.refund_id)
