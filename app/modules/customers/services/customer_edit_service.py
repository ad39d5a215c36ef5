"""Changing customers by hand: their fields, whether they are served, addresses and consents."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.errors import FieldError, ValidationFailedError
from app.core.ids import new_id, to_public
from app.modules.audit import record_audit
from app.modules.customers.contracts import Address, SavedAddress
from app.modules.customers.enums import ConsentPurpose, CustomerStatus
from app.modules.customers.events import CustomerCreated, CustomerUpdated
from app.modules.customers.exceptions import AddressNotFoundError, CustomerErasedError
from app.modules.customers.models.customer import Customer, CustomerAddress, CustomerConsent
from app.modules.customers.services.customer_service import (
    NO_VECTOR,
    PREFIX,
    get_row,
    normalise_email,
    refresh_search,
)
from app.modules.events import publish

FIELDS = ("email", "first_name", "last_name", "company_name", "vat_number", "phone", "language")
ADDRESS_FIELDS = ("name", "company", "line1", "line2", "postcode", "city", "country", "phone")


def create_customer(session: Session, vendor_id: UUID, values: Mapping[str, Any]) -> Customer:
    """A customer made by hand or by a program, out of FIELDS.

    Raises ValidationFailedError for an e-mail address that another customer has, and where there is neither an address
    nor a name.
    """
    customer = Customer(
        id=new_id(), vendor_id=vendor_id, source_channel="manual", search_vector=NO_VECTOR, **values
    )
    _check(session, customer)
    session.add(customer)
    session.flush()
    refresh_search(session, customer.id)
    record_audit(session, "customers.customer_created", vendor_id=vendor_id, target=_target(customer))
    event = CustomerCreated(customer.id, "manual")
    publish(session, event, vendor_id=vendor_id, aggregate=str(customer.id))
    return customer


def change_customer(session: Session, customer: Customer, changes: Mapping[str, Any]) -> None:
    """Set some of FIELDS. Raises as `create_customer` does, and CustomerErasedError."""
    check_present(customer)
    changed = {name: value for name, value in changes.items() if getattr(customer, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(customer, name, value)
    _check(session, customer)
    # Which fields, never what stood there: the log is kept when the person is erased.
    _finish(session, customer, "customers.customer_changed", fields=", ".join(sorted(changed)))
    refresh_search(session, customer.id)


def block_customer(session: Session, customer: Customer, reason: str) -> None:
    """Say that somebody is not to be served. Raises CustomerErasedError."""
    check_present(customer)
    customer.status, customer.blocked_reason = CustomerStatus.BLOCKED.value, reason
    _finish(session, customer, "customers.customer_blocked")


def unblock_customer(session: Session, customer: Customer) -> None:
    """Serve somebody again. Raises CustomerErasedError."""
    check_present(customer)
    customer.status, customer.blocked_reason = CustomerStatus.INACTIVE.value, None
    _finish(session, customer, "customers.customer_unblocked")


def check_present(customer: Customer) -> None:
    """Raises CustomerErasedError for a record that was erased or merged into another."""
    if customer.erased_at is not None or customer.merged_into_id is not None:
        raise CustomerErasedError


def list_addresses(session: Session, customer_id: UUID) -> list[SavedAddress]:
    """A customer's address book, the defaults first."""
    rows = session.scalars(
        select(CustomerAddress)
        .where(CustomerAddress.customer_id == customer_id)
        .order_by(
            CustomerAddress.is_shipping_default.desc(),
            CustomerAddress.is_billing_default.desc(),
            CustomerAddress.id,
        )
    )
    return [
        SavedAddress(row.id, address_of(row), row.is_shipping_default, row.is_billing_default) for row in rows
    ]


def address_of(row: CustomerAddress) -> Address:
    """The address in a record."""
    return Address(**{name: getattr(row, name) for name in ADDRESS_FIELDS})


def get_address(session: Session, address_id: UUID) -> CustomerAddress:
    """One entry of an address book. Raises AddressNotFoundError."""
    row = session.get(CustomerAddress, address_id)
    if row is None:
        raise AddressNotFoundError
    return row


