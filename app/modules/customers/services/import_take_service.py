"""Taking rows of a file over: customers with their addresses and what they agreed to."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id, to_public
from app.modules.audit import record_audit
from app.modules.customers.contracts import Address, full_name
from app.modules.customers.events import CustomerCreated, CustomerUpdated
from app.modules.customers.models.customer import Customer, CustomerAddress, CustomerConsent
from app.modules.customers.services.customer_edit_service import FIELDS, address_of
from app.modules.customers.services.customer_service import (
    DEFAULT_LANGUAGE,
    NO_VECTOR,
    PREFIX,
    SEARCH_VECTOR,
)
from app.modules.customers.services.import_rows import ADDRESS, IMPORTED
from app.modules.events import publish

Given = Mapping[str, Any]
_REFRESH = text(f"UPDATE customers SET search_vector = {SEARCH_VECTOR.format('')} WHERE id = ANY(:ids)")


def find_known(
    session: Session, emails: Iterable[str | None], *, is_locking: bool = False
) -> dict[str, Customer]:
    """The vendor's customers by normalised e-mail address; for that of a merged record, the record it became."""
    wanted = {email for email in emails if email}
    rows = session.execute(
        select(Customer.email_norm, Customer.merged_into_id, Customer.id)
        .where(Customer.email_norm.in_(wanted))
        .order_by(Customer.merged_into_id.is_not(None).desc())
    ).all()
    meant = {str(row.email_norm): row.merged_into_id or row.id for row in rows}
    statement = select(Customer).where(Customer.id.in_(set(meant.values()))).order_by(Customer.id)
    if is_locking:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    by_id = {customer.id: customer for customer in session.scalars(statement)}
    return {email: by_id[key] for email, key in meant.items()}


def foresee(session: Session, rows: Sequence[tuple[str | None, Given]]) -> list[str]:
    """What taking each row over would be: ``new``, ``changed`` or ``same``."""
    known = find_known(session, [email for email, given in rows if given])
    books, words = _books(session, known.values()), _words(session, known.values())
    effects = []
    for email, given in rows:
        customer = known.get(email or "")
        if customer is None:
            effects.append("new")
            continue
        book, said = books.get(customer.id, []), words.get(customer.id, {})
        is_new = _fields(customer, given) or _new_address(book, given) or [*_new_words(said, given)]
        effects.append("changed" if is_new else "same")
    return effects


def take_over(
    session: Session, vendor_id: UUID, rows: Sequence[tuple[str | None, Given]], target: str
) -> list[str]:
    """Make or change the customers that rows are about; of each row ``new``, ``changed`` or ``same``.

    A row that was emptied meanwhile, as its person was erased, is ``same``. ``target``: the file, for the log.
    """
    wanted = {email: given for email, given in rows if email and given}
    made = _make(session, vendor_id, wanted)
    known = find_known(session, wanted, is_locking=True)
    books, words = _books(session, known.values()), _words(session, known.values())
    effects: dict[str, str] = {}
    touched: list[Customer] = []
    for email, given in wanted.items():
        customer = known[email]
        effects[email] = "new" if customer.id in made else "same"
        if _change(session, customer, given, books.get(customer.id, []), words.get(customer.id, {})):
            effects[email] = effects[email].replace("same", "changed")
        if effects[email] != "same":
            touched.append(customer)
    session.flush()
    session.execute(_REFRESH, {"ids": [one.id for one in touched]})
    for one in touched:
        _tell(session, one, target, is_new=one.id in made)
    return [effects.get(email or "", "same") for email, _ in rows]


