"""Telling a buyer by mail that their withdrawal has arrived: without delay, with its content, date and time
(Directive 2011/83/EU, Article 11(3))."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.i18n import format_datetime, translate
from app.core.mail import Mail
from app.modules.customers.contracts import Buyer
from app.modules.orders.contracts import By
from app.modules.orders.enums import Source
from app.modules.orders.exceptions import WithdrawalNotFoundError
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.models.withdrawal import Withdrawal, WithdrawalLine
from app.modules.orders.services import invoice_settings_service
from app.modules.orders.services.oss_total_service import ZONE
from app.modules.orders.services.state_service import lock_order, note
from app.modules.tenancy.facade import vendor_names
from app.tasks.dispatcher import dispatch

_TASK = "app.modules.orders.tasks.withdrawals.mail_receipt"
VENDORS = vendor_names()
_TEXTS = "orders.withdrawal_mail"


def ask_to_mail(session: Session, order: Order, row: Withdrawal) -> None:
    """Have the receipt mailed by a job, where the buyer has an address."""
    if order.buyer.get("email"):
        dispatch(
            session,
            _TASK,
            kwargs={"withdrawal_id": row.id},
            vendor_id=row.vendor_id,
            unique_key=f"orders:withdrawal_mail:{row.id}",
        )


def write(session: Session, withdrawal_id: UUID) -> Mail | None:
    """The receipt, in the language of the order; None once the buyer's address is gone. Raises
    WithdrawalNotFoundError."""
    row, order = _find(session, withdrawal_id)
    buyer = Buyer.from_json(order.buyer)
    if not buyer.email:
        return None
    settings = invoice_settings_service.find_settings(session, order.vendor_id)
    seller = invoice_settings_service.seller_of(settings) if settings else {}
    params = {
        "number": row.number,
        "order": order.number,
        "at": format_datetime(buyer.language, row.received_at, timezone=ZONE.key),
        "goods": _goods(session, row),
        "message": f"\n{row.message}\n" if row.message else "",
        "seller": seller.get("name")
        or session.scalar(select(VENDORS.c.name).where(VENDORS.c.id == order.vendor_id)),
    }
    return Mail(
        buyer.email,
        translate(buyer.language, f"{_TEXTS}.subject", **params),
        translate(buyer.language, f"{_TEXTS}.text", **params),
        headers={"Reply-To": seller["email"]} if seller.get("email") else {},
    )


def note_sent(session: Session, withdrawal_id: UUID) -> None:
    """Write into the order's history that the buyer was told."""
    row, order = _find(session, withdrawal_id)
    lock_order(session, order.id)
    by = By(Source.TASK)
    note(session, order, "withdrawal_mailed", by, withdrawal_id=str(row.id), number=row.number)


def _goods(session: Session, row: Withdrawal) -> str:
    lines = session.execute(
        select(OrderLine.title, WithdrawalLine.quantity)
        .join(WithdrawalLine, WithdrawalLine.line_id == OrderLine.id)
        .where(WithdrawalLine.withdrawal_id == row.id)
        .order_by(OrderLine.position)
    )
    return "\n".join(f"{quantity} × {title}" for title, quantity in lines)


def _find(session: Session, withdrawal_id: UUID) -> tuple[Withdrawal, Order]:
    row = session.get(Withdrawal, withdrawal_id)
    if row is None:
        raise WithdrawalNotFoundError
    return row, session.get_one(Order, row.order_id)
