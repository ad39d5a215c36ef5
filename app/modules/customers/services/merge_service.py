"""Two records that are one person become one."""

from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.core.errors import ConflictError
from app.core.ids import to_public
from app.modules.audit import record_audit
from app.modules.customers.contracts import MERGE
from app.modules.customers.events import CustomerMerged
from app.modules.customers.exceptions import CustomerNotFoundError
from app.modules.customers.models.customer import Customer, CustomerAddress
from app.modules.customers.services.customer_edit_service import check_present
from app.modules.customers.services.customer_service import PREFIX, refresh_search
from app.modules.events import publish

_FILLED = ("email", "email_norm", "first_name", "last_name", "company_name", "vat_number", "phone")
_COPY_CONSENTS = text(
    """
    INSERT INTO customer_consents (id, vendor_id, customer_id, purpose, is_granted, source, user_id, at)
    SELECT gen_random_uuid(), vendor_id, :into_id, purpose, is_granted, source, user_id, at
    FROM customer_consents WHERE customer_id = :from_id
    """
)


def merge_customers(session: Session, from_id: UUID, into_id: UUID) -> dict[str, int]:
    """Give everything of one customer to another: orders, addresses, consents, figures, and fields it lacks.

    The first stays as a pointer to the second, and orders by its e-mail address become the second's. Returns how many
    rows each module moved. Raises CustomerNotFoundError, CustomerErasedError, ConflictError for one and the same.
    """
    if from_id == into_id:
        raise ConflictError(message_key="errors.customers.merge_itself")
    rows = {
        row.id: row
        for row in session.scalars(
            select(Customer)
            .where(Customer.id.in_((from_id, into_id)))
            .order_by(Customer.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    if len(rows) < 2:
        raise CustomerNotFoundError
    source, target = rows[from_id], rows[into_id]
    check_present(source)
    check_present(target)
    moved = {code: merge(session, from_id, into_id) for code, merge in MERGE.by_module()}
    _move_own(session, source, target)
    vendor_id, public = target.vendor_id, to_public(PREFIX, into_id)
    for one in (source, target):
        record_audit(
            session,
            "customers.customer_merged",
            vendor_id=vendor_id,
            target=to_public(PREFIX, one.id),
            into=public,
        )
    event = CustomerMerged(from_id, into_id)
    publish(session, event, vendor_id=vendor_id, aggregate=str(into_id))
    return moved


def _move_own(session: Session, source: Customer, target: Customer) -> None:
    session.execute(
        update(CustomerAddress)
        .where(CustomerAddress.customer_id == source.id)
        .values(customer_id=target.id, is_shipping_default=False, is_billing_default=False)
    )
    session.execute(_COPY_CONSENTS, {"from_id": source.id, "into_id": target.id})
    session.execute(
        update(Customer).where(Customer.merged_into_id == source.id).values(merged_into_id=target.id)
    )
    source.merged_into_id = target.id
    session.flush()  # its e-mail address is free from here on
    for name in _FILLED:
        if getattr(target, name) is None:
            setattr(target, name, getattr(source, name))
    target.orders_count += source.orders_count
    target.spent_cents += source.spent_cents
    firsts = [one for one in (source.first_order_at, target.first_order_at) if one]
    lasts = [one for one in (source.last_order_at, target.last_order_at) if one]
    target.first_order_at, target.last_order_at = min(firsts, default=None), max(lasts, default=None)
    session.flush()
    refresh_search(session, target.id)