def _make(session: Session, vendor_id: UUID, wanted: Mapping[str, Given]) -> Collection[UUID]:
    """Customers that nobody knows yet; who is made by another transaction just now is known afterwards."""
    unknown = wanted.keys() - find_known(session, wanted).keys()
    now = clock.now()
    rows = [
        {
            **{name: wanted[email].get(name) for name in FIELDS},
            "id": new_id(),
            "vendor_id": vendor_id,
            "email_norm": email,
            "language": wanted[email].get("language", DEFAULT_LANGUAGE),
            "status": "inactive",
            "source_channel": IMPORTED,
            "orders_count": 0,
            "spent_cents": 0,
            "search_vector": NO_VECTOR,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        for email in sorted(unknown)
    ]
    if not rows:
        return set()
    statement = insert(Customer).values(rows).on_conflict_do_nothing().returning(Customer.id)
    return set(session.scalars(statement))


def _change(
    session: Session,
    customer: Customer,
    given: Given,
    book: Sequence[CustomerAddress],
    words: Mapping[str, CustomerConsent],
) -> bool:
    fields = _fields(customer, given)
    for name, value in fields.items():
        setattr(customer, name, value)
    address = _new_address(book, given)
    if address is not None:
        session.add(
            CustomerAddress(
                id=new_id(),
                vendor_id=customer.vendor_id,
                customer_id=customer.id,
                **(
                    address.to_json()
                    | {"name": full_name(customer) or None, "company": customer.company_name}
                ),
                is_shipping_default=not any(one.is_shipping_default for one in book),
                is_billing_default=not any(one.is_billing_default for one in book),
            )
        )
    consents = list(_new_words(words, given))
    session.add_all(
        CustomerConsent(id=new_id(), vendor_id=customer.vendor_id, customer_id=customer.id, **one)
        for one in consents
    )
    return bool(fields or address or consents)


def _fields(customer: Customer, given: Given) -> dict[str, Any]:
    """What is said otherwise than it stands; the address by which somebody is known stays as it is written."""
    return {
        name: given[name]
        for name in FIELDS
        if name != "email" and given.get(name) and getattr(customer, name) != given[name]
    }


def _new_address(book: Sequence[CustomerAddress], given: Given) -> Address | None:
    said = given.get("address")
    if said is None:
        return None
    address = Address.from_json(said)
    known = [[getattr(address_of(one), name) for name in ADDRESS] for one in book]
    return None if [getattr(address, name) for name in ADDRESS] in known else address


def _new_words(words: Mapping[str, CustomerConsent], given: Given) -> Iterable[dict[str, Any]]:
    """Words on a purpose that change what counts; an older one than the newest known does not."""
    for said in given.get("consents", ()):
        last = words.get(said["purpose"])
        at = datetime.fromisoformat(said["at"]) if said["at"] else clock.now()
        before = last.is_granted if last else False
        if said["is_granted"] != before and (last is None or at > last.at):
            yield said | {"at": at}


def _books(session: Session, customers: Iterable[Customer]) -> dict[UUID, list[CustomerAddress]]:
    ids = [one.id for one in customers]
    found: dict[UUID, list[CustomerAddress]] = {}
    for row in session.scalars(select(CustomerAddress).where(CustomerAddress.customer_id.in_(ids))):
        found.setdefault(row.customer_id, []).append(row)
    return found


def _words(session: Session, customers: Iterable[Customer]) -> dict[UUID, dict[str, CustomerConsent]]:
    ids = [one.id for one in customers]
    rows = session.scalars(
        select(CustomerConsent)
        .where(CustomerConsent.customer_id.in_(ids))
        .order_by(CustomerConsent.at, CustomerConsent.id)
    )
    found: dict[UUID, dict[str, CustomerConsent]] = {}
    for row in rows:
        found.setdefault(row.customer_id, {})[row.purpose] = row
    return found


def _tell(session: Session, customer: Customer, target: str, *, is_new: bool) -> None:
    record_audit(
        session,
        "customers.customer_imported",
        vendor_id=customer.vendor_id,
        target=to_public(PREFIX, customer.id),
        file=target,
    )
    event = CustomerCreated(customer.id, IMPORTED) if is_new else CustomerUpdated(customer.id)
    publish(session, event, vendor_id=customer.vendor_id, aggregate=str(customer.id))
