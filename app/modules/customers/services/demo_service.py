"""A few customers for the vendors of the demo."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.database import TenantScope, acting_in
from app.modules.customers.contracts import Address, Buyer
from app.modules.customers.enums import ConsentPurpose, RequestKind
from app.modules.customers.models.customer import Customer
from app.modules.customers.services import (
    customer_edit_service,
    customer_service,
    data_request_service,
    import_rows,
    import_service,
)
from app.modules.setup import DemoLogin
from app.modules.vendors import find_vendor_id

_VENDORS = ("MINETT", "MOSELLE")
# First and last name, company, VAT number, phone, language, street, postcode, town, country.
_PEOPLE = (
    ("Léa", "Muller", None, None, "+352 621 204 117", "fr", "12, rue du Fossé", "L-1536", "Luxembourg", "LU"),
    ("Jang", "Kayser", None, None, "+352 691 330 208", "lb", "4, op der Léier", "L-4240", "Esch-Uelzecht", "LU"),
    ("Anna", "Schneider", None, None, None, "de", "Saarstraße 18", "54290", "Trier", "DE"),
    ("Émile", "Lambert", None, None, "+32 478 55 10 22", "fr", "Rue de la Gare 7", "6700", "Arlon", "BE"),
    ("Claire", "Weber", "Am Eck", "LU26375245", "+352 26 48 11", "fr", "2, Grand-Rue", "9050", "Wiltz", "LU"),
    ("Sofia", "Pereira", None, None, "+352 661 742 905", "fr", "31, rue de Thionville", "L-2611", "Luxembourg", "LU"),
)  # fmt: skip
_FILE = """email;first_name;last_name;language;newsletter;newsletter_at;newsletter_source
marc.thill@HOST;Marc;Thill;lb;yes;2025-11-29;shop
ines.costa@HOST;Inês;Costa;fr;yes;;shop
lea.muller@HOST;Léa;Muller;fr;yes;2025-12-06;mail
"""


def seed(session: Session) -> list[DemoLogin]:
    """Give the vendors of the demo people who buy, with addresses and consents; once."""
    for code in _VENDORS:
        vendor_id = find_vendor_id(session, code)
        if vendor_id is None:
            continue
        with acting_in(session, TenantScope(vendor_id)):
            if session.scalar(select(Customer.id).limit(1)) is None:
                _seed(session, code)
    return []


def _seed(session: Session, code: str) -> None:
    last: UUID | None = None
    for first_name, last_name, company, vat_number, phone, language, *place in _PEOPLE:
        line1, postcode, city, country = place
        host = f"{code.lower()}-mail.example"
        email = f"{_plain(first_name)}.{_plain(last_name)}@{host}"
        buyer = Buyer(email, first_name, last_name, company, vat_number, phone, language or "fr")
        known = customer_service.ensure_customer(session, buyer, channel="demo")
        assert known is not None
        last = known.id
        address = Address(buyer.name, company, line1, None, postcode, city, country, None)
        customer_edit_service.save_address(
            session, last, address, is_shipping_default=True, is_billing_default=True
        )
    assert last is not None
    customer = customer_service.get_row(session, last)
    for purpose, is_granted in ((ConsentPurpose.NEWSLETTER, True), (ConsentPurpose.PROFILING, False)):
        customer_edit_service.record_consent(session, customer, purpose, is_granted, source="shop")
    # A file that waits for somebody to take it over; of one consent nobody knows the day.
    file = import_rows.read_customers(_FILE.replace("HOST", host).encode())
    import_service.create_import(session, customer.vendor_id, "newsletter-2025.csv", file)
    # Nobody signed in asked for it: the demo did.
    data_request_service.ask(session, customer, RequestKind.EXPORT, user_id=customer.vendor_id)


def _plain(name: str) -> str:
    return name.lower().replace("é", "e")
