"""Documents that issue themselves, where a vendor wants that."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from app.modules.orders.enums import OrderStatus
from app.modules.orders.exceptions import DocumentRefusedError
from app.modules.orders.models.document import Document
from app.modules.orders.models.order import Order
from app.modules.orders.models.refund import Refund
from app.modules.orders.services.document_draft_service import draft_credit_note, draft_invoice, find_invoice
from app.modules.orders.services.document_issue_service import ask_to_issue
from app.modules.orders.services.invoice_settings_service import find_settings

ON_CONFIRM, ON_SHIP = "on_confirm", "on_ship"


def invoice_due(session: Session, order_id: UUID, moment: str) -> None:
    """Have an order's invoice issued, if this is the moment the vendor chose. Shipped means: all of it."""
    order = session.get(Order, order_id)
    settings = find_settings(session, order.vendor_id) if order else None
    if order is None or settings is None or settings.issue_when != moment:
        return
    is_sent = order.status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED)
    if (moment == ON_SHIP and not is_sent) or find_invoice(session, order_id) is not None:
        return
    try:
        document = draft_invoice(session, order_id)
    except DocumentRefusedError:
        return  # the order's page says what is missing; people can issue it once it is there
    ask_to_issue(session, order.vendor_id, [document], None)


def credit_open_refunds(session: Session, document_ids: Collection[UUID]) -> None:
    """Credit what was paid back before these invoices were issued."""
    open_refunds = (
        select(Refund.id)
        .join(Document, Document.order_id == Refund.order_id)
        .where(Document.id.in_(document_ids), Document.kind == "invoice", Document.status == "issued")
        .where(~exists().where(aliased(Document).refund_id == Refund.id))
        .order_by(Refund.id)
    )
    for refund_id in session.scalars(open_refunds).all():
        credit_due(session, refund_id)


def credit_due(session: Session, refund_id: UUID) -> None:
    """Have the credit note of a refund issued, where the order's invoice is and the vendor issues by itself."""
    refund = session.get(Refund, refund_id)
    settings = find_settings(session, refund.vendor_id) if refund else None
    if refund is None or settings is None or settings.issue_when == "manual":
        return
    try:
        document = draft_credit_note(session, refund_id)
    except DocumentRefusedError:
        return
    ask_to_issue(session, refund.vendor_id, [document], None)
