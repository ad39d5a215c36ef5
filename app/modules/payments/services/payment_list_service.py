"""Payments as people and programs look at them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select

from app.modules.payments.enums import Payee
from app.modules.payments.exceptions import PayeeError
from app.modules.payments.models.payment import Payment
from app.modules.tenancy.facade import vendor_names

PAYEES = {"admin": Payee.PLATFORM, "vendor": Payee.VENDOR}


def select_payments() -> Select[Any]:
    """All payments that the session may see, column by column."""
    return select(*Payment.__table__.columns)


def select_with_vendors() -> Select[Any]:
    """The same with the codes of their vendors."""
    names = vendor_names()
    return (
        select(*Payment.__table__.columns, names.c.code.label("vendor_code"))
        .select_from(Payment)
        .join(names, names.c.id == Payment.vendor_id)
    )


def matching(words: str) -> ColumnElement[bool]:
    """Payments whose reference, description, payer or name at the provider holds the words."""
    columns = (Payment.reference, Payment.description, Payment.customer_email)
    found = [column.icontains(words, autoescape=True) for column in columns]
    return or_(*found, Payment.provider_ref == words, Payment.intent_ref == words)


def since(chosen: Sequence[str]) -> ColumnElement[bool]:
    """Made on that day (UTC) or later."""
    return Payment.created_at >= _day(chosen[0], 0)


def until(chosen: Sequence[str]) -> ColumnElement[bool]:
    """Made on that day (UTC) or earlier."""
    return Payment.created_at < _day(chosen[0], 1)


def is_payee(payment: Payment, area: str) -> bool:
    """Whether the people of an area are those who get a payment's money."""
    return payment.payee == PAYEES[area]


def require_payee(payment: Payment, area: str) -> UUID:
    """The payment's id, for who got its money. Raises PayeeError: a vendor does not refund its own invoices."""
    if not is_payee(payment, area):
        raise PayeeError
    return payment.id


def _day(text: str, later_days: int) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=later_days)