def save_address(
    session: Session,
    customer_id: UUID,
    address: Address,
    *,
    address_id: UUID | None = None,
    is_shipping_default: bool = False,
    is_billing_default: bool = False,
) -> UUID:
    """Put an address into a customer's book, or change the one with ``address_id``; returns its id.

    A new default takes the place of the former. Raises CustomerNotFoundError, CustomerErasedError,
    AddressNotFoundError.
    """
    customer = get_row(session, customer_id)
    check_present(customer)
    for name, is_default in (
        ("is_shipping_default", is_shipping_default),
        ("is_billing_default", is_billing_default),
    ):
        if is_default:
            session.execute(
                update(CustomerAddress)
                .where(CustomerAddress.customer_id == customer_id, CustomerAddress.id != address_id)
                .where(getattr(CustomerAddress, name))
                .values({name: False})
            )
    if address_id is None:
        row = CustomerAddress(id=new_id(), vendor_id=customer.vendor_id, customer_id=customer_id)
        session.add(row)
    else:
        row = get_address(session, address_id)
        if row.customer_id != customer_id:
            raise AddressNotFoundError
    for name, value in address.to_json().items():
        setattr(row, name, value)
    row.is_shipping_default, row.is_billing_default = is_shipping_default, is_billing_default
    _finish(session, customer, "customers.address_saved")
    return row.id


def delete_address(session: Session, address_id: UUID) -> UUID:
    """Take an address out of its book; the customer's id. Raises AddressNotFoundError."""
    row = get_address(session, address_id)
    session.delete(row)
    _finish(session, get_row(session, row.customer_id), "customers.address_deleted")
    return row.customer_id


def record_consent(
    session: Session, customer: Customer, purpose: ConsentPurpose, is_granted: bool, *, source: str
) -> None:
    """Note that a customer agreed to something, or took it back. Raises CustomerErasedError."""
    check_present(customer)
    session.add(
        CustomerConsent(
            id=new_id(),
            vendor_id=customer.vendor_id,
            customer_id=customer.id,
            purpose=purpose.value,
            is_granted=is_granted,
            source=source,
        )
    )
    action = "customers.consent_given" if is_granted else "customers.consent_withdrawn"
    _finish(session, customer, action, purpose=purpose.value)


def list_consents(session: Session, customer_id: UUID) -> Sequence[CustomerConsent]:
    """What counts today: the newest word on each purpose."""
    return session.scalars(
        select(CustomerConsent)
        .distinct(CustomerConsent.purpose)
        .where(CustomerConsent.customer_id == customer_id)
        .order_by(CustomerConsent.purpose, CustomerConsent.at.desc(), CustomerConsent.id.desc())
    ).all()


def _check(session: Session, customer: Customer) -> None:
    customer.email_norm = normalise_email(customer.email)
    if not any((customer.email, customer.first_name, customer.last_name, customer.company_name)):
        raise _refused("last_name", "required", "errors.customers.name_missing")
    if customer.email_norm is None:
        return
    with session.no_autoflush:
        other = session.scalar(
            select(Customer.id).where(
                Customer.email_norm == customer.email_norm,
                Customer.merged_into_id.is_(None),
                Customer.id != customer.id,
            )
        )
    if other is not None:
        raise _refused("email", "taken", "errors.customers.email_taken")


def _finish(session: Session, customer: Customer, action: str, **details: Any) -> None:
    session.flush()
    record_audit(session, action, vendor_id=customer.vendor_id, target=_target(customer), **details)
    event = CustomerUpdated(customer.id)
    publish(session, event, vendor_id=customer.vendor_id, aggregate=str(customer.id))


def _target(customer: Customer) -> str:
    return to_public(PREFIX, customer.id)


def _refused(pointer: str, code: str, message_key: str) -> ValidationFailedError:
    return ValidationFailedError(errors=[FieldError(pointer, code, message_key, {})])
