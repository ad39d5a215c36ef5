"""Customers: found, made once, counted, changed, merged; and what the operator may do with them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, IdentityScope, TenantScope, unit_of_work
from app.core.errors import ConflictError, ValidationFailedError
from app.core.ids import to_public
from app.modules.customers import facade
from app.modules.customers.contracts import Address, Buyer
from app.modules.customers.enums import RequestKind
from app.modules.customers.exceptions import CustomerErasedError, RequestDecidedError, SamePersonError
from app.modules.customers.models.customer import Customer
from app.modules.customers.services import customer_edit_service, data_request_service, merge_service
from app.modules.tenancy import facade as tenancy
from app.testing.api_keys import make_key, owner_of
from app.testing.browsing import sign_in, token_of

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
JEAN = Buyer("Jean.Hoffmann@Mail.Example ", "Jean", "Hoffmann", phone="+352 621 000 001", language="lb")


@pytest.fixture
def vendor_id(app: FastAPI) -> UUID:
    return tenancy.get_vendor("MOSELLE").id


@pytest.fixture
def session(vendor_id: UUID) -> Iterator[Session]:
    with unit_of_work(TenantScope(vendor_id)) as session:
        yield session


def make(session: Session, buyer: Buyer = JEAN) -> UUID:
    known = facade.ensure_customer(session, buyer, channel="letzshop")
    assert known is not None
    return known.id


def test_a_buyer_is_known_by_the_address_and_stays_as_they_are(session: Session) -> None:
    key = make(session)
    again = Buyer("jean.hoffmann@mail.example", "J.", None, language="xx")
    assert make(session, again) == key
    found = facade.get_customer(session, key)
    assert (found.name, found.email, found.language, found.status) == (
        "Jean Hoffmann",
        "Jean.Hoffmann@Mail.Example",
        "lb",
        "inactive",
    )
    assert facade.find_customer(session, "JEAN.HOFFMANN@mail.example") == found
    assert facade.ensure_customer(session, Buyer(phone="1"), channel="shop") is None
    assert make(session, Buyer(last_name="Hoffmann")) != make(session, Buyer(last_name="Hoffmann"))
    assert facade.search_customers(session, "hoff jean")[0].id == key
    assert facade.search_customers(session, "621000001")[0].id == key


def test_many_orders_at_once_make_one_customer(vendor_id: UUID) -> None:
    def order(_number: int) -> UUID:
        with unit_of_work(TenantScope(vendor_id)) as session:
            return make(session)

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(order, range(24)))) == 1
    with unit_of_work(TenantScope(vendor_id)) as session:
        count = select(func.count()).where(Customer.email_norm == "jean.hoffmann@mail.example")
        assert session.scalar(count) == 1


def test_figures_follow_orders_cancellations_and_refunds(session: Session) -> None:
    key = make(session)
    for orders, cents, at in (
        (1, 5000, AT),
        (1, 2000, AT - timedelta(days=3)),
        (0, -500, AT),
        (-1, -2000, AT),
    ):
        facade.record_order(
            session, key, orders=orders, spent_cents=cents, at=at + timedelta(days=orders < 1)
        )
    row = session.get_one(Customer, key)
    session.refresh(row)
    assert (row.orders_count, row.spent_cents, row.version) == (1, 4500, 1)
    assert (row.first_order_at, row.last_order_at) == (AT - timedelta(days=3), AT)


def test_fields_are_changed_and_addresses_have_one_default(session: Session, vendor_id: UUID) -> None:
    row = session.get_one(Customer, make(session))
    other = customer_edit_service.create_customer(
        session, vendor_id, {"last_name": "Wagner", "language": "de"}
    )
    with pytest.raises(ValidationFailedError):
        customer_edit_service.change_customer(session, other, {"email": "jean.hoffmann@mail.example"})
    session.expire(other)
    customer_edit_service.change_customer(session, row, {"company_name": "Atelier Jean"})
    assert facade.search_customers(session, "atelier")[0].id == row.id
    town = {"line1": "1, rue A", "postcode": "L-1111", "city": "Luxembourg", "country": "LU"}
    first = facade.save_address(session, row.id, Address(**town), is_shipping_default=True)
    facade.save_address(session, row.id, Address(**town | {"line1": "2, rue B"}), is_shipping_default=True)
    found = facade.list_addresses(session, row.id)
    assert [(one.address.line1, one.is_shipping_default) for one in found] == [
        ("2, rue B", True),
        ("1, rue A", False),
    ]
    assert Address.from_json(found[0].address.to_json() | {"unknown": 1}) == found[0].address
    assert customer_edit_service.delete_address(session, first) == row.id


def test_two_records_of_one_person_become_one(session: Session) -> None:
    old, new = make(session), make(session, Buyer("jean@work.example", "Jean", "Hoffmann"))
    facade.record_order(session, old, orders=1, spent_cents=700, at=AT)
    facade.record_order(session, new, orders=2, spent_cents=300, at=AT)
    facade.save_address(session, old, Address(line1="1, rue A"), is_shipping_default=True)
    with pytest.raises(ConflictError):
        merge_service.merge_customers(session, old, old)
    merge_service.merge_customers(session, old, new)
    found = facade.get_customer(session, new)
    assert (found.orders_count, found.spent_cents, found.phone) == (3, 1000, "+352 621 000 001")
    assert len(facade.list_addresses(session, new)) == 1
    # What comes later for the old record is the new one's.
    assert make(session) == new
    facade.record_order(session, old, orders=1, spent_cents=50, at=AT)
    session.expire_all()
    assert facade.get_customer(session, new).spent_cents == 1050
    with pytest.raises(CustomerErasedError):
        merge_service.merge_customers(session, old, new)


def test_the_operator_erases_with_two_persons(vendor_id: UUID) -> None:
    first, second = uuid4(), uuid4()
    with unit_of_work(TenantScope(vendor_id)) as session:
        key = make(session)
    with unit_of_work(SYSTEM) as session:
        row = session.get_one(Customer, key)
        asked = data_request_service.ask(
            session, row, RequestKind.ERASE, user_id=first, reason="ticket 7", needs_second=True
        )
        assert (asked.state, asked.job_id) == ("waiting", None)
        with pytest.raises(SamePersonError):
            data_request_service.decide(session, asked, user_id=first, is_agreed=True)
        data_request_service.decide(session, asked, user_id=second, is_agreed=True)
        assert asked.job_id is not None
        with pytest.raises(RequestDecidedError):
            data_request_service.decide(session, asked, user_id=second, is_agreed=False)


def test_the_operator_sees_a_person_for_a_reason_that_the_vendor_reads(
    client: TestClient, vendor_id: UUID, owner_engine: Engine
) -> None:
    with unit_of_work(TenantScope(vendor_id)) as session:
        public = to_public("cus", make(session))
    sign_in(client, "admin", "admin@wizamart.example")
    client.cookies.set("wm_lang", "en")
    here = f"/admin/customers/{public}"
    asked = client.get(here)
    assert "Hoffmann" not in asked.text
    token = token_of(asked)
    refused = client.post("/admin/customers/search", data={"csrf_token": token, "words": "hoffmann"})
    assert refused.status_code == 422
    data = {"csrf_token": token, "words": "jean.hoffmann@mail.example", "reason": "ticket 12"}
    found = client.post("/admin/customers/search", data=data)
    assert public in found.text
    assert "Hoffmann" in client.get(here).text
    with owner_engine.connect() as connection:
        noted = connection.execute(
            text(
                "SELECT action, details::text, vendor_id FROM audit_log WHERE details ->> 'reason' = 'ticket 12'"
            )
        ).all()
    assert {row.action for row in noted} == {"customers.looked_up", "customers.customer_viewed"}
    assert not any("hoffmann" in row.details.lower() for row in noted)
    assert vendor_id in {row.vendor_id for row in noted}


def test_a_program_makes_changes_and_erases_a_customer(client: TestClient, vendor_id: UUID) -> None:
    with unit_of_work(IdentityScope()) as session:
        holder = tenancy.vendor_holder(
            session, vendor_id, owner_of(session, tenancy.get_vendor("MOSELLE").company_id)
        )
    assert holder
    headers = {"Authorization": f"Bearer {make_key(holder)}"}
    root = "/api/v1/vendor/customers"
    made = client.post(root, json={"email": "eva@mail.example", "first_name": "Eva"}, headers=headers)
    assert made.status_code == 201, made.text
    one = f"{root}/{made.json()['id']}"
    taken = client.post(root, json={"email": "EVA@mail.example"}, headers=headers)
    assert taken.status_code == 422
    match = {**headers, "If-Match": made.headers["etag"]}
    changed = client.patch(one, json={"phone": "+352 1234567"}, headers=match)
    assert changed.json()["phone"] == "+352 1234567"
    assert client.patch(one, json={"phone": None}, headers=match).status_code == 412
    address = {"line1": "1, rue A", "postcode": "L-1111", "city": "Esch", "country": "LU"}
    assert (
        client.post(f"{one}/addresses", json=address, headers=headers).json()["addresses"][0]["city"]
        == "Esch"
    )
    consent = {"purpose": "offers", "is_granted": True, "source": "shop"}
    assert client.post(f"{one}/consents", json=consent, headers=headers).json()["consents"][0]["is_granted"]
    assert client.get(f"{root}?q=eva", headers=headers).json()["data"][0]["name"] == "Eva"
    asked = client.post(f"{one}/data-requests", json={"kind": "erase", "reason": "wrote"}, headers=headers)
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    state = client.get(f"/api/v1{asked.headers['location'].removeprefix('/api/v1')}", headers=headers)
    assert state.json()["customer_id"] == made.json()["id"]
