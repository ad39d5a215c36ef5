"""The operator looks for a person across vendors: only for a reason, which is noted with what was opened."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session

from app.core import security
from app.core.config import get_settings
from app.core.ids import to_public
from app.core.keys import get_keys
from app.modules.audit import record_audit
from app.modules.customers.models.customer import Customer
from app.modules.customers.services.customer_service import PREFIX, normalise_email, select_customers
from app.modules.pages import PageContext
from app.modules.tenancy.facade import vendor_names

REASON_COOKIE = "wm_customer_reason"
MOST = 50
SHORTEST = 3  # characters of a name or number to look for
_MINUTES = 30
_PURPOSE = "customers.reason"
VENDORS = vendor_names()


def look_up(session: Session, words: str, reason: str) -> Sequence[Row[Any]]:
    """At most ``MOST`` customers with this e-mail address or, without an @, with this in their name or phone number.

    The look-up is noted with the reason and the number found, not with whom it was for.
    """
    statement = select_customers().add_columns(VENDORS.c.name.label("vendor_name"))
    statement = statement.join(VENDORS, VENDORS.c.id == Customer.vendor_id)
    if "@" in words:
        statement = statement.where(Customer.email_norm == normalise_email(words))
    else:
        name = func.concat_ws(" ", Customer.first_name, Customer.last_name)
        columns = (name, Customer.company_name, Customer.phone)
        statement = statement.where(or_(*(one.icontains(words, autoescape=True) for one in columns)))
    found = session.execute(statement.order_by(Customer.id.desc()).limit(MOST)).all()
    record_audit(
        session, "customers.looked_up", vendor_id=None, target="customers", reason=reason, found=len(found)
    )
    return found


def note_view(session: Session, customer: Customer, reason: str) -> None:
    """Note that the operator opened a customer, where the vendor can see it."""
    record_audit(
        session,
        "customers.customer_viewed",
        vendor_id=customer.vendor_id,
        target=to_public(PREFIX, customer.id),
        reason=reason,
    )


def vendor_name(session: Session, vendor_id: UUID) -> str:
    """The name of a vendor that the session sees."""
    return session.scalar(select(VENDORS.c.name).where(VENDORS.c.id == vendor_id)) or ""


def keep_reason(ctx: PageContext, reason: str) -> None:
    """Remember why this person looks, for half an hour."""
    content = {"user": str(ctx.who.user_id), "reason": reason}
    signed = security.sign(_PURPOSE, content, get_keys(get_settings()))
    ctx.set_cookie(REASON_COOKIE, signed, path="/admin/customers", max_age=_MINUTES * 60)


def reason_of(ctx: PageContext) -> str | None:
    """Why this person looks; None until they said so, and again after half an hour."""
    signed = ctx.request.cookies.get(REASON_COOKIE)
    content = security.unsign(_PURPOSE, signed, _MINUTES * 60, get_keys(get_settings())) if signed else None
    if content is None or content.get("user") != str(ctx.who.user_id):
        return None
    return str(content["reason"])
