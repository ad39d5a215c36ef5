"""Invoice settings of the demo's vendors, and what their document pages show."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.orders.enums import OrderStatus
from app.modules.orders.models.order import Order
from app.modules.orders.services.document_draft_service import draft_invoice
from app.modules.orders.services.document_export_service import start_archive
from app.modules.orders.services.document_issue_service import ask_to_issue
from app.modules.orders.services.invoice_settings_service import save_settings, set_rate

_SETTINGS = {
    "legal_form": "S.à r.l.",
    "country": "LU",
    "business_permit": "10012345/0",
    "iban": "LU280019400644750000",
    "bic": "BCEELULL",
    "due_days": 14,
    "footers": {
        "en": "Thank you for shopping in Luxembourg.",
        "fr": "Merci d’acheter au Luxembourg.",
        "de": "Danke für Ihren Einkauf in Luxemburg.",
        "lb": "Merci fir Ären Akaf zu Lëtzebuerg.",
    },
    "oss_since": date(2026, 1, 1),
    "issue_when": "manual",
}
_ABOUT = ("legal_name", "line1", "postcode", "city", "vat_number", "trade_register", "prefix")
_SHOPS = {
    "MOSELLE": ("Maison Moselle", "12, route du Vin", "L-5445", "Schengen", "LU10000356", "B123456", "MO-"),
    "MINETT": ("Minett Sport", "4, rue du Fer", "L-4130", "Esch-sur-Alzette", "LU20000017", "B200017", "MI-"),
}


def settle(session: Session, vendor_id: UUID, code: str) -> None:
    """Give the vendor settings, before its orders are placed."""
    about = dict(zip(_ABOUT, _SHOPS[code], strict=True))
    save_settings(session, vendor_id, {**_SETTINGS, **about, "email": f"bonjour@{code.lower()}.example"})
    set_rate(session, vendor_id, "FR", "intermediate", 1000)


def finish(session: Session, vendor_id: UUID) -> None:
    """Invoices of what is sent, a draft that waits, and an archive of the month."""
    sent = [draft_invoice(session, order_id) for order_id in _orders(session, OrderStatus.SHIPPED)[:1]]
    sent += [draft_invoice(session, order_id) for order_id in _orders(session, OrderStatus.DELIVERED)[:1]]
    ask_to_issue(session, vendor_id, sent, None)
    for order_id in _orders(session, OrderStatus.PROCESSING)[:1]:
        draft_invoice(session, order_id)
    start_archive(session, vendor_id, clock.today("Europe/Luxembourg").replace(day=1), None)


def _orders(session: Session, status: OrderStatus) -> Sequence[UUID]:
    return session.scalars(select(Order.id).where(Order.status == status).order_by(Order.id)).all()
