"""A customer's data in all modules: a copy of it as a file, and its erasure."""

import tempfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

import orjson
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.database import TenantScope, acting_in, after_commit
from app.core.ids import to_public
from app.core.storage import get_storage
from app.modules.audit import record_audit
from app.modules.customers.enums import CustomerStatus
from app.modules.customers.events import CustomerErased
from app.modules.customers.exceptions import CustomerErasedError
from app.modules.customers.models.customer import Customer
from app.modules.customers.models.request import DataRequest
from app.modules.customers.services.customer_service import PREFIX, get_row
from app.modules.events import publish
from app.modules.personal import PERSONAL_DATA, Person, erase_person, find_person, read_person

EXPORT_DAYS = 7
_REMOVE_BATCH = 200
_TABLE = Customer.__tablename__


class ExportFiles:
    """The copies that were made for customers: they go with the person."""

    @staticmethod
    def erase(session: Session, person: Person) -> int:
        """See ``PersonalData``."""
        if person.table != _TABLE:
            return 0
        found = session.scalars(
            select(DataRequest).where(
                DataRequest.customer_id.in_(person.ids), DataRequest.storage_key.is_not(None)
            )
        ).all()
        for request in found:
            forget_file(session, request)
        session.flush()
        return len(found)

    @staticmethod
    def export(_session: Session, _person: Person) -> Iterable[tuple[str, bytes]]:
        """See ``PersonalData``: a copy of a copy is none."""
        return ()


def write_export(session: Session, request_id: UUID) -> dict[str, int]:
    """Make the copy: one JSON file with all rows by table, and the files that modules keep; rows by table."""
    request = session.get_one(DataRequest, request_id)
    person = _person(session, request.customer_id)
    rows = read_person(session, person)
    key = f"customers/exports/{request.id}.zip"
    with tempfile.NamedTemporaryFile(prefix="wizamart-person-", suffix=".zip") as file:
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            archive.writestr("data.json", orjson.dumps(rows, option=orjson.OPT_INDENT_2))
            for code, keeper in PERSONAL_DATA.by_module():
                for name, content in keeper.export(session, person):
                    archive.writestr(f"{code}/{name}", content)
        file.flush()
        get_storage(get_settings()).save(key, Path(file.name))
    request.storage_key, request.expires_at = key, clock.now() + timedelta(days=EXPORT_DAYS)
    request.counts = {name: len(found) for name, found in rows.items()}
    return request.counts


def erase_customer(session: Session, customer_id: UUID) -> dict[str, int]:
    """Let go of everything personal in all modules, books kept; rows by table. Raises CustomerErasedError.

    Records that were merged into this one are the same person and go with it.
    """
    customer = get_row(session, customer_id)
    if customer.erased_at is not None:
        raise CustomerErasedError
    counts = erase_person(session, _person(session, customer_id))
    for row in session.scalars(select(Customer).where(_is_person(customer_id))):
        row.erased_at = clock.now()
        row.status = CustomerStatus.INACTIVE.value
    session.flush()
    vendor_id, public = customer.vendor_id, to_public(PREFIX, customer_id)
    record_audit(session, "customers.customer_erased", vendor_id=vendor_id, target=public, rows=counts)
    publish(session, CustomerErased(customer_id), vendor_id=vendor_id, aggregate=str(customer_id))
    return counts


def delete_old_exports(session: Session) -> int:
    """Remove copies whose time is over, of all vendors, a part of them at a time; how many. Needs the system scope."""
    old = session.execute(
        select(DataRequest.vendor_id, DataRequest.id)
        .where(DataRequest.storage_key.is_not(None), DataRequest.expires_at < clock.now())
        .order_by(DataRequest.vendor_id)
        .limit(_REMOVE_BATCH)
    ).all()
    for row in old:
        with acting_in(session, TenantScope(row.vendor_id)):
            forget_file(session, session.get_one(DataRequest, row.id))
    return len(old)


def forget_file(session: Session, request: DataRequest) -> None:
    """Remove the file of a request once the transaction is committed."""
    key = request.storage_key
    if key is not None:
        after_commit(session, lambda: get_storage(get_settings()).delete(key))
    request.storage_key = None


def _is_person(customer_id: UUID) -> ColumnElement[bool]:
    return or_(Customer.id == customer_id, Customer.merged_into_id == customer_id)


def _person(session: Session, customer_id: UUID) -> Person:
    customer = get_row(session, customer_id)
    ids = session.scalars(select(Customer.id).where(_is_person(customer_id)))
    return find_person(session, _TABLE, ids, vendor_id=customer.vendor_id)
