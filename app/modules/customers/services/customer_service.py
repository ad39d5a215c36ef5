"""Finding customers, making them from orders, and counting what they order."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, any_, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from app.core import clock
from app.core.i18n import LANGUAGES
from app.core.ids import new_id
from app.modules.customers.contracts import Buyer, CustomerSummary, Known, full_name
from app.modules.customers.events import CustomerCreated
from app.modules.customers.exceptions import CustomerNotFoundError
from app.modules.customers.models.customer import Customer
from app.modules.events import publish

PREFIX = "cus"
DEFAULT_LANGUAGE = "fr"
_MAX_FOUND = 10_000  # ids that one search may bring
_MAX_WORDS = 8
_WORD = re.compile(r"[^\W_]+")

# A phone number as it was written, in one piece, and in one piece without the country.
SEARCH_VECTOR = """
    to_tsvector('simple', translate(unaccent(concat_ws(' ',
        {0}first_name, {0}last_name, {0}company_name, {0}email, {0}vat_number,
        {0}phone, regexp_replace({0}phone, '[^0-9]', '', 'g'),
        regexp_replace({0}phone, '^([+]|00)[0-9]+ |[^0-9]', '', 'g'))), '@._-/+', '      '))
"""
# Who is known by the address, also where the record was merged into another, else a new customer: one round trip.
_ENSURE = text(
    f"""
    WITH given AS (
        SELECT CAST(:email AS text) AS email, CAST(:first_name AS text) AS first_name,
               CAST(:last_name AS text) AS last_name, CAST(:company_name AS text) AS company_name,
               CAST(:vat_number AS text) AS vat_number, CAST(:phone AS text) AS phone
    ), found AS (
        SELECT coalesce(merged_into_id, id) AS id FROM customers
        WHERE email_norm = :email_norm ORDER BY merged_into_id NULLS FIRST LIMIT 1
    ), made AS (
        INSERT INTO customers (id, vendor_id, email, email_norm, first_name, last_name, company_name, vat_number, phone,
            language, status, source_channel, orders_count, spent_cents, search_vector, created_at, updated_at, version)
        SELECT :id, CAST(current_setting('app.vendor_id') AS uuid), email, :email_norm, first_name, last_name,
            company_name, vat_number, phone, :language, 'inactive', :channel, 0, 0,
            {SEARCH_VECTOR.format("given.")}, :now, :now, 1
        FROM given WHERE NOT EXISTS (SELECT FROM found)
        ON CONFLICT (vendor_id, email_norm) WHERE merged_into_id IS NULL DO NOTHING
        RETURNING id, vendor_id
    )
    SELECT c.id, NULL AS vendor_id, c.status = 'blocked' AS is_blocked FROM found JOIN customers c ON c.id = found.id
    UNION ALL SELECT id, vendor_id, false FROM made
    """
)
_RECORD = text(
    """
    UPDATE customers SET orders_count = orders_count + :orders, spent_cents = spent_cents + :spent_cents,
        first_order_at = CASE WHEN :orders > 0 THEN least(first_order_at, :at) ELSE first_order_at END,
        last_order_at = CASE WHEN :orders > 0 THEN greatest(last_order_at, :at) ELSE last_order_at END
    WHERE id = (SELECT coalesce(merged_into_id, id) FROM customers WHERE id = :id)
    """
)
_REFRESH_SEARCH = text(f"UPDATE customers SET search_vector = {SEARCH_VECTOR.format('')} WHERE id = :id")
NO_VECTOR = text("''::tsvector")


def normalise_email(email: str | None) -> str | None:
    """The form in which addresses are compared; None for an empty one."""
    return (email or "").strip().casefold() or None


def ensure_customer(session: Session, buyer: Buyer, *, channel: str) -> Known | None:
    """The vendor's customer with the buyer's e-mail address, else a new one, inactive.

    A known customer stays as it is. Without an address each buyer with a name is a new customer; None without either.
    One statement, and one more only when another transaction makes the same customer at this moment.
    """
    values: dict[str, Any] = {
        name: (getattr(buyer, name) or "").strip() or None
        for name in ("email", "first_name", "last_name", "company_name", "vat_number", "phone")
    }
    if not any(values[name] for name in ("email", "first_name", "last_name", "company_name")):
        return None
    language = buyer.language if buyer.language in LANGUAGES else DEFAULT_LANGUAGE
    email_norm = normalise_email(values["email"])
    values |= {"email_norm": email_norm, "language": language, "channel": channel, "now": clock.now()}
    # Who comes second waits for the first one's end; then the row is there for a new statement.
    for _ in range(2):
        row = session.execute(_ENSURE, {**values, "id": new_id()}).first()
        if row is not None:
            break
    assert row is not None, "the customer appeared and vanished"
    key: UUID = row.id
    if row.vendor_id is not None:
        publish(session, CustomerCreated(key, channel), vendor_id=row.vendor_id, aggregate=str(key))
    return Known(key, row.is_blocked)


def record_order(session: Session, customer_id: UUID, *, orders: int, spent_cents: int, at: datetime) -> None:
    """Add to a customer's figures: 1 and the gross amount for an order, -1 and less for one that is cancelled, 0 and
    less for a refund. ``at`` (UTC) is when it was placed. A customer that is not there is left out."""
    values = {"id": customer_id, "orders": orders, "spent_cents": spent_cents, "at": at}
    session.execute(_RECORD, values)


def refresh_search(session: Session, customer_id: UUID) -> None:
    """Let search find what the customer's fields say now."""
    session.execute(_REFRESH_SEARCH, {"id": customer_id})


def get_row(session: Session, customer_id: UUID) -> Customer:
    """The record itself, also of one that was merged or erased. Raises CustomerNotFoundError."""
    row = session.get(Customer, customer_id)
    if row is None:
        raise CustomerNotFoundError
    return row


def get_customer(session: Session, customer_id: UUID) -> CustomerSummary:
    """One customer, also one that was erased. Raises CustomerNotFoundError."""
    return summary_of(get_row(session, customer_id))


def find_customer(session: Session, email: str) -> CustomerSummary | None:
    """The vendor's customer with an e-mail address."""
    found = session.scalars(
        select(Customer).where(
            Customer.email_norm == normalise_email(email), Customer.merged_into_id.is_(None)
        )
    ).first()
    return summary_of(found) if found else None


def search_customers(session: Session, words: str, limit: int = 20) -> Sequence[CustomerSummary]:
    """At most ``limit`` customers who have words that begin with each of ``words``, those who bought last first."""
    found = session.scalars(
        select(Customer)
        .where(matching(words), *PRESENT)
        .order_by(Customer.last_order_at.desc().nulls_last(), Customer.id)
        .limit(limit)
    )
    return [summary_of(one) for one in found]


PRESENT = (Customer.merged_into_id.is_(None), Customer.erased_at.is_(None))


def select_customers() -> Select[Any]:
    """All customers that are neither merged nor erased, as lists show them."""
    name = func.nullif(func.concat_ws(" ", Customer.first_name, Customer.last_name), "")
    return select(
        Customer.id,
        func.coalesce(name, Customer.company_name, Customer.email).label("name"),
        *(
            getattr(Customer, column)
            for column in (
                *("email", "first_name", "last_name", "company_name", "vat_number", "phone", "language"),
                *("status", "source_channel", "orders_count", "spent_cents", "first_order_at"),
                *("last_order_at", "created_at", "updated_at", "version"),
            )
        ),
        literal("EUR").label("currency"),
    ).where(*PRESENT)


def matching(query: str) -> ColumnElement[bool]:
    """Customers with words in name, company, e-mail, phone or VAT number that begin with each word of ``query``."""
    # As an array: the rows are then looked up by id, instead of reading the whole table for a join.
    return Customer.id == any_(func.array(_found(query).scalar_subquery()))


def _found(query: str) -> Select[tuple[UUID]]:
    pattern = func.unaccent(cast(" & ".join(f"{word}:*" for word in _WORD.findall(query)[:_MAX_WORDS]), Text))
    found = func.search_customers(
        cast(func.to_tsquery("simple", pattern), TSQUERY), literal(_MAX_FOUND)
    ).table_valued("id")
    return select(found.c.id)


def summary_of(row: Customer) -> CustomerSummary:
    """What other modules may know of a record."""
    return CustomerSummary(
        row.id,
        full_name(row) or row.company_name or row.email or "",
        row.email,
        row.first_name,
        row.last_name,
        row.company_name,
        row.vat_number,
        row.phone,
        row.language,
        row.status,
        row.blocked_reason,
        row.orders_count,
        row.spent_cents,
        row.last_order_at,
    )
